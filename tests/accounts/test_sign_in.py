"""Who gets in at the sign-in page, and what the others are told."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import caches
from django.test import Client

from accounts import attempts
from accounts.attempts import MOST_OF_PAIR
from accounts.models import User
from accounts.operations import create_user
from mailhost.scope import every_tenant
from tenants.models import Member, Role
from tenants.operations import suspend_tenant
from tests.webside import plain_static  # noqa: F401  a fixture
from tests.world import PASSWORD, World, make_world

ADDRESS = "anna@acme.example"


@pytest.fixture
def world(db, plain_static) -> World:  # noqa: F811  the fixture of that name
    # Not clear(): that empties the whole Redis database, where other workers count and Celery's messages wait.
    caches["default"].key_prefix = secrets.token_hex(8)
    world = make_world()
    create_user(world.as_operator, tenant=world.acme, email=ADDRESS, role=Role.OWNER, password=PASSWORD)
    return world


def sign_in(email: str = ADDRESS, password: str = PASSWORD, client: Client | None = None, **fields):
    return (client or Client()).post("/sign-in/", {"email": email, "password": password, **fields})


def first_step(email: str = ADDRESS):
    return Client().post("/sign-in/", {"email": email})


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def words(answer) -> str:
    """What the page says, without its one-time token and what was typed."""
    text = answer.content.decode()
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
    return text.replace("nobody@acme.example", "").replace(ADDRESS, "")


def test_the_right_password_opens_the_overview(world):
    client = Client()

    answer = sign_in(" Anna@ACME.example ", client=client)

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert is_signed_in(client)


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(world):
    wrong, unknown = sign_in(password="wrong"), sign_in("nobody@acme.example", "wrong")

    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert words(wrong) == words(unknown)


def test_the_address_is_kept_and_the_password_is_not(world):
    text = sign_in(password="a wrong password").content.decode()

    assert f'value="{ADDRESS}"' in text
    assert "a wrong password" not in text


def test_sign_in_leads_to_the_page_that_was_asked_for(world):
    assert sign_in(next="/mailboxes/?q=a")["Location"] == "/mailboxes/?q=a"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example"]
)
def test_sign_in_leads_nowhere_else(world, target):
    assert sign_in(next=target)["Location"] == "/"


def test_too_many_failures_close_the_door_for_this_account_from_this_address(world):
    for _ in range(MOST_OF_PAIR):
        assert sign_in(password="wrong").status_code == 422

    answer = sign_in()

    assert answer.status_code == 429
    assert re.search(r"Try again at \d\d:\d\d UTC, in 15 minutes\.", answer.content.decode())
    assert sign_in("nobody@acme.example").status_code == 422


def test_the_refusal_names_the_minute_at_which_the_door_opens(world, monkeypatch):
    begun = datetime(2026, 11, 27, 23, 50, 20, tzinfo=UTC)
    monkeypatch.setattr(attempts, "time", SimpleNamespace(time=begun.timestamp))
    for _ in range(MOST_OF_PAIR):
        sign_in(password="wrong")
    monkeypatch.setattr(attempts, "time", SimpleNamespace(time=(begun + timedelta(minutes=10)).timestamp))

    said = sign_in().content.decode()

    assert "Try again at 00:06 UTC, in 5 minutes." in said


def test_the_first_step_says_so_too(world):
    for _ in range(MOST_OF_PAIR):
        sign_in("nobody@acme.example", "wrong")

    known, unknown = first_step(), first_step("nobody@acme.example")

    assert (known.status_code, unknown.status_code) == (200, 429)
    assert "Try again at" in unknown.content.decode()


def test_the_address_comes_first(world):
    page = Client().get("/sign-in/").content.decode()

    assert 'name="email"' in page
    assert 'autocomplete="username webauthn"' in page
    assert 'name="password"' not in page


def test_the_second_step_keeps_the_address_and_where_one_was_going(world):
    text = Client().post("/sign-in/", {"email": ADDRESS, "next": "/keys/"}).content.decode()

    assert f'value="{ADDRESS}" autocomplete="username"' in text
    assert 'name="password"' in text
    assert '<input type="hidden" name="next" value="/keys/">' in text


def test_the_second_step_is_the_same_for_everybody(world):
    known, unknown = first_step(), first_step("nobody@acme.example")

    assert (known.status_code, unknown.status_code) == (200, 200)
    assert words(known) == words(unknown)


@pytest.mark.parametrize(("email", "says"), [("", "Enter your address."), ("a" * 300, "An address is not that long.")])
def test_an_address_that_is_none_is_asked_for_again(world, email, says):
    answer = first_step(email)

    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_the_mailbox_door_gets_the_address_along(world):
    text = Client().post("/mailbox/sign-in/", {"email": ADDRESS}).content.decode()

    assert f'value="{ADDRESS}"' in text
    assert "Enter a password" not in text


def test_a_success_forgets_the_typing_errors_before_it(world):
    for _ in range(MOST_OF_PAIR - 1):
        sign_in(password="wrong")
    sign_in()

    assert sign_in(password="wrong").status_code == 422
    assert sign_in().status_code == 302


def test_strangers_who_guess_shut_nobody_out_where_they_signed_in_before(world):
    sign_in()

    for number in range(attempts.MOST_OF_ACCOUNT):
        attempts.note_failure(f"192.0.2.{number}", ADDRESS)

    assert attempts.has_too_many("198.51.100.7", ADDRESS)
    assert sign_in().status_code == 302


def test_a_known_address_may_not_guess_on_and_on(world):
    sign_in()

    for _ in range(MOST_OF_PAIR):
        sign_in(password="wrong")

    assert sign_in().status_code == 429


def test_ipv4_addresses_are_no_one_place_where_a_socket_shows_them_as_ipv6(world):
    for number in range(attempts.MOST_OF_ADDRESS):
        attempts.note_failure("::ffff:192.0.2.1", f"nobody{number}@acme.example")

    assert attempts.has_too_many("192.0.2.1", ADDRESS)
    assert not attempts.has_too_many("::ffff:198.51.100.7", ADDRESS)


def test_people_sign_in_while_redis_is_away(world, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}

    assert sign_in(password="wrong").status_code == 422
    assert sign_in().status_code == 302


def test_signing_out_ends_the_session(world):
    client = Client()
    sign_in(client=client)

    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    assert not is_signed_in(client)


def test_a_suspended_tenants_people_are_told_why_and_nobody_else_is(world):
    client = Client()
    sign_in(client=client)
    suspend_tenant(
        world.as_operator, tenant=world.acme, blocks=["sign_in"], reason="unpaid", note="The invoice of May is open."
    )

    ended = client.get("/domains/", follow=True)
    again = client.post("/sign-in/", {"email": ADDRESS, "password": PASSWORD}, follow=True)
    wrong, unknown = sign_in(password="wrong"), sign_in("nobody@acme.example", "wrong")

    said = "Acme is suspended: nobody of it can sign in. Unpaid. The invoice of May is open."
    assert ended.redirect_chain == [("/sign-in/", 302)]
    assert said in ended.content.decode()
    assert said in again.content.decode()
    assert not is_signed_in(client)
    assert words(wrong) == words(unknown)
    assert "suspended" not in words(wrong)
    assert said not in client.get("/sign-in/").content.decode()


def test_who_has_no_tenant_any_more_is_told_so(world):
    client = Client()
    sign_in(client=client)
    with every_tenant("a test ends a membership"):
        Member.objects.filter(tenant=world.acme).delete()

    answer = client.get("/domains/", follow=True)

    assert answer.redirect_chain == [("/sign-in/?closed=1", 302)]
    assert "your account is closed" in answer.content.decode()


def test_a_person_who_was_switched_off_is_no_longer_signed_in(world):
    client = Client()
    sign_in(client=client)
    with every_tenant("a test switches a person off"):
        User.objects.filter(email=ADDRESS).update(is_active=False)

    assert not is_signed_in(client)
