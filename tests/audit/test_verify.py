"""A record that was changed, removed or moved is found, however it was done."""

import json
import threading
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import OperationalError, ProgrammingError, connection
from django.db.utils import DatabaseError

from audit.chain import START, digest, hash_after
from audit.models import Chain, Event
from audit.verify import Fault, Head, verify
from domains.operations import create_domain
from mailhost.scope import every_tenant
from tests.world import make_world

EVENTS = 6


@pytest.fixture
def chained(world):
    """Acme with a chain of some events, one of which made Acme."""
    for number in range(EVENTS - 1):
        create_domain(world.as_acme, name=f"acme-{number}.example")
    return world.acme


def execute(sql: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def faults(tenant, known=None) -> list[tuple[int, Fault]]:
    _, findings = verify(known)
    assert {finding.tenant_id for finding in findings} <= {tenant.pk}
    return [(finding.sequence, finding.fault) for finding in findings]


def rows(tenant) -> list[Event]:
    with every_tenant("a test reads the record"):
        return list(Event.objects.filter(tenant=tenant).order_by("sequence"))


def test_a_whole_record_has_no_fault(chained):
    heads, findings = verify()

    assert findings == []
    assert heads[chained.pk] == Head(EVENTS, rows(chained)[-1].hash)


def test_each_hash_follows_from_the_event_and_the_hash_before(chained):
    previous = START
    for number, event in enumerate(rows(chained), 1):
        assert (event.sequence, event.previous) == (number, previous)
        assert event.hash == hash_after(previous, digest(event))
        previous = event.hash


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "somebody@else.example"),
        ("action", "domains.delete"),
        ("object", "other.example"),
        ("created_at", "2020-01-01 00:00:00"),
        ("address", "192.0.2.1"),
        ("user_id", 7),
        ("impersonator", "nobody"),
        ("request_id", "req_other"),
        ("after", '{"is_enabled": false}'),
        ("details", "{}"),
        ("actor_tenant_id", 1),
        ("object_uid", "0" * 20),
        ("uid", "0" * 20),
    ],
)
def test_a_changed_event_is_found(chained, column, value):
    statement = f"UPDATE audit_event SET {column} = %s WHERE tenant_id = %s AND sequence = 3"  # noqa: S608 - ours
    execute(statement, value, chained.pk)

    assert faults(chained) == [(3, Fault.CHANGED)]


def test_every_column_is_part_of_the_hash():
    tried = {"actor", "action", "object", "created_at", "address", "user_id", "impersonator", "request_id", "after"}
    tried |= {"details", "actor_tenant_id", "object_uid", "uid"}
    alike = {"key_id", "impersonator_id", "object_type", "actor_kind", "before", "tenant_id"}

    columns = {field.attname for field in Event._meta.concrete_fields}

    assert columns == tried | alike | {"id", "sequence", "previous", "hash"}


@pytest.mark.parametrize(("gone", "found"), [([1], [1]), ([3], [3]), ([3, 4], [3]), ([6], [6]), ([5, 6], [5])])
def test_a_missing_event_is_found_the_last_ones_too(chained, gone, found):
    execute("DELETE FROM audit_event WHERE tenant_id = %s AND sequence IN %s", chained.pk, tuple(gone))

    assert faults(chained) == [(number, Fault.MISSING) for number in found]


def test_a_chain_that_was_emptied_is_found(chained):
    execute("DELETE FROM audit_event WHERE tenant_id = %s", chained.pk)

    assert faults(chained) == [(1, Fault.MISSING)]


def test_a_missing_event_is_found_although_the_others_were_numbered_anew(chained):
    execute("DELETE FROM audit_event WHERE tenant_id = %s AND sequence = 3", chained.pk)
    execute("UPDATE audit_event SET sequence = sequence - 1 WHERE tenant_id = %s AND sequence > 3", chained.pk)
    execute("UPDATE audit_chain SET length = length - 1 WHERE tenant_id = %s", chained.pk)

    assert faults(chained) == [(3, Fault.MISPLACED)]


def test_swapped_events_are_found(chained):
    for number, other in ((2, 99), (4, 2), (99, 4)):
        execute(
            "UPDATE audit_event SET sequence = %s WHERE tenant_id = %s AND sequence = %s", other, chained.pk, number
        )

    assert {number for number, fault in faults(chained) if fault == Fault.MISPLACED} >= {2, 4}


def test_an_event_of_another_tenant_is_found(chained, world):
    execute("UPDATE audit_event SET tenant_id = %s WHERE tenant_id = %s AND sequence = 6", world.bolt.pk, chained.pk)

    _, findings = verify()

    assert {(one.tenant_id, one.fault) for one in findings} >= {
        (chained.pk, Fault.MISSING),
        (world.bolt.pk, Fault.CHANGED),
    }


