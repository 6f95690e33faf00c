"""What is changed beside the panel's own operations leaves one record each, too."""

import pytest
from allauth.account.signals import password_reset
from allauth.usersessions.models import UserSession
from django.test import Client, RequestFactory

from audit.models import Event
from mailhost.scope import every_tenant
from tenants.models import Member, Tenant
from tenants.operations import found_installation, suspend_tenant
from tests.routes.cast import a_member
from tests.webside import a_passkey, plain_static, signed_in  # noqa: F401 - a fixture
from tests.world import a_mailbox, verified_domain
from webhooks.delivery import disable
from webhooks.operations import create_endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]


@pytest.fixture
def newest(world):
    """Return what was recorded since the test began: (action, actor, details)."""
    with every_tenant("a test reads the record"):
        last = Event.objects.latest("pk").pk

    def read() -> list[tuple[str, str, dict]]:
        with every_tenant("a test reads the record"):
            events = Event.objects.filter(pk__gt=last).order_by("pk")
            return [(event.action, event.actor, event.details) for event in events]

    return read


def test_a_session_that_is_ended(world, newest):
    user = a_member(world.acme, "owner").user
    browser = signed_in(user)
    row = UserSession.objects.create(user=user, ip="192.0.2.1", session_key="elsewhere", user_agent="phone")

    browser.post(f"/security/sessions/{row.pk}/end/")
    browser.post("/security/sessions/end-others/")

    ended = [(act, details["change"]) for act, _, details in newest()]
    assert ended == [
        ("people.change_way_in", "session ended"),
        ("people.change_way_in", "all other sessions ended"),
    ]


def test_a_passkey_that_is_renamed(world, newest):
    user = a_member(world.acme, "owner").user
    passkey = a_passkey(user, 77)

    signed_in(user).post(f"/security/passkeys/{passkey.pk}/rename/", {"name": "Laptop"})

    assert [(act, who, told["change"]) for act, who, told in newest()] == [
        ("people.change_way_in", user.email, "webauthn renamed")
    ]


@pytest.mark.parametrize("what", ["suspended", "without a tenant"])
def test_a_password_that_is_reset_by_who_works_in_no_tenant(world, newest, what):
    user = a_member(world.acme, "owner").user
    if what == "suspended":
        suspend_tenant(world.as_operator, tenant=world.acme, reason="unpaid")
    else:
        with every_tenant("a test ends a membership"):
            Member.objects.filter(user=user).delete()
    request = RequestFactory().post("/password/new/", REMOTE_ADDR="192.0.2.9")
    request.actor = None

    password_reset.send(sender=type(user), request=request, user=user)

    act, who, told = newest()[-1]
    assert (act, who, told["change"]) == ("people.change_way_in", user.email, "password set by a mailed link")
    with every_tenant("a test reads the record"):
        event = Event.objects.latest("pk")
    assert event.tenant_id == (world.acme.pk if what == "suspended" else world.operator.pk)
    assert event.address == "192.0.2.9"


def test_a_mailbox_users_session_that_is_ended(world, newest):
    verified_domain(world.as_acme, "acme.example")
    a_mailbox(world.as_acme, "anna@acme.example")
    client = Client()
    client.post("/mailbox/sign-in/", {"email": "anna@acme.example", "password": "correct horse battery staple"})

    client.post("/mailbox/sign-out/")

    act, who, _ = newest()[-1]
    assert (act, who) == ("mailbox_sessions.end", "anna@acme.example")


def test_an_endpoint_that_is_switched_off_by_its_answers(world, newest):
    endpoint, _ = create_endpoint(world.as_acme, url="https://hooks.acme.example/in")

    with every_tenant("a task gets an id and no actor"):
        disable(endpoint, "It answered 410 Gone.")

    assert not endpoint.is_enabled
    assert newest()[-1][:2] == ("webhooks.update", "the deliveries of webhooks")


def test_the_founding_itself(db):
    tenant = found_installation("Mailhost")

    with every_tenant("a test reads the record"):
        [event] = Event.objects.filter(tenant=Tenant.objects.get(pk=tenant.pk))
    assert (event.action, event.object, event.after["name"]) == ("tenants.found", "Mailhost", "Mailhost")
