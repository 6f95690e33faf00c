"""The site of mailbox users: who gets in, what they see and change, and that it opens nothing of the panel."""

import secrets
import statistics
import time
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from accounts.attempts import MOST_OF_PAIR
from accounts.operations import create_user
from audit.models import Event
from mailboxes.models import LastLogin, Mailbox, QuotaUsage
from mailboxes.operations import change_password, create_mailbox, delete_mailbox, resume_mailbox, suspend_mailbox
from mailboxes.passwords import hash_password, verify
from mailhost.scope import every_tenant
from selfservice.models import MailboxSession
from selfservice.operations import REFUSAL_SECONDS
from selfservice.tasks import forget_old_sessions
from tenants.models import Role
from tenants.operations import resume_tenant, suspend_tenant
from tests.webside import fresh_cache, plain_static  # noqa: F401  fixtures
from tests.world import PASSWORD_HASH, World, a_mailbox, fresh, make_world, verified_domain

ANNA = "anna@acme.example"
# Of PASSWORD_HASH, a SHA512-CRYPT one.
PASSWORD = "correct horse battery staple"
OTHER = "Blauer-Regen-44-Fenster"
HOME = "/mailbox/"


@pytest.fixture
def world(db, plain_static, fresh_cache) -> World:  # noqa: F811  the fixtures of those names
    world = make_world()
    verified_domain(world.as_acme, "acme.example")
    a_mailbox(world.as_acme, ANNA)
    return world


def mailbox() -> Mailbox:
    with every_tenant("a test looks at its rows"):
        return Mailbox.objects.get(email=ANNA)


def sign_in(email: str = ANNA, password: str = PASSWORD, client: Client | None = None):
    return (client or Client()).post("/mailbox/sign-in/", {"email": email, "password": password})


def signed_in() -> Client:
    client = Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
    assert sign_in(client=client).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get(HOME).status_code == 200


def test_address_and_mail_password_open_the_site(world):
    client = Client()

    answer = sign_in(" Anna@ACME.example ", client=client)

    assert (answer.status_code, answer["Location"]) == (302, HOME)
    assert ANNA in client.get(HOME).content.decode()


def test_the_cookie_goes_to_this_site_alone_and_to_no_script(world):
    cookie = sign_in().cookies["mailbox"]

    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/mailbox/", True, "Strict")
    assert cookie.value not in str(list(MailboxSession._base_manager.values_list()))


def test_the_session_never_reaches_the_panel(world):
    client = signed_in()

    for path in ("/", "/mailboxes/", "/security/", "/keys/", "/members/"):
        assert client.get(path)["Location"].startswith("/sign-in/"), path
    assert client.get("/api/v1/me").status_code == 401
    # Nor does its cookie under the panel's name.
    client.cookies["session"] = client.cookies["mailbox"].value
    assert client.get("/")["Location"].startswith("/sign-in/")


def test_the_panels_session_never_reaches_the_site(world):
    person = create_user(
        world.as_acme, tenant=world.acme, email="owner@acme.example", role=Role.OWNER, password=OTHER
    ).user
    client = Client()
    client.force_login(person)

    assert client.get(HOME)["Location"] == "/mailbox/sign-in/"
    client.cookies["mailbox"] = client.cookies["session"].value
    assert client.get(HOME)["Location"] == "/mailbox/sign-in/"


@pytest.mark.parametrize(
    ("email", "password"),
    [(ANNA, "wrong"), ("nobody@acme.example", PASSWORD), ("", ""), (ANNA, "x" * 999), ("no address", PASSWORD)],
    ids=["wrong password", "unknown address", "empty", "long", "no address"],
)
def test_everybody_else_stays_outside(world, email, password):
    assert sign_in(email, password).status_code == 422


def test_unknown_address_and_wrong_password_get_one_answer_in_one_time(world):
    create_mailbox(world.as_acme, address="ben@acme.example", password=OTHER, storage_quota_mb=10)
    # SHA512-CRYPT, Argon2id, and none at all.
    taken: dict[str, list[float]] = {ANNA: [], "ben@acme.example": [], "nobody@acme.example": []}
    work, pages = [], set()

    for _ in range(5):
        for email, times in taken.items():
            begun, worked = time.perf_counter(), time.thread_time()
            page = sign_in(email, "wrong").content.decode()
            times.append(time.perf_counter() - begun)
            work.append(time.thread_time() - worked)
            token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
            pages.add(page.replace(token, "").replace(email, ""))

    assert len(pages) == 1
    assert min(min(times) for times in taken.values()) >= REFUSAL_SECONDS
    # What the hash costs hides in the wait, with room to spare.
    assert statistics.median(work) < REFUSAL_SECONDS


def test_too_many_failures_close_the_door_as_in_the_panel(world):
    for _ in range(MOST_OF_PAIR):
        assert sign_in(password="wrong").status_code == 422

    assert sign_in().status_code == 429
    caches["default"].key_prefix = secrets.token_hex(8)
    assert sign_in().status_code == 302


SAID = {
    "mailbox": "This mailbox is suspended. Ask whoever runs your domain.",
    # The note is for the tenant's own people.
    "tenant": "Acme is suspended: nobody of it can sign in. Unpaid.<",
    "reseller": "Acme is suspended with the account that provides it: nobody of it can sign in. Ask your provider.<",
}


