"""Many mailboxes suspended, resumed, resized, deleted and restored as one act."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from mailboxes.batch_operations import (
    delete_mailboxes,
    restore_mailboxes,
    resume_mailboxes,
    set_quotas,
    suspend_mailboxes,
)
from mailboxes.fullness import note_fullness
from mailboxes.models import Mailbox, QuotaUsage
from mailboxes.operations import delete_mailbox, suspend_mailbox
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.scope import every_tenant, tenant_scope
from tenants.models import Allowance
from tests.world import a_mailbox, an_alias, fresh, routes, verified_domain

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(world) -> list[Mailbox]:
    """Anna, Ben and Carla of Acme."""
    verified_domain(world.as_acme, "acme.example")
    return [a_mailbox(world.as_acme, f"{name}@acme.example") for name in ("anna", "ben", "carla")]


def used(world) -> tuple[int, int, int]:
    with every_tenant("a test reads the book"):
        page = Allowance.objects.get(pk=world.acme.pk)
    return page.used_mailboxes, page.used_storage_mb, page.used_aliases


def states(people: list[Mailbox]) -> list[bool]:
    return [fresh(row).is_active for row in people]


def test_those_that_are_open_are_suspended_and_their_sessions_end(world, people):
    suspend_mailbox(world.as_acme, mailbox=people[0])

    changed = suspend_mailboxes(world.as_acme, mailboxes=people)

    assert [row.email for row in changed] == ["ben@acme.example", "carla@acme.example"]
    assert states(people) == [False, False, False]
    job = Job.objects.get(task="mailboxes.tasks.end_sessions_of_mailboxes")
    assert job.arguments == {"mailbox_ids": [row.pk for row in changed]}


def test_suspending_what_is_suspended_is_refused(world, people):
    suspend_mailboxes(world.as_acme, mailboxes=people)

    with pytest.raises(Refused) as refusal:
        suspend_mailboxes(world.as_acme, mailboxes=people)

    assert refusal.value.code == "unchanged"


def test_resuming_opens_alias_domains_too(world, people):
    with tenant_scope(world.acme.path):
        main = people[0].domain
    verified_domain(world.as_acme, "acme2.example", main)
    suspend_mailboxes(world.as_acme, mailboxes=people)

    resume_mailboxes(world.as_acme, mailboxes=people)

    assert states(people) == [True, True, True]
    assert routes("ben@acme2.example") == ["ben@acme.example"]


def test_a_size_for_all_is_taken_from_the_limit(world, people):
    changed = set_quotas(world.as_acme, mailboxes=people, storage_quota_mb=250)

    assert [row.storage_quota for row in changed] == [250, 250, 250]
    assert used(world) == (3, 750, 0)


def test_a_size_beyond_the_limit_changes_nothing(world, people):
    with every_tenant("a test sets a limit"):
        Allowance.objects.filter(pk=world.acme.pk).update(storage_mb=500)

    with pytest.raises(Refused) as refusal:
        set_quotas(world.as_acme, mailboxes=people, storage_quota_mb=250)

    assert refusal.value.code == "limit_reached"
    assert [fresh(row).storage_quota for row in people] == [100, 100, 100]


def test_deleted_ones_are_gone_with_their_forwards_and_come_back(world, people):
    an_alias(world.as_acme, "anna@acme.example", "else@partner.example")
    an_alias(world.as_acme, "info@acme.example", "ben@acme.example")
    QuotaUsage.objects.create(username="anna@acme.example", bytes=5)

    deleted = delete_mailboxes(world.as_acme, mailboxes=people)

    assert len(deleted) == 3
    assert used(world) == (0, 0, 1)
    assert [routes(f"{name}@acme.example") for name in ("anna", "info")] == [[], []]
    assert not QuotaUsage.objects.exists()

    restored = restore_mailboxes(world.as_acme, mailboxes=[fresh(row) for row in people])

    assert [row.email for row in restored] == [row.email for row in people]
    assert used(world) == (3, 300, 1)
    assert routes("info@acme.example") == ["ben@acme.example"]
    assert states(people) == [True, True, True]


def test_what_was_given_to_somebody_else_stays_in_the_bin(world, people):
    delete_mailboxes(world.as_acme, mailboxes=people)
    a_mailbox(world.as_acme, "ben@acme.example")

    restored = restore_mailboxes(world.as_acme, mailboxes=[fresh(row) for row in people])

    assert [row.email for row in restored] == ["anna@acme.example", "carla@acme.example"]
    assert fresh(people[1]).deleted_at is not None


def test_of_two_former_owners_the_later_comes_back(world, people):
    delete_mailbox(world.as_acme, mailbox=people[0])
    second = a_mailbox(world.as_acme, "anna@acme.example")
    delete_mailbox(world.as_acme, mailbox=second)

    restored = restore_mailboxes(world.as_acme, mailboxes=[fresh(people[0]), fresh(second)])

    assert [row.pk for row in restored] == [second.pk]


@pytest.mark.parametrize("act", [suspend_mailboxes, delete_mailboxes])
def test_a_strangers_mailboxes_are_as_absent_as_none(world, people, act):
    with pytest.raises(Refused) as refusal:
        act(world.as_bolt, mailboxes=people)

    assert refusal.value.code == "unchanged"
    assert states(people) == [True, True, True]


def test_more_than_a_thousand_are_refused(world, people):
    with pytest.raises(Refused) as refusal:
        delete_mailboxes(world.as_acme, mailboxes=people * 334)

    assert refusal.value.code == "too_many_items"


def test_one_act_is_one_event_that_says_what_changed_of_each(world, people):
    suspend_mailboxes(world.as_acme, mailboxes=people)

    with every_tenant("a test reads the record"):
        event = Event.objects.latest("pk")
    assert (event.action, event.details) == ("mailboxes.suspend", {"mailboxes": [row.email for row in people]})
    assert event.after == [{"is_enabled": False}] * 3


@pytest.mark.parametrize("act", [suspend_mailboxes, delete_mailboxes])
def test_thirty_cost_as_many_statements_as_three(world, people, act):
    more = [a_mailbox(world.as_acme, f"person-{number}@acme.example") for number in range(30)]
    counts = []

    for rows in (people, more):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            act(world.as_acme, mailboxes=rows)
        counts.append(len(asked))

    assert counts[0] == counts[1]


def test_how_full_a_mailbox_is_gets_noted_once(world, people):
    QuotaUsage.objects.create(username="anna@acme.example", bytes=96 * 1024 * 1024)
    QuotaUsage.objects.create(username="ben@acme.example", bytes=5_000 * 1024 * 1024)

    assert note_fullness() == 2
    assert [fresh(row).used_percent for row in people] == [96, 999, 0]
    assert note_fullness() == 0

    QuotaUsage.objects.filter(username="ben@acme.example").delete()
    assert note_fullness() == 1
    assert fresh(people[1]).used_percent == 0
