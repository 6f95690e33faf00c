"""A forgotten password: one answer for everybody, a link that nobody can bend, and what it ends."""

import re
import statistics
import time

import pytest
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client

from accounts.attempts import MOST_OF_PAIR
from accounts.models import User
from accounts.operations import create_user
from accounts.tasks import send_password_reset
from audit.models import Event
from mailhost.models import Job
from mailhost.scope import every_tenant
from tenants.models import Role
from tests.webside import fresh_cache, plain_static  # noqa: F401  fixtures
from tests.world import PASSWORD, World, make_world

ANNA, NOBODY = "anna@acme.example", "nobody@acme.example"
OTHER = "Blauer-Regen-44-Fenster"


@pytest.fixture
def world(db, plain_static, fresh_cache) -> World:  # noqa: F811  the fixtures of those names
    world = make_world()
    create_user(world.as_operator, tenant=world.acme, email=ANNA, role=Role.OWNER, password=PASSWORD)
    return world


def ask(email: str, client: Client | None = None, **options):
    return (client or Client()).post("/password/forgotten/", {"email": email}, **options)


def mailed_link(email: str = ANNA) -> str:
    """Let the worker send what was asked for; return the link."""
    send_password_reset(email)
    return re.search(r"https?://\S+/password/new/\S+", mail.outbox[-1].body)[0]


def path(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def set_password(link: str, password: str = OTHER, client: Client | None = None):
    client = client or Client()
    form = client.get(path(link), follow=True)
    return client.post(form.redirect_chain[-1][0], {"password1": password, "password2": password})


def test_known_and_unknown_addresses_get_the_same_answer_and_the_same_work(world):
    known, unknown = ask(ANNA), ask(NOBODY)

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    jobs = [(job.task, job.arguments["email"]) for job in Job.objects.order_by("pk")]
    assert jobs == [("accounts.tasks.send_password_reset", ANNA), ("accounts.tasks.send_password_reset", NOBODY)]


def test_they_get_it_in_the_same_time(world, settings):
    # Work, not waiting, so that a busy machine tells nothing either.
    settings.MAILHOST_PROXIES = 1
    taken: dict[str, list[float]] = {ANNA: [], NOBODY: []}

    for number in range(40):
        for email, times in taken.items():
            begun = time.thread_time()
            ask(email, HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
            times.append(time.thread_time() - begun)

    gap = abs(statistics.median(taken[ANNA]) - statistics.median(taken[NOBODY]))
    assert gap < 0.01


def test_only_a_known_address_gets_mail(world):
    for email in (ANNA, NOBODY):
        send_password_reset(email)

    assert [message.to for message in mail.outbox] == [[ANNA]]


@pytest.mark.parametrize("header", ["HTTP_HOST", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_SERVER", "HTTP_FORWARDED"])
def test_no_header_bends_the_link(world, settings, header):
    settings.MAILHOST_URL = "https://panel.example"
    settings.ALLOWED_HOSTS = ["*"]

    ask(ANNA, **{header: "evil.example"})
    link = mailed_link()

    assert link.startswith("https://panel.example/password/new/")
    assert "evil" not in mail.outbox[-1].body


def test_a_host_that_is_not_ours_is_refused(world):
    assert ask(ANNA, HTTP_HOST="evil.example").status_code == 400


def test_the_secret_of_a_link_is_in_no_table_and_leaves_the_address_at_once(world):
    ask(ANNA)
    link = mailed_link()
    secret = link.rstrip("/").rpartition("-")[2]

    answer = Client().get(path(link))

    assert secret not in str(list(Job.objects.values_list("arguments")))
    assert secret not in answer["Location"]


def test_the_link_sets_a_new_password_once(world):
    link = mailed_link()

    assert set_password(link)["Location"] == "/password/new/set/"
    assert User.objects.get(email=ANNA).check_password(OTHER)
    assert "no longer good" in Client().get(path(link)).content.decode()


def test_a_new_password_ends_every_session_and_is_told_and_recorded(world):
    browser = Client()
    browser.post("/sign-in/", {"email": ANNA, "password": PASSWORD})
    assert UserSession.objects.count() == 1

    set_password(mailed_link())

    assert browser.get("/").status_code == 302
    assert UserSession.objects.count() == 0
    assert Job.objects.filter(task="mailhost.tasks.send_mail", arguments__to=ANNA).count() == 1
    with every_tenant("the test reads the record"):
        record = Event.objects.latest("pk")
    assert (record.action, record.details["change"]) == ("people.change_way_in", "password set by a mailed link")


def test_a_weak_password_is_refused(world):
    answer = set_password(mailed_link(), "password1234")

    assert "too common" in answer.content.decode()
    assert User.objects.get(email=ANNA).check_password(PASSWORD)


@pytest.mark.parametrize("link", ["/password/new/1-abc-def/", "/password/new/zz-c0ffee-0123/"])
def test_a_made_up_link_opens_nothing(world, link):
    assert "no longer good" in Client().get(link).content.decode()


def test_a_person_who_was_switched_off_gets_no_link(world):
    User.objects.filter(email=ANNA).update(is_active=False)

    send_password_reset(ANNA)

    assert mail.outbox == []


def test_it_cannot_be_asked_for_on_and_on(world):
    for _ in range(MOST_OF_PAIR):
        assert ask(ANNA).status_code == 302

    assert ask(ANNA).status_code == 429
