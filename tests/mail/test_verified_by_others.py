"""What we sign, others verify: dkimpy, and the tools that come with OpenDKIM."""

import subprocess
from pathlib import Path

from dns.dkim import make_key, public_record
from dns.models import DkimKey
from domains.models import Domain
from mailhost.scope import every_tenant
from tests.mail.client import written
from tests.mail.verifying import as_sent, assert_verifies, checked_by_testmsg, key_name
from tests.stackside import StackSide


def test_a_message_verifies_by_dkimpy_and_by_opendkims_tools(post, live, acme, bolt, signed):
    anna, bob = acme.login("anna"), bolt.login("bob")
    signed(acme)

    message = as_sent(post.arrived(bob, post.submit(anna, written(anna[0], bob[0]))))

    assert_verifies(message, live.port("dns"))
    with every_tenant("a test looks"):
        key = DkimKey.objects.signing().get(domain=acme.domain)
    assert key_name(message) == f"{key.selector}._domainkey.{acme.domain.domain_name}"
    assert asked_of_testkey(live, acme.domain, key.selector) == (0, "")


def asked_of_testkey(live: StackSide, domain: Domain, selector: str) -> tuple[int, str]:
    """Return what OpenDKIM's own tool says of the key that signs: 0 and no words when DNS shows it."""
    with every_tenant("a test looks"):
        key = DkimKey.objects.signing().get(domain=domain, selector=selector)
    file = Path(live.info["opendkim"]["key_table"]).parent / "keys" / f"{selector}.{key.pk}.pem"
    # It looks the key up by the daemon's own configuration and compares it with the file.
    arguments = ["-d", domain.domain_name, "-s", selector, "-k", file]
    checked = subprocess.run(
        ["opendkim-testkey", "-x", live.info["opendkim"]["config_file"], *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    return checked.returncode, checked.stderr


def test_a_changed_message_and_another_key_do_not_verify(post, acme, bolt, signed):
    anna, bob = acme.login("anna"), bolt.login("bob")
    signed(acme)
    message = as_sent(post.arrived(bob, post.submit(anna, written(anna[0], bob[0]))))
    name = key_name(message)
    with every_tenant("a test looks"):
        record = public_record(DkimKey.objects.signing().get(domain=acme.domain).public_key)

    changed = checked_by_testmsg(message.replace(b"Hello.", b"Hullo."), name, record)
    another = checked_by_testmsg(message, name, public_record(make_key().public_key))

    assert checked_by_testmsg(message, name, record).returncode == 0
    assert changed.returncode != 0
    assert another.returncode != 0
