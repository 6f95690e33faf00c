"""pending → published → active → retiring → retired."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import system_actor
from dns import dkim, key_operations, operations, tasks
from dns.models import CheckSchedule, DkimKey, DnsRecord, KeyState
from dns.record_operations import expected_of
from mailhost.background import sweep
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.scope import every_tenant
from tests.dns.keys import give_signing_key
from tests.dns.scripted_dns import ScriptedDns


@pytest.fixture
def domain(acme, verified):
    domain = verified(acme, "acme.example")
    tasks.make_key(domain.pk)
    tasks.refresh_records(domain.pk)
    return domain


@pytest.fixture
def system(acme):
    return system_actor(acme, "a test")


def states(domain) -> list[str]:
    with every_tenant("a test looks"):
        return list(DkimKey.objects.filter(domain=domain).order_by("pk").values_list("state", flat=True))


def signing(domain) -> list[str]:
    with every_tenant("a test looks"):
        return [row.selector for row in operations.signing_rows() if row.signs]


def publish(server, domain) -> None:
    with every_tenant("a test looks"):
        for row in DnsRecord.objects.filter(domain=domain):
            server.says(row.name, row.record_type, expected_of(row).rdata)


def check(domain) -> None:
    """Look at DNS, and do what follows."""
    tasks.check_records(domain.pk)
    tasks.activate_key(domain.pk)
    tasks.refresh_records(domain.pk)


def age(domain, **columns) -> None:
    with every_tenant("a test lets time pass"):
        DkimKey.objects.filter(domain=domain).update(**columns)


def test_a_new_key_signs_nothing_before_dns_shows_it(domain, dns_server):
    check(domain)

    assert states(domain) == ["pending"]
    assert signing(domain) == []


def test_it_signs_once_every_authoritative_server_shows_it(domain, dns_server):
    dns_server.has_servers("acme.example", ns1="127.0.0.1", ns2="127.0.0.2")
    publish(dns_server, domain)
    with ScriptedDns("127.0.0.2", dns_server.port) as second:
        check(domain)
        halfway = states(domain)
        publish(second, domain)
        check(domain)

    assert (halfway, states(domain)) == (["pending"], ["active"])
    assert len(signing(domain)) == 1


def test_a_server_that_does_not_answer_has_not_shown_it(domain, dns_server):
    dns_server.has_servers("acme.example", ns1="127.0.0.1", ns2="127.0.0.9")
    publish(dns_server, domain)

    check(domain)

    assert states(domain) == ["pending"]


def test_a_sight_too_old_is_looked_at_again_before_the_key_signs(domain, dns_server, system):
    publish(dns_server, domain)
    tasks.check_records(domain.pk)
    Job.objects.all().delete()

    key_operations.activate_key(system, domain=domain, now=timezone.now() + timedelta(hours=1))

    assert states(domain) == ["published"]
    assert list(Job.objects.values_list("task", flat=True)) == ["dns.tasks.check_records"]


def test_a_rotation_goes_from_key_to_key_without_a_gap(domain, dns_server, system):
    publish(dns_server, domain)
    check(domain)
    [former] = signing(domain)

    key_operations.rotate_key(system, domain=domain)
    tasks.refresh_records(domain.pk)
    check(domain)
    before = (states(domain), signing(domain))
    publish(dns_server, domain)
    check(domain)

    assert before == (["active", "pending"], [former])
    assert states(domain) == ["retiring", "active"]
    assert signing(domain) != [former]
    with every_tenant("a test looks"):
        assert DnsRecord.objects.filter(domain=domain, purpose="dkim").count() == 2


def test_a_retiring_key_is_destroyed_after_a_week_and_its_record_goes(domain, dns_server, system):
    publish(dns_server, domain)
    check(domain)
    key_operations.rotate_key(system, domain=domain)
    tasks.refresh_records(domain.pk)
    publish(dns_server, domain)
    check(domain)
    tasks.turn_keys()
    early = states(domain)
    age(domain, state_since=timezone.now() - key_operations.RETIRE_AFTER)

    tasks.turn_keys()
    tasks.refresh_records(domain.pk)

    assert (early, states(domain)) == (["retiring", "active"], ["retired", "active"])
    with every_tenant("a test looks"):
        retired = DkimKey.objects.filter(domain=domain).earliest("pk")
        assert (retired.private_key, retired.fingerprint) == ("", "")
        assert DnsRecord.objects.filter(domain=domain, purpose="dkim").count() == 1


def test_one_rotation_comes_after_the_other(domain, dns_server, system):
    with pytest.raises(Refused) as refused:
        key_operations.rotate_key(system, domain=domain)

    assert refused.value.code == "rotation_under_way"
    assert states(domain) == ["pending"]


def test_the_database_itself_holds_one_that_signs_and_one_that_waits(domain, dns_server):
    publish(dns_server, domain)
    check(domain)
    for state in (KeyState.ACTIVE, KeyState.PENDING):
        with every_tenant("a test breaks the rule"):
            if state == KeyState.PENDING:
                DkimKey.objects.create(domain=domain, selector="first", public_key="x", state=state)
            with pytest.raises(IntegrityError), transaction.atomic():
                DkimKey.objects.create(domain=domain, selector=f"second{state}", public_key="x", state=state)


def test_keys_are_rotated_after_half_a_year(domain, dns_server):
    publish(dns_server, domain)
    check(domain)
    tasks.turn_keys()
    early = states(domain)
    age(domain, state_since=timezone.now() - key_operations.ROTATE_AFTER)

    tasks.turn_keys()
    tasks.turn_keys()

    assert (early, states(domain)) == (["active"], ["active", "pending"])


def test_a_deleted_accounts_keys_rest_and_keep_nobody_elses_waiting(domain, verified, customer, dns_server):
    other = verified(customer("Bolt"), "bolt.example")
    for one in (domain, other):
        give_signing_key(one.pk)
        age(one, state=KeyState.RETIRING, state_since=timezone.now() - key_operations.RETIRE_AFTER)
    with every_tenant("a test lays its ground"):
        type(domain.tenant).objects.filter(pk=domain.tenant_id).update(deleted_at=timezone.now())

    tasks.turn_keys()

    assert (states(domain), states(other)) == (["retiring"], ["retired"])


def test_a_deleted_account_keeps_nobody_elses_records_from_being_looked_at(domain, verified, customer, dns_server):
    other = verified(customer("Bolt"), "bolt.example")
    tasks.make_key(other.pk)
    tasks.refresh_records(other.pk)
    for one in (domain, other):
        publish(dns_server, one)
    with every_tenant("a test lays its ground"):
        type(domain.tenant).objects.filter(pk=domain.tenant_id).update(deleted_at=timezone.now())
        CheckSchedule.objects.update(next_check_at=timezone.now())

    tasks.check_due_records()

    assert (states(domain), states(other)) == (["pending"], ["published"])


def test_a_domain_whose_proof_has_lapsed_rotates_nothing(domain, dns_server, system):
    give_signing_key(domain.pk)
    age(domain, state_since=timezone.now() - key_operations.ROTATE_AFTER)
    with every_tenant("a test lays its ground"):
        type(domain).objects.filter(pk=domain.pk).update(proof_lapsed_at=timezone.now())

    tasks.turn_keys()
    with pytest.raises(Refused) as refused:
        key_operations.rotate_key(system, domain=domain)

    assert states(domain) == ["active"]
    assert refused.value.code == "frozen"


def test_a_key_that_dns_has_lost_for_a_day_signs_no_more_until_it_is_back(domain, dns_server):
    publish(dns_server, domain)
    check(domain)
    with every_tenant("a test looks"):
        row = DnsRecord.objects.get(domain=domain, purpose="dkim")
    del dns_server.records[row.name, "TXT"]
    seen = []
    for _ in range(3):
        with every_tenant("a test lets time pass"):
            DnsRecord.objects.filter(pk=row.pk, misses__gt=0).update(missed_since=timezone.now() - timedelta(hours=24))
        tasks.check_records(domain.pk)
        seen.append(states(domain))
    publish(dns_server, domain)
    check(domain)

    assert seen == [["active"], ["active"], ["pending"]]
    assert states(domain) == ["active"]


def pem_of(private, form=serialization.PrivateFormat.PKCS8) -> str:
    return private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def test_a_key_made_elsewhere_comes_in_with_its_selector(domain, dns_server, system):
    give_signing_key(domain.pk)
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    key = key_operations.import_key(
        system,
        domain=domain,
        selector="s2024",
        private_pem=pem_of(private, serialization.PrivateFormat.TraditionalOpenSSL),
    )

    assert (key.selector, key.state) == ("s2024", "pending")
    dkim.check_private_key(dkim.decrypt(key.private_key), key.public_key)


@pytest.mark.parametrize(
    ("private", "words"),
    [
        (rsa.generate_private_key(public_exponent=65537, key_size=1024), "1024 bits, fewer than 2048"),  # noqa: S505
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
        ("rubbish", "does not parse"),
        ("-----BEGIN RSA PRIVATE KEY-----\n\x00\n", "does not parse"),
    ],
    ids=["1024 bits", "ed25519", "rubbish", "half a key"],
)
def test_a_key_that_cannot_sign_here_is_refused_with_its_reason(domain, system, private, words):
    give_signing_key(domain.pk)
    text = private if isinstance(private, str) else pem_of(private)

    with pytest.raises(Refused) as refused:
        key_operations.import_key(system, domain=domain, selector="s2024", private_pem=text)

    assert (refused.value.code, refused.value.field) == ("invalid_key", "private_pem")
    assert words in refused.value.message


@pytest.mark.parametrize("selector", ["", "a.b", "UPPER", "*", "-a", "a b", "a" * 41, "a\n"])
def test_a_selector_is_one_plain_label(domain, system, selector):
    with pytest.raises(Refused) as refused:
        key_operations.import_key(system, domain=domain, selector=selector, private_pem="x")

    assert refused.value.field == "selector"


def test_a_selector_leaves_room_for_the_name_of_the_domain(acme, verified, system):
    long = verified(acme, ".".join(["a" * 60] * 3 + ["b" * 20, "example"]))

    with pytest.raises(Refused) as refused:
        key_operations.import_key(system, domain=long, selector="s" * 40, private_pem="x")

    assert (refused.value.code, refused.value.field) == ("invalid_selector", "selector")


def test_a_key_given_up_leaves_room_for_the_next(domain, system):
    give_signing_key(domain.pk)
    key_operations.rotate_key(system, domain=domain)

    key_operations.abandon_key(system, domain=domain)
    key_operations.rotate_key(system, domain=domain)

    assert states(domain) == ["active", "retired", "pending"]


def test_the_only_key_is_not_given_up(domain, system):
    with pytest.raises(Refused) as refused:
        key_operations.abandon_key(system, domain=domain)

    assert refused.value.code == "only_key"


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_the_steps_leaves_a_rotation_that_goes_on(acme, verified, dns_server):
    domain = verified(acme, "acme.example")
    give_signing_key(domain.pk)
    key_operations.rotate_key(system_actor(acme, "a test"), domain=domain)
    tasks.refresh_records(domain.pk)
    publish(dns_server, domain)
    tasks.check_records(domain.pk)
    killed = states(domain)

    # Nothing was told to go on: the row of the job is still there, and the sweep finds it.
    waiting = list(
        Job.objects.filter(finished_at=None, task="dns.tasks.activate_key").values_list("arguments", flat=True)
    )
    sweep(timezone.now() + timedelta(minutes=1))
    for arguments in waiting:
        tasks.activate_key(**arguments)
        tasks.activate_key(**arguments)

    assert killed == ["active", "published"]
    assert states(domain) == ["retiring", "active"]