def test_an_event_written_past_the_chain_is_found(chained):
    execute("UPDATE audit_chain SET length = length - 1, hash = %s WHERE tenant_id = %s", "f" * 64, chained.pk)

    assert (EVENTS, Fault.MISPLACED) in faults(chained)


def test_a_forged_event_is_found_by_the_one_after_it(chained):
    event = rows(chained)[2]
    event.actor = "somebody@else.example"
    forged = hash_after(event.previous, digest(event))
    execute("UPDATE audit_event SET actor = %s, hash = %s WHERE id = %s", event.actor, forged, event.pk)

    assert faults(chained) == [(4, Fault.MISPLACED)]


def test_a_chain_written_anew_as_a_whole_is_found_by_an_earlier_head(chained):
    heads, _ = verify()
    previous = START
    for event in rows(chained):
        event.actor = "nobody"
        mark = hash_after(previous, digest(event))
        execute("UPDATE audit_event SET actor='nobody', previous=%s, hash=%s WHERE id=%s", previous, mark, event.pk)
        previous = mark
    execute("UPDATE audit_chain SET hash = %s WHERE tenant_id = %s", previous, chained.pk)

    assert faults(chained) == []
    assert faults(chained, heads) == [(EVENTS, Fault.CHANGED)]


def test_a_chain_cut_together_with_its_head_is_found_by_an_earlier_head(chained):
    heads, _ = verify()
    execute("DELETE FROM audit_event WHERE tenant_id = %s AND sequence > 3", chained.pk)
    execute("UPDATE audit_chain SET length = 3, hash = %s WHERE tenant_id = %s", rows(chained)[-1].hash, chained.pk)

    assert faults(chained) == []
    assert faults(chained, heads) == [(EVENTS, Fault.CHANGED)]


def test_a_chain_that_has_grown_still_holds_an_earlier_head(chained, world):
    heads, _ = verify()
    create_domain(world.as_acme, name="later.example")

    assert faults(chained, heads) == []


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_moment_make_one_chain():
    world = make_world()
    writers, each = 8, 10

    def write(writer: int) -> None:
        try:
            for number in range(each):
                create_domain(world.as_acme, name=f"w{writer}-{number}.example")
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[writer]) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert verify()[1] == []
    sequences = [event.sequence for event in rows(world.acme)]
    assert sequences == list(range(1, 1 + writers * each + 1))
    # Whoever sorts by id sorts by the chain.
    assert [event.pk for event in rows(world.acme)] == sorted(event.pk for event in rows(world.acme))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor = 'nobody' ORDER BY id LIMIT 1",
        "DELETE FROM audit_event ORDER BY id LIMIT 1",
        "UPDATE audit_chain SET hash = 'x' LIMIT 1",
        "UPDATE audit_chain SET length = length - 1 LIMIT 1",
        "DELETE FROM audit_chain LIMIT 1",
    ],
)
def test_the_database_refuses_to_change_the_record(live, statement):
    world = make_world()
    create_domain(world.as_acme, name="append-only.example")

    with pytest.raises(DatabaseError) as refused:
        execute(statement)

    assert refused.value.args[0] == 1644
    assert isinstance(refused.value, (OperationalError, ProgrammingError))


def test_the_command_says_that_all_is_well(chained):
    output = StringIO()

    call_command("audit", "verify", json=True, stdout=output)

    answer = json.loads(output.getvalue())
    assert answer["findings"] == []
    assert answer["heads"][f"ten_{chained.uid}"] == {"length": EVENTS, "hash": rows(chained)[-1].hash}


def test_the_command_ends_with_4_and_names_what_is_wrong(chained, capsys):
    execute("UPDATE audit_event SET actor = 'x' WHERE tenant_id = %s AND sequence = 3", chained.pk)

    with pytest.raises(SystemExit) as ended:
        call_command("audit", "verify")

    assert ended.value.code == 4
    assert "Acme, event 3: changed. It does not say what it said when it was written." in capsys.readouterr().out


def test_the_command_compares_with_heads_that_were_kept(chained, tmp_path):
    output = StringIO()
    call_command("audit", "verify", json=True, stdout=output)
    kept = tmp_path / "heads.json"
    kept.write_text(output.getvalue())
    call_command("audit", "verify", against=kept, stdout=StringIO())
    execute("DELETE FROM audit_event WHERE tenant_id = %s AND sequence > 3", chained.pk)
    execute("UPDATE audit_chain SET length = 3, hash = %s WHERE tenant_id = %s", rows(chained)[-1].hash, chained.pk)

    with pytest.raises(SystemExit):
        call_command("audit", "verify", against=kept, stdout=StringIO())


def test_chains_of_tenants_are_apart(chained, world):
    with every_tenant("a test reads the record"):
        ends = {chain.tenant_id: chain.length for chain in Chain.objects.all()}

    assert ends[world.acme.pk] == EVENTS
    assert ends[world.bolt.pk] == 1
