"""A person sets the password of their mailbox by a link that opens once."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from mailboxes import invitations, tasks
from mailboxes.models import Mailbox
from mailboxes.passwords import verify
from mailhost.models import Job
from mailhost.scope import every_tenant
from tests.apiside import assert_problem, errors_of, make_cast
from tests.world import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]

NEW = {"email": "otto@acme.example", "invite_to": "otto@partner.example", "storage_quota": 5}


@pytest.fixture
def acme():
    return make_cast().acme


def otto() -> Mailbox:
    with every_tenant("a test looks at its rows"):
        return Mailbox.objects.select_related("tenant").get(email="otto@acme.example")


def sent_link() -> str:
    """Return the link in the mail that the waiting job sends, as a path."""
    tasks.send_invitation(**Job.objects.get(task="mailboxes.tasks.send_invitation").arguments)
    [message] = mail.outbox
    assert message.to == ["otto@partner.example"]
    return re.search(r"https?://[^/]+(/\S+)", message.body)[1]


def test_the_invited_person_chooses_the_password(acme):
    answer = acme.caller().call("POST", "/mailboxes", NEW)
    browser = Client()

    form = browser.get(sent_link(), follow=True)
    done = browser.post(form.redirect_chain[-1][0], {"password": PASSWORD})

    assert (answer.status_code, answer.json()["status"]) == (201, "active")
    assert "otto@acme.example" in form.content.decode()
    assert "is ready" in done.content.decode()
    assert verify(PASSWORD, otto().password_hash)


def test_the_link_opens_once(acme):
    acme.caller().call("POST", "/mailboxes", NEW)
    path, browser = sent_link(), Client()
    browser.post(browser.get(path)["Location"], {"password": PASSWORD})

    again = Client().get(path, follow=True)

    assert "no longer good" in again.content.decode()


def test_the_secret_does_not_stay_in_the_address(acme):
    acme.caller().call("POST", "/mailboxes", NEW)

    assert Client().get(sent_link())["Location"] == "/mailboxes/invitation/"


@pytest.mark.parametrize("change", ["another password", "deletion", "a week"])
def test_a_link_that_is_overtaken_is_closed(acme, change, monkeypatch):
    caller = acme.caller()
    caller.call("POST", "/mailboxes", NEW)
    path = sent_link()

    if change == "another password":
        caller.call("POST", "/mailboxes/otto@acme.example/password", {"password": PASSWORD})
    elif change == "deletion":
        caller.call("DELETE", "/mailboxes/otto@acme.example")
    else:
        monkeypatch.setattr(invitations, "VALID", timezone.timedelta(seconds=-1))

    assert "no longer good" in Client().get(path, follow=True).content.decode()


def test_a_weak_password_is_refused_and_the_link_stays_good(acme):
    acme.caller().call("POST", "/mailboxes", NEW)
    path, browser = sent_link(), Client()

    weak = browser.post(browser.get(path)["Location"], {"password": "short"})

    assert weak.status_code == 422
    assert "is ready" in browser.post("/mailboxes/invitation/", {"password": PASSWORD}).content.decode()


@pytest.mark.parametrize("token", ["nonsense", "a:b:c", "%00"])
def test_what_is_no_link_of_ours_opens_nothing(acme, token):
    assert "no longer good" in Client().get(f"/mailboxes/invitation/{token}/", follow=True).content.decode()


def test_before_the_link_is_used_nobody_signs_in(acme):
    acme.caller().call("POST", "/mailboxes", NEW)

    assert not verify("", otto().password_hash)
    assert otto().password_hash.startswith("{SHA512-CRYPT}$6$")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"invite_to": "otto@acme.example"}, ("#/invite_to", "invalid_address")),
        ({"invite_to": "|cmd"}, ("#/invite_to", "invalid_address")),
        ({"password": PASSWORD}, ("#/password", "several_passwords")),
    ],
)
def test_who_cannot_be_invited_is_refused(acme, change, error):
    assert errors_of(acme.caller().call("POST", "/mailboxes", NEW | change)) == [error]
    assert not Job.objects.filter(task="mailboxes.tasks.send_invitation").exists()


def test_a_mailbox_that_is_there_gets_an_invitation_too(acme):
    caller = acme.caller()

    answer = caller.call("POST", "/mailboxes/anna@acme.example/invite", {"to": "otto@partner.example"})

    assert answer.status_code == 204
    assert sent_link().startswith("/mailboxes/invitation/")
    wrong = caller.call("POST", "/mailboxes/anna@acme.example/invite", {"to": "anna@acme.example"})
    assert errors_of(wrong) == [("#/to", "invalid_address")]
    assert_problem(caller.call("POST", "/mailboxes/gone@acme.example/invite", {"to": "x@y.example"}), 404, "not_found")


def test_many_are_invited_at_once(acme):
    items = [NEW, NEW | {"email": "ada@acme.example", "invite_to": "ada@partner.example"}]

    acme.caller().call("POST", "/mailboxes/batch", {"mode": "atomic", "items": items})

    jobs = Job.objects.filter(task="mailboxes.tasks.send_invitation")
    assert [job.arguments["to"] for job in jobs.order_by("pk")] == ["otto@partner.example", "ada@partner.example"]
