"""Every change makes one event: who, what, before and after, from where."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.actors import system_actor
from accounts.operations import create_api_key, create_user, remove_member, revoke_api_key
from audit.models import ActorKind, Event
from domains.models import Domain
from domains.operations import create_domain, delete_domain, set_domain_enabled
from mailboxes.alias_operations import delete_alias
from mailboxes.models import Mailbox
from mailboxes.operations import change_password, suspend_mailbox, update_mailbox
from mailhost.actor import Actor
from mailhost.errors import NotPermitted, Refused
from mailhost.operation import operation
from mailhost.recorded import MASK
from mailhost.request_id import carrying
from mailhost.scope import every_tenant, tenant_scope
from tenants.models import Role, Tenant
from tenants.operations import suspend_tenant
from tests.world import PASSWORD, a_mailbox, actor_of, an_alias, verified_domain

pytestmark = pytest.mark.django_db


def last() -> Event:
    with every_tenant("a test reads the record"):
        return Event.objects.latest("pk")


def count() -> int:
    with every_tenant("a test reads the record"):
        return Event.objects.count()


def test_a_thing_made_is_recorded_with_all_that_it_is(world):
    domain = create_domain(world.as_acme, name="acme.example")

    event = last()
    assert (event.action, event.actor, event.object) == ("domains.create", "owner@acme.example", "acme.example")
    assert (event.object_type, event.object_uid, event.tenant_id) == ("domain", domain.uid, world.acme.pk)
    assert event.before is None
    assert event.after["domain_name"] == "acme.example"
    assert event.after["is_enabled"] is True
    assert event.details == {"name": "acme.example"}


def test_a_thing_changed_is_recorded_before_and_after(world):
    verified_domain(world.as_acme, "acme.example")
    mailbox = a_mailbox(world.as_acme, "anna@acme.example", storage_quota_mb=100)

    update_mailbox(world.as_acme, mailbox=mailbox, storage_quota_mb=200, display_name="Anna")

    assert last().before == {"display_name": "", "storage_quota": 100}
    assert last().after == {"display_name": "Anna", "storage_quota": 200}


def test_before_is_what_the_change_found_not_what_its_caller_had_read(world):
    domain = verified_domain(world.as_acme, "acme.example")
    mailbox = a_mailbox(world.as_acme, "anna@acme.example", storage_quota_mb=100)
    with tenant_scope(world.acme.path):
        stale = Mailbox.objects.get(pk=mailbox.pk)
    update_mailbox(world.as_acme, mailbox=mailbox, storage_quota_mb=200)

    update_mailbox(world.as_acme, mailbox=stale, storage_quota_mb=300)

    assert (last().before, last().after) == ({"storage_quota": 200}, {"storage_quota": 300})
    assert domain.pk == mailbox.domain_id


def test_what_follows_from_a_switch_is_left_out(world):
    domain = verified_domain(world.as_acme, "acme.example")

    set_domain_enabled(world.as_acme, domain=domain, enabled=False)

    assert (last().before, last().after) == ({"is_enabled": True}, {"is_enabled": False})


@pytest.mark.parametrize("what", ["alias", "member"])
def test_a_thing_removed_is_recorded_with_all_that_it_was(world, what):
    verified_domain(world.as_acme, "acme.example")
    if what == "alias":
        a_mailbox(world.as_acme, "anna@acme.example")
        with tenant_scope(world.acme.path):
            alias = an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")[0]
            alias = type(alias).objects.get(pk=alias.pk)
        delete_alias(world.as_acme, alias=alias)
        kept = {"alias_email": "sales@acme.example", "destination_email": "anna@acme.example"}
    else:
        member = create_user(
            world.as_acme, tenant=world.acme, email="anna@acme.example", role=Role.SUPPORT, password=PASSWORD
        )
        remove_member(world.as_acme, member=member)
        kept = {"role": "support"}

    event = last()
    assert event.after is None
    assert event.before.items() >= kept.items()


def test_a_soft_deletion_says_when(world):
    domain = verified_domain(world.as_acme, "acme.example")

    delete_domain(world.as_acme, domain=domain)

    assert last().before == {"deleted_at": None}
    assert last().after["deleted_at"]


def test_several_things_made_at_once_stand_in_one_event(world):
    verified_domain(world.as_acme, "acme.example")
    before = count()

    an_alias(world.as_acme, "sales@acme.example", "x@partner.example", "y@partner.example")

    assert count() == before + 1
    assert [row["destination_email"] for row in last().after] == ["x@partner.example", "y@partner.example"]


def test_secrets_are_named_and_never_shown(world):
    verified_domain(world.as_acme, "acme.example")
    mailbox = a_mailbox(world.as_acme, "anna@acme.example")
    change_password(world.as_acme, mailbox=mailbox, password=PASSWORD)
    changed = last()
    key, text = create_api_key(world.as_acme, name="Shop", scopes=["domains:read"])
    made = last()

    assert (changed.before, changed.after) == ({"password_hash": MASK}, {"password_hash": MASK})
    assert changed.details == {"mailbox": "anna@acme.example"}
    assert made.after["digest"] == MASK
    with every_tenant("a test reads the record"):
        everything = str(list(Event.objects.values()))
    assert mailbox.password_hash not in everything
    assert key.digest not in everything
    assert text.rpartition("_")[2] not in everything
    assert PASSWORD not in everything


def test_an_argument_with_a_secrets_name_must_be_declared_as_one():
    with pytest.raises(TypeError, match="new_password"):

        @operation("tests.forget")
        def forget(actor: Actor, *, new_password: str) -> None: ...


def test_the_event_belongs_to_whom_the_thing_belongs(world):
    domain = verified_domain(world.as_acme, "acme.example")

    set_domain_enabled(world.as_rita, domain=domain, enabled=False)

    assert (last().tenant_id, last().actor_tenant_id) == (world.acme.pk, world.rita.pk)


@pytest.mark.parametrize(
    ("who", "kind"),
    [({"user_id": 7}, ActorKind.USER), ({"key_id": 7}, ActorKind.KEY), ({}, ActorKind.TASK)],
)
def test_the_event_says_what_kind_of_actor_it_was_and_from_where(world, who, kind):
    actor = Actor(
        tenant_id=world.acme.pk,
        tenant_path=world.acme.path,
        permissions=world.as_acme.permissions,
        label="Anna",
        address="2001:db8::7",
        impersonator="otto@mailhost.example",
        impersonator_id=9,
        **who,
    )

    with carrying("req_0123456789"):
        create_domain(actor, name="acme.example")

    event = last()
    assert (event.actor_kind, event.actor, event.address) == (kind, "Anna", "2001:db8::7")
    assert (event.impersonator, event.impersonator_id) == ("otto@mailhost.example", 9)
    assert event.request_id == "req_0123456789"


def test_tasks_and_commands_are_recorded_by_their_name(world):
    create_domain(system_actor(world.acme, "nightly import"), name="acme.example")

    assert (last().actor_kind, last().actor) == (ActorKind.TASK, "nightly import")


def test_what_was_refused_or_rolled_back_is_not_recorded(world):
    before = count()

    with pytest.raises(Refused):
        create_domain(world.as_acme, name="not a domain")
    with pytest.raises(NotPermitted):
        create_domain(actor_of(world.acme, Role.READ_ONLY), name="acme.example")
    with transaction.atomic():
        create_domain(world.as_acme, name="acme.example")
        transaction.set_rollback(True)

    assert count() == before


def test_the_record_costs_one_way_to_the_database(world):
    domain = verified_domain(world.as_acme, "acme.example")
    mailbox = a_mailbox(world.as_acme, "anna@acme.example")
    key, _ = create_api_key(world.as_acme, name="Shop", scopes=["domains:read"])

    for act in (
        lambda: create_domain(world.as_acme, name="acme-shop.example"),
        lambda: suspend_mailbox(world.as_acme, mailbox=mailbox),
        lambda: an_alias(world.as_acme, "sales@acme.example", "anna@acme.example"),
        lambda: set_domain_enabled(world.as_acme, domain=domain, enabled=False),
        lambda: revoke_api_key(world.as_acme, key=key),
        lambda: suspend_tenant(world.as_rita, tenant=world.acme, reason="unpaid"),
    ):
        with CaptureQueriesContext(connection) as asked:
            act()

        asked = [query["sql"] for query in asked.captured_queries if "SAVEPOINT" not in query["sql"]]
        # The last of all, so that the chain is locked for as short a time as can be.
        assert ["audit_chain" in sql for sql in asked] == [False] * (len(asked) - 1) + [True]


def test_names_of_any_alphabet_are_recorded_as_they_are(world):
    name = "Ünïcödé 😀 שלום " + "x" * 60

    create_api_key(world.as_acme, name=name, scopes=["domains:read"])

    assert last().details["name"] == name
    assert last().after["name"] == name


def test_rows_of_the_installation_are_recorded_for_who_acted(world):
    with every_tenant("a test counts"):
        tenants = Tenant.objects.count()

    create_user(world.as_acme, tenant=world.acme, email="anna@acme.example", role=Role.SUPPORT, password=PASSWORD)

    assert last().tenant_id == world.acme.pk
    with every_tenant("a test counts"):
        assert Tenant.objects.count() == tenants
        assert Domain.objects.count() == 0
