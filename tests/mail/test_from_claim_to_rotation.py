"""A domain's whole way: claimed, published by its own name server's updates, proven, signed, rotated under load."""

import secrets
import smtplib
import threading

from dns.key_operations import delegate_keys, rotate_key
from dns.models import DkimKey, DnsRecord
from dns.record_operations import check_records
from domains.models import Domain
from domains.operations import create_domain
from mailboxes.operations import create_mailbox
from mailhost.scope import every_tenant
from stack.proof import verify
from stack.publish import Published, publish
from tests.mail.client import written
from tests.mail.conftest import PASSWORD, PATIENCE_SECONDS, until, until_signing
from tests.mail.test_verified_by_others import asked_of_testkey
from tests.mail.verifying import as_sent, assert_verifies, key_name
from tests.world import connect_to_server


def signing_selector(domain: Domain) -> str:
    with every_tenant("a test looks"):
        key = DkimKey.objects.signing().filter(domain=domain).first()
        return key.selector if key else ""


def is_all_right(domain: Domain) -> bool:
    with every_tenant("a test looks"):
        statuses = set(DnsRecord.objects.filter(domain=domain).values_list("status", "purpose"))
    return ("ok", "dkim") in statuses and {status for status, _ in statuses} == {"ok"}


def test_from_a_claim_to_a_rotation_under_load(post, acme, bolt):
    bob = bolt.login("bob")
    domain = create_domain(acme.actor, name=f"whole-{secrets.token_hex(4)}.example")
    connect_to_server(acme.actor, domain, post.stack.info["dns"])

    # Nothing more is done by hand: the worker publishes, looks, verifies, makes the key, and lets it sign.
    _hurry(domain)
    until(lambda: signing_selector(domain), "the first signature's key")
    until(lambda: is_all_right(domain), "every record's turning green")
    # DNS shows the key a moment before the signer has it; until then mail is put off.
    until_signing(domain, PATIENCE_SECONDS)
    former = signing_selector(domain)
    anna = create_mailbox(acme.actor, address=f"anna@{domain.domain_name}", password=PASSWORD, storage_quota_mb=10)
    login = (anna.email, PASSWORD)
    arrived = post.arrived(login, post.deliver(anna.email))
    sent, refused, stop = [], [], threading.Event()

    def flow() -> None:
        while not (stop.is_set() or refused):
            try:
                sent.append(post.submit(login, written(anna.email, bob[0])))
            except (smtplib.SMTPException, OSError) as answer:
                refused.append(answer)

    def flows(more: int) -> bool:
        assert not refused, refused
        return len(sent) > more

    sender = threading.Thread(target=flow)
    sender.start()
    try:
        until(lambda: flows(3), "mail's flowing")
        rotate_key(acme.actor, domain=domain)
        until(lambda: signing_selector(domain) not in {"", former}, "the rotation")
        flowing = len(sent)
        until(lambda: flows(flowing + 5), "mail's flowing on")
    finally:
        stop.set()
        sender.join()
    post.arrived(bob, sent[-1], seconds=60)
    # Each of them was verified when it was read.
    signatures = ["".join(message["DKIM-Signature"].split()) for message in post.inbox(bob)]

    assert arrived["Subject"] == "A test"
    assert len(signatures) == len(sent)
    assert {f"s={former};" in signature for signature in signatures} == {True, False}


def test_a_key_behind_an_alias_signs_and_its_successor_needs_nothing_from_the_domain(post, live, acme, bolt):
    anna, bob = acme.login("anna"), bolt.login("bob")
    delegate_keys(acme.actor, domain=acme.domain, by_alias=True)
    until(lambda: len(aliases(acme.domain)) == 3, "the aliases' being asked for")
    # The owner's one act: three records, by hand.
    publish(live.info["dns"], aliases(acme.domain))
    check_records(acme.actor, domain=acme.domain)
    until(lambda: signing_selector(acme.domain) == "mh1", "the first key behind an alias")
    until_signing(acme.domain)
    first = as_sent(post.arrived(bob, post.submit(anna, written(anna[0], bob[0]))))

    rotate_key(acme.actor, domain=acme.domain)
    until(lambda: signing_selector(acme.domain) == "mh2", "the second one, by itself")
    until_signing(acme.domain)
    second = as_sent(post.arrived(bob, post.submit(anna, written(anna[0], bob[0]))))

    for message, selector in ((first, "mh1"), (second, "mh2")):
        assert key_name(message) == f"{selector}._domainkey.{acme.domain.domain_name}"
        assert_verifies(message, live.port("dns"))
        # As the demo shows it.
        [shown] = verify(message, acme.domain.domain_name)
        assert shown.endswith(f"s={selector}")
    assert asked_of_testkey(live, acme.domain, "mh2") == (0, "")


def aliases(domain: Domain) -> list[Published]:
    with every_tenant("a test looks"):
        rows = list(DnsRecord.objects.filter(domain=domain, purpose="dkim", record_type="CNAME"))
    return [Published(row.name, row.record_type, f"{row.value}.") for row in rows]


def _hurry(domain: Domain) -> None:
    """Have what waits for its minute done now."""
    from dns import tasks

    tasks.refresh_records(domain.pk)
    tasks.publish_records(domain.pk)
    tasks.check_records(domain.pk)
