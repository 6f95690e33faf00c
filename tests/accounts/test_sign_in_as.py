"""Acting as somebody below: with a reason, for half an hour, under both names, away from every way in."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.actors import actor_of_user
from accounts.impersonation_operations import sign_in_as
from accounts.models import Impersonation
from accounts.operations import create_user, remove_member
from audit.models import Event
from mailhost.errors import NotPermitted, Refused
from mailhost.scope import every_tenant
from tenants.models import Member, Role
from tests.webside import plain_static, signed_in  # noqa: F401  plain_static is a fixture
from tests.world import PASSWORD, World, actor_of, make_world

REASON = "Anna asked on the telephone"


@pytest.fixture
def world(db, plain_static) -> World:  # noqa: F811  the fixture of that name
    world = make_world()
    for tenant, name in ((world.rita, "rita"), (world.acme, "anna"), (world.bolt, "bo")):
        email = f"{name}@{tenant.name.lower()}.example"
        create_user(world.as_operator, tenant=tenant, email=email, role=Role.OWNER, password=PASSWORD)
    return world


def member(name: str) -> Member:
    with every_tenant("a test names a row"):
        return Member.objects.select_related("user", "tenant").get(user__email__startswith=f"{name}@")


def rita():
    return actor_of_user(member("rita").user)


def begin(name: str = "anna") -> Client:
    """Return Rita's browser, in which she acts as this person."""
    client = signed_in(member("rita").user)
    answer = client.post(reverse("sign-in-as", args=[member(name).uid]), {"reason": REASON})
    assert answer["Location"] == "/", answer.content
    return client


def refused(act, *arguments, **named) -> str:
    with pytest.raises(Refused) as caught:
        act(*arguments, **named)
    return caught.value.code


def test_one_sees_what_the_other_sees(world):
    page = begin().get("/").content.decode()

    assert "You act as <strong>anna@acme.example</strong> at Acme" in page
    assert "<h1>Acme</h1>" in page


def test_every_act_is_recorded_with_both_names(world):
    begin().post("/domains/add/", {"name": "shop.example"})

    with every_tenant("the test reads the record"):
        event = Event.objects.get(action="domains.create")
    assert (event.actor, event.impersonator) == ("anna@acme.example", "rita@rita.example")
    assert (event.user_id, event.impersonator_id) == (member("anna").user_id, member("rita").user_id)


def test_it_ends_by_itself_after_half_an_hour(world):
    client = begin()
    row = Impersonation._base_manager.get()
    assert row.ends_at - row.started_at < timedelta(minutes=30, seconds=1)
    Impersonation._base_manager.update(ends_at=timezone.now())

    page = client.get("/").content.decode()

    assert "Your time as somebody else is over" in page
    assert "<h1>Rita</h1>" in page


def test_it_ends_with_the_right_to_it_and_with_the_members_place(world):
    client, other = begin(), begin()
    create_user(world.as_acme, tenant=world.acme, email="ben@acme.example", role=Role.OWNER, password=PASSWORD)

    remove_member(world.as_acme, member=member("anna"))
    assert "<h1>Rita</h1>" in client.get("/").content.decode()
    Member._base_manager.filter(user__email="rita@rita.example").update(role=Role.SUPPORT)
    assert "You act as" not in other.get("/").content.decode()


@pytest.mark.parametrize(
    "name",
    [
        "mfa_index",
        "account_change_password",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_view_recovery_codes",
        "account_reauthenticate",
        "key-add",
        "member-invite",
    ],
)
def test_no_way_in_can_be_changed(world, name):
    assert begin().get(reverse(name)).status_code == 403


def test_nobody_goes_on_to_a_third(world):
    client = begin()

    assert client.get(reverse("sign-in-as", args=[member("bo").uid])).status_code in (403, 404)
    assert client.post(reverse("switch", args=[world.rita.uid])).status_code == 403


def test_a_reason_is_needed_and_the_person_is_told(world):
    assert refused(sign_in_as, rita(), member=member("anna"), reason=" ") == "reason_required"

    sign_in_as(rita(), member=member("anna"), reason=REASON)

    with every_tenant("the test reads the outbox"):
        from mailhost.models import Job

        job = Job.objects.get(task="mailhost.tasks.send_mail")
    assert job.arguments["to"] == "anna@acme.example"
    assert REASON in job.arguments["text"]
    assert mail.outbox == []


def test_the_customer_sees_the_list_and_nobody_elses(world):
    begin()

    shown = {name: signed_in(member(name).user).get("/signed-in-as/").content.decode() for name in ("anna", "bo")}

    assert REASON in shown["anna"]
    assert "rita@rita.example" in shown["anna"]
    assert REASON not in shown["bo"]


def test_only_people_of_the_accounts_below_can_be_acted_as(world):
    with pytest.raises(NotPermitted):
        sign_in_as(actor_of_user(member("bo").user), member=member("anna"), reason=REASON)
    assert refused(sign_in_as, rita(), member=member("rita"), reason=REASON) == "own_tenant"
    assert refused(sign_in_as, actor_of(world.rita), member=member("anna"), reason=REASON) == "needs_person"


def test_support_of_a_reseller_may_not(world):
    with pytest.raises(NotPermitted):
        sign_in_as(actor_of(world.rita, Role.SUPPORT), member=member("anna"), reason=REASON)


def test_it_asks_again_who_it_is(world):
    client = signed_in(member("rita").user, seconds_ago=3600)

    answer = client.get(reverse("sign-in-as", args=[member("anna").uid]))

    assert answer["Location"].startswith("/confirm/?next=")


def test_a_session_cannot_name_somebody_elses(world):
    begin()
    client = signed_in(member("bo").user)
    session = client.session
    session["impersonation"] = Impersonation._base_manager.get().uid
    session.save()

    assert "You act as" not in client.get("/").content.decode()
