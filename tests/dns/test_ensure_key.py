"""Each domain gets one signing key, whoever asks and how often."""

import threading

import pytest
from django.db import connection

from audit.models import Event
from dns import dkim, tasks
from dns.models import DkimKey, DnsRecord, KeyState, SigningGeneration
from domains.models import Domain
from mailhost.models import Job
from mailhost.scope import every_tenant


def keys_of(domain: Domain) -> list[DkimKey]:
    with every_tenant("a test looks"):
        return list(DkimKey.objects.filter(domain=domain))


def test_a_domain_gets_a_key_of_2048_bits_that_waits_for_its_record(acme, verified):
    domain = verified(acme, "acme.example")

    tasks.make_key(domain.pk)

    [key] = keys_of(domain)
    pem = dkim.decrypt(key.private_key)
    dkim.check_private_key(pem, key.public_key)
    assert key.state == KeyState.PENDING
    assert key.algorithm == "rsa-2048"
    assert key.fingerprint == dkim.fingerprint(pem)
    assert dkim.SELECTOR.fullmatch(key.selector)


def test_the_private_part_is_stored_encrypted_only(acme, verified):
    domain = verified(acme, "acme.example")

    tasks.make_key(domain.pk)

    [key] = keys_of(domain)
    middle = dkim.decrypt(key.private_key).decode().splitlines()[12]
    with every_tenant("a test looks"):
        stored = [str(row) for model in (DkimKey, Event, Job, DnsRecord) for row in model.objects.values()]
    assert len(stored) >= 3
    assert not [row for row in stored if middle in row or "PRIVATE" in row]


def test_asking_again_keeps_the_key(acme, verified):
    domain = verified(acme, "acme.example")
    tasks.make_key(domain.pk)
    before = keys_of(domain)

    tasks.make_key(domain.pk)

    assert keys_of(domain) == before


def test_a_new_key_asks_for_its_record_and_not_yet_for_the_tables(acme, verified):
    domain = verified(acme, "acme.example")

    tasks.make_key(domain.pk)

    asked = list(Job.objects.order_by("pk").values_list("task", "arguments", "queue"))
    assert asked == [
        ("dns.tasks.refresh_records", {"domain_id": domain.pk}, "default"),
    ]
    assert not SigningGeneration.objects.exists()


def test_a_deleted_domain_gets_no_key(acme, verified):
    domain = verified(acme, "acme.example", deleted_at="2026-11-01T00:00:00Z")

    tasks.make_key(domain.pk)

    assert keys_of(domain) == []


def test_the_former_owners_key_is_not_the_next_ones(acme, customer, verified):
    former = verified(acme, "acme.example", deleted_at="2026-11-01T00:00:00Z")
    with every_tenant("a test lays its ground"):
        DkimKey.objects.create(domain=former, selector="mh202610aaaaaaaaaa", public_key="x", private_key="x")
    heir = verified(customer("Bolt"), "acme.example")

    tasks.make_key(heir.pk)

    [key] = keys_of(heir)
    assert key.selector != "mh202610aaaaaaaaaa"


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_make_one_key(acme, verified):
    domain = verified(acme, "acme.example")
    together = threading.Barrier(8)
    failures = []

    def work():
        try:
            together.wait()
            tasks.make_key(domain.pk)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert len(keys_of(domain)) == 1