@pytest.mark.parametrize("what", SAID)
def test_suspension_closes_the_door_and_ends_what_is_open(world, what):
    client = signed_in()
    if what == "mailbox":
        suspend_mailbox(world.as_acme, mailbox=mailbox())
    else:
        tenant = world.acme if what == "tenant" else world.rita
        suspend_tenant(world.as_operator, tenant=tenant, blocks=["sign_in"], reason="unpaid", note="May.")

    assert not is_in(client)
    right, wrong = sign_in(), sign_in(password="wrong")
    assert (right.status_code, wrong.status_code) == (422, 422)
    assert SAID[what] in right.content.decode()
    assert "suspended" not in wrong.content.decode()

    if what == "mailbox":
        resume_mailbox(world.as_acme, mailbox=mailbox())
    else:
        resume_tenant(world.as_operator, tenant=tenant)
    assert sign_in().status_code == 302


def test_one_who_may_not_send_may_still_look(world):
    suspend_tenant(world.as_operator, tenant=world.acme, blocks=["sending"], reason="spam")

    assert sign_in().status_code == 302


def test_a_deleted_mailbox_opens_nothing(world):
    client = signed_in()

    delete_mailbox(world.as_acme, mailbox=mailbox())

    assert not is_in(client)
    assert sign_in().status_code == 422


def test_a_hash_of_another_kind_is_written_anew_and_dovecot_still_reads_it(world):
    assert mailbox().password_hash == PASSWORD_HASH

    signed_in()

    assert mailbox().password_hash.startswith("{ARGON2ID}")
    assert verify(PASSWORD, mailbox().password_hash)


def test_storage_and_last_sign_ins_are_shown(world):
    QuotaUsage.objects.create(username=ANNA, bytes=41 * 1024 * 1024)
    LastLogin.objects.create(mailbox=mailbox(), at=timezone.now() - timedelta(hours=3), service="imap")

    page = signed_in().get(HOME).content.decode()

    for words in ("41 MB of 100 MB", "hours ago (IMAP)", "Firefox on Linux", "127.0.0.1", "This one"):
        assert words in page


def test_a_new_password_needs_the_present_one(world):
    client = signed_in()

    answer = client.post("/mailbox/password/", {"present": "wrong", "password": OTHER})

    assert answer.status_code == 422
    assert "not your present password" in answer.content.decode()
    assert verify(PASSWORD, mailbox().password_hash)


def test_a_weak_password_is_refused(world):
    answer = signed_in().post("/mailbox/password/", {"present": PASSWORD, "password": "short"})

    assert "too short" in answer.content.decode()


def test_a_new_password_opens_the_mailbox_and_ends_other_sessions(world):
    here, elsewhere = signed_in(), signed_in()

    answer = here.post("/mailbox/password/", {"present": PASSWORD, "password": OTHER})

    assert answer.status_code == 302
    assert (is_in(here), is_in(elsewhere)) == (True, False)
    assert (sign_in(password=OTHER).status_code, sign_in().status_code) == (302, 422)
    with every_tenant("the test reads the record"):
        event = Event.objects.newest_first().filter(action="mailboxes.change_password").first()
    assert (event.actor, event.user_id) == (ANNA, None)
    assert OTHER not in f"{event.details} {event.before} {event.after}"


def test_a_password_that_the_domains_owner_sets_ends_the_session(world):
    client = signed_in()

    change_password(world.as_acme, mailbox=mailbox(), password_hash=hash_password(OTHER))

    assert not is_in(client)


def test_a_sign_in_elsewhere_can_be_ended(world):
    here, elsewhere = signed_in(), signed_in()
    with every_tenant("a test names a row"):
        uid = MailboxSession.objects.latest("pk").uid

    told = here.post(f"/mailbox/sessions/{uid}/end/", follow=True).content.decode()

    assert "That session was ended." in told
    assert (is_in(here), is_in(elsewhere)) == (True, False)
    assert here.post(f"/mailbox/sessions/{uid}/end/").status_code == 404


def test_nobody_ends_anothers_session(world):
    a_mailbox(world.as_acme, "ben@acme.example")
    ben = Client()
    sign_in("ben@acme.example", client=ben)
    anna = signed_in()
    with every_tenant("a test names a row"):
        uid = MailboxSession.objects.get(mailbox=mailbox()).uid

    assert ben.post(f"/mailbox/sessions/{uid}/end/").status_code == 404
    assert is_in(anna)


def test_signing_out_ends_it(world):
    client = signed_in()
    cookie = client.cookies["mailbox"].value

    assert client.get("/mailbox/sign-out/").status_code == 405
    client.post("/mailbox/sign-out/")

    client.cookies["mailbox"] = cookie
    assert not is_in(client)


def test_a_session_ends_by_itself(world):
    client = signed_in()
    with every_tenant("the test turns the clock"):
        MailboxSession.objects.update(expires_at=timezone.now())

    assert not is_in(client)


def test_old_sign_ins_are_forgotten(world):
    signed_in()
    with every_tenant("the test turns the clock"):
        MailboxSession.objects.update(created_at=timezone.now() - timedelta(days=91))
    signed_in()

    assert forget_old_sessions() == 1
    assert fresh(mailbox()).site_sessions.model._base_manager.count() == 1
