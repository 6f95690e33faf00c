"""Where a person is signed in: seen by them, ended by them, and asked again before what is dangerous."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from accounts.tasks import forget_old_sessions
from tenants.deletion_operations import delete_tenant
from tests.routes.cast import a_member
from tests.webside import fresh_cache, plain_static, signed_in  # noqa: F401 - fixtures
from tests.world import PASSWORD

pytestmark = pytest.mark.usefixtures("plain_static", "fresh_cache")


@pytest.fixture
def owner(world):
    user = a_member(world.acme, "owner").user
    user.set_password(PASSWORD)
    user.save()
    return user


def by_the_form(client_class, user, agent: str):
    """Return a browser whose person has signed in by the form, as allauth notes it."""
    browser = client_class(headers={"user-agent": agent})
    browser.post("/sign-in/", {"email": user.email})
    answer = browser.post("/sign-in/", {"email": user.email, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    return browser


def is_in(browser) -> bool:
    return browser.get("/security/").status_code == 200


@pytest.fixture
def browsers(owner, client):
    return [by_the_form(type(client), owner, agent) for agent in ("Firefox on Linux", "Safari on iPhone", "Chrome")]


def test_each_sign_in_is_listed_and_one_is_ended(owner, browsers):
    here, phone, third = browsers
    page = here.get("/security/").content.decode()
    assert [agent in page for agent in ("iPhone", "Linux")] == [True, True]
    row = UserSession.objects.get(session_key=phone.session.session_key)

    here.post(f"/security/sessions/{row.pk}/end/")

    assert [is_in(browser) for browser in (here, phone, third)] == [True, False, True]
    assert "iPhone" not in here.get("/security/").content.decode()


def test_all_others_are_ended_at_once(browsers):
    here, *others = browsers

    here.post("/security/sessions/end-others/")

    assert is_in(here)
    assert not any(is_in(browser) for browser in others)


def test_a_session_from_before_the_sign_in_opens_nothing_after_it(owner, client):
    client.get("/sign-in/")
    client.session["planted"] = True
    client.session.save()
    before = client.session.session_key

    inside = by_the_form(type(client), owner, "Firefox on Linux")
    client.post("/sign-in/", {"email": owner.email})
    client.post("/sign-in/", {"email": owner.email, "password": PASSWORD})

    assert is_in(client)
    assert client.session.session_key not in {before, inside.session.session_key}
    client.cookies[settings.SESSION_COOKIE_NAME] = before
    assert not is_in(client)


def test_nobody_ends_a_strangers(world, browsers):
    row = UserSession.objects.get(session_key=browsers[0].session.session_key)
    stranger = signed_in(a_member(world.bolt, "owner").user)

    assert stranger.post(f"/security/sessions/{row.pk}/end/").status_code == 404
    assert is_in(browsers[0])


OWN = [
    *("account_change_password", "mfa_activate_totp", "mfa_add_webauthn"),
    *("key-add", "member-invite"),
]


def asks_again(answer) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith("/confirm/")


@pytest.mark.parametrize("name", OWN)
def test_ways_in_and_rights_are_given_after_a_fresh_answer_alone(owner, name):
    stale = signed_in(owner, seconds_ago=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)

    assert asks_again(stale.get(reverse(name)))
    assert asks_again(stale.post(reverse(name)))
    assert signed_in(owner).get(reverse(name)).status_code == 200


def test_so_are_deletion_and_purge_of_an_account(world):
    place = a_member(world.operator, "owner")
    stale = signed_in(place.user, seconds_ago=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)

    assert asks_again(stale.post(reverse("customer-delete", args=[world.acme.uid])))
    delete_tenant(world.as_operator, tenant=world.acme)
    for call in (stale.get, stale.post):
        assert asks_again(call(reverse("customer-purge", args=[world.acme.uid])))


def test_the_password_answers_and_leads_back(owner):
    stale = signed_in(owner, seconds_ago=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    asked = stale.get(reverse("key-add"))["Location"]

    assert stale.post(asked, {"password": "not the one"}).status_code != 302
    assert stale.post(asked, {"password": PASSWORD})["Location"] == reverse("key-add")
    assert stale.get(reverse("key-add")).status_code == 200


def test_sessions_whose_time_is_over_are_forgotten_and_the_others_stay(owner, browsers, client):
    visitor = type(client)()
    visitor.get("/device/whatever-somebody-tries/")
    over = [visitor, *browsers[:2]]
    keys = [browser.cookies[settings.SESSION_COOKIE_NAME].value for browser in over]
    Session.objects.filter(pk__in=keys).update(expire_date=timezone.now() - timedelta(seconds=1))

    assert forget_old_sessions() == 3

    kept = UserSession.objects.get(user=owner).session_key
    assert (Session.objects.get().pk, is_in(browsers[2])) == (kept, True)
