"""Publishing that is killed, fails on the way, takes too long, or is asked for too often."""

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.actors import system_actor
from dns import intents, tasks
from dns.models import DnsRecord, Publication, PublishingIntent, WrittenRecord
from dns.nsupdate import TOTAL_SECONDS, NameServer
from dns.publishing_operations import preview, publish_records, undo_publication
from dns.zone_writing import Bound, NotPublished
from mailhost.errors import Refused
from mailhost.failpoints import VARIABLE
from mailhost.scope import every_tenant, tenant_scope
from tests.world import actor_of

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 30


PUBLISH = """
from accounts.actors import system_actor
from dns import publishing_operations, tasks
domain = tasks.live_domain({pk})
publishing_operations.publish_records(system_actor(domain.tenant, "a test"), domain=domain)
"""


def killed_at(point: str, domain, folder: Path) -> None:
    """Publish in a process that is killed at this point."""
    (folder / point).touch()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-c", PUBLISH.format(pk=domain.pk)],
        cwd=ROOT,
        env={**os.environ, VARIABLE: str(folder), "DJANGO_SETTINGS_MODULE": "mailhost.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + PATIENCE_SECONDS
    while not (folder / f"{point}.reached").exists() and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert (folder / f"{point}.reached").exists()


def ledger(domain) -> int:
    with every_tenant("a test counts"):
        return WrittenRecord.objects.filter(domain=domain).count()


def planned(actor, domain):
    with tenant_scope(actor.tenant_path):
        return preview(actor, domain)


def release(domain) -> None:
    """Let the time pass in which whoever was killed might still be at work."""
    PublishingIntent.objects.filter(domain_pk=domain.pk).update(begun_at=timezone.now() - intents.HELD_FOR * 2)


def test_what_a_killed_act_had_written_is_ours_and_can_be_taken_back(connected_live, tmp_path):
    actor, domain = connected_live
    wanted = planned(actor, domain)
    killed_at("publishing.written", domain, tmp_path)

    assert planned(actor, domain) == []
    assert ledger(domain) == 0
    with pytest.raises(Refused) as refused:
        undo_publication(actor, domain=domain)
    assert refused.value.code == "under_way"
    release(domain)
    tasks.settle_publications()

    with every_tenant("a test looks"):
        [publication] = Publication.objects.filter(domain=domain)
    assert [change["name"] for change in publication.changes] == [change.name for change in wanted]
    assert ledger(domain) == sum(len(change.added) for change in wanted) - 1  # the SPF record is nobody's alone
    assert not PublishingIntent.objects.filter(domain_pk=domain.pk).exists()

    undo_publication(actor, domain=domain)

    assert [change.added for change in planned(actor, domain)] == [change.added for change in wanted]
    assert ledger(domain) == 0


def test_the_next_act_goes_on_where_one_was_killed_before_it_wrote(connected_live, tmp_path):
    actor, domain = connected_live
    wanted = planned(actor, domain)
    killed_at("publishing.intended", domain, tmp_path)
    release(domain)

    publication = publish_records(actor, domain=domain)

    assert len(publication.changes) == len(wanted)
    assert planned(actor, domain) == []
    assert not PublishingIntent.objects.filter(domain_pk=domain.pk).exists()
    with every_tenant("a test counts"):
        assert Publication.objects.filter(domain=domain).count() == 1


@pytest.mark.parametrize("step", ["_keep_ledger", "_look_soon"])
def test_a_transaction_that_fails_after_the_name_server_is_taken_up_by_the_next(connected_live, monkeypatch, step):
    actor, domain = connected_live
    monkeypatch.setattr(f"dns.publishing_operations.{step}", raising(RuntimeError("the database went away")))
    with pytest.raises(RuntimeError):
        publish_records(actor, domain=domain)
    monkeypatch.undo()

    publication = publish_records(actor, domain=domain)

    assert publication.changes
    assert ledger(domain) > 0


def raising(error: Exception):
    def act(*_arguments, **_named):
        raise error

    return act


@contextmanager
def dripping_server(seconds_between: float):
    """A server that takes every connection and sends a byte of its answer now and then."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    def drip(connection: socket.socket) -> None:
        with connection:
            try:
                for octet in b"\x01\x00" + b"\0" * 256:
                    connection.sendall(bytes([octet]))
                    time.sleep(seconds_between)
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def test_a_name_server_that_drips_costs_as_long_as_the_bound(settings):
    settings.MAILHOST_DNS_NETWORKS = ["127.0.0.0/8"]
    places = {(f"a{number}.acme.example", "TXT") for number in range(20)}
    with dripping_server(0.05) as port:
        server = NameServer("127.0.0.1", port, "example", "mailhost", "hmac-sha256", "c2VjcmV0", Bound(0.6))

        began = time.monotonic()
        with pytest.raises(NotPublished):
            server.read(places)

    assert time.monotonic() - began < 4
    assert TOTAL_SECONDS <= 5


def test_a_tenants_people_share_what_they_may_ask_of_strangers_servers(connected_live, monkeypatch):
    _, domain = connected_live
    person = replace(actor_of(domain.tenant), user_id=1)
    monkeypatch.setattr("dns.remembered.MOST_ACTS_A_MINUTE", 2)
    cache.delete(f"dns:count:zone:{domain.tenant_id}")
    planned(person, domain)
    planned(person, domain)

    for act in (planned, lambda actor, domain: publish_records(actor, domain=domain)):
        with pytest.raises(Refused) as refused:
            act(person, domain)
        assert refused.value.code == "too_many_lookups"
    # What we do by the clock is not theirs.
    planned(system_actor(domain.tenant, "a test"), domain)
    with every_tenant("a test looks"):
        assert DnsRecord.objects.filter(domain=domain).exists()


def test_an_intent_is_committed_whatever_becomes_of_the_transaction_around_it(connected_live):
    _, domain = connected_live
    now = timezone.now()

    def interrupted() -> None:
        with intents.intended(domain.pk, "example", [], now):
            assert intents.is_under_way(domain.pk, now)
            assert not intents.left_over(now, domain.pk)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert not intents.is_under_way(domain.pk, now)
    [left] = intents.left_over(now, domain.pk)
    assert left.begun_at - now < timedelta(seconds=1)
    tasks.settle_publications()
    assert not intents.left_over(now, domain.pk)
