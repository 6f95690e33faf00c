"""The real OpenDKIM signs what the tables say, from the first message after they were written."""

import subprocess
import time

import dkim as dkimpy
import pytest

from dns import dkim, operations
from dns.models import DkimKey
from domains.names import MAX_NAME, MAX_OWNED_NAME
from mailhost.scope import every_tenant
from tests.dns.keys import give_signing_key


def key_of(domain) -> DkimKey:
    with every_tenant("a test looks"):
        return DkimKey.objects.get(domain=domain)


@pytest.fixture
def signing(acme, verified, opendkim):
    """Makes verified domains whose key is written and loaded."""

    def make(name: str):
        domain = verified(acme, name)
        give_signing_key(domain.pk)
        operations.write_signing_tables()
        return domain

    return make


def verifies(message: bytes, key: DkimKey) -> bool:
    record = dkim.public_record(key.public_key).encode()
    name = f"{key.selector}._domainkey.{key.domain.domain_name}."
    return dkimpy.verify(message, dnsfunc=lambda asked, timeout=5: record if asked.decode() == name else None)


def test_mail_of_a_new_domain_leaves_signed_and_verifies(signing, opendkim):
    acme_example = signing("acme.example")

    passed = opendkim.pass_message("anna@acme.example")

    assert passed.reply == "a"
    assert "d=acme.example;" in passed.signature
    assert f"s={key_of(acme_example).selector};" in passed.signature
    assert verifies(passed.message, key_of(acme_example))


def test_the_running_daemon_takes_each_new_domain_without_a_restart(signing, opendkim):
    signing("acme.example")
    before = opendkim.pass_message("anna@bolt.example")
    process = opendkim.process.pid

    signing("bolt.example")

    assert before.signature == ""
    assert "d=bolt.example;" in opendkim.pass_message("anna@bolt.example").signature
    assert "d=acme.example;" in opendkim.pass_message("anna@acme.example").signature
    assert opendkim.process.pid == process


def test_mail_of_a_domain_that_lost_its_proof_is_signed_no_more_and_waits(signing, opendkim):
    domain = signing("acme.example")
    signing("bolt.example")
    with every_tenant("a test takes its proof"):
        type(domain).objects.filter(pk=domain.pk).update(verified_at=None, is_verified=False)

    operations.write_signing_tables()

    passed = opendkim.pass_message("anna@acme.example")
    assert (passed.reply, passed.signature) == ("t", "")


def test_mail_of_a_new_domain_waits_until_its_key_signs_even_before_anything_was_written(
    opendkim, verified, acme, signing
):
    before = opendkim.pass_message("anna@bolt.example")
    signing("acme.example")
    domain = verified(acme, "bolt.example")
    proven = opendkim.pass_message("anna@bolt.example")
    give_signing_key(domain.pk)

    operations.write_signing_tables()

    assert [(passed.reply, passed.signature) for passed in (before, proven)] == [("t", "")] * 2
    assert "d=bolt.example;" in opendkim.pass_message("anna@bolt.example").signature


@pytest.mark.parametrize("sender", ["anna@shop.acme.example", "anna@notacme.example", "anna@example", ""])
def test_the_key_of_a_domain_signs_for_no_other_name(signing, opendkim, sender):
    signing("acme.example")

    assert opendkim.pass_message(sender).signature == ""


def test_upper_case_in_the_sender_is_signed_too(signing, opendkim):
    signing("acme.example")

    assert "d=acme.example;" in opendkim.pass_message("Anna@ACME.example").signature


def test_mail_of_a_domain_with_a_broken_key_waits_and_delays_nobody(signing, opendkim, verified, acme):
    broken = verified(acme, "broken.example")
    give_signing_key(broken.pk)
    with every_tenant("a test breaks a key"):
        DkimKey.objects.filter(domain=broken).update(private_key=dkim.encrypt(b"rubbish"))
    signing("acme.example")
    began = time.monotonic()

    sound, broken, after = (
        opendkim.pass_message(f"anna@{name}") for name in ("acme.example", "broken.example", "acme.example")
    )

    assert "d=acme.example;" in sound.signature
    assert (broken.reply, broken.signature) == ("t", "")
    assert "d=acme.example;" in after.signature
    assert time.monotonic() - began < 2


def test_opendkim_starts_with_a_domain_whose_key_is_broken(signing, opendkim, verified, acme):
    broken = verified(acme, "broken.example")
    give_signing_key(broken.pk)
    with every_tenant("a test breaks a key"):
        DkimKey.objects.filter(domain=broken).update(private_key=dkim.encrypt(b"rubbish"))
    signing("acme.example")
    opendkim.stop()

    opendkim.start()

    assert "d=acme.example;" in opendkim.pass_message("anna@acme.example").signature
    assert opendkim.pass_message("anna@broken.example").reply == "t"


def test_a_domain_of_the_greatest_length_is_signed(signing, opendkim):
    name = ".".join(["a" * 60] * 3 + ["b" * 32, "example"])
    domain = signing(name)
    assert len(name) == MAX_OWNED_NAME
    assert len(f"{key_of(domain).selector}._domainkey.{name}") == MAX_NAME

    passed = opendkim.pass_message(f"anna@{name}")

    assert f"d={name};" in passed.signature.replace("\n", "").replace("\t", "").replace(" ", "")


def test_opendkim_finds_nothing_wrong_with_the_tables(signing, opendkim):
    signing("acme.example")

    checked = opendkim.check()

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_daemon_that_was_not_told_is_told_by_the_next_writing(signing, opendkim, monkeypatch, acme, verified):
    signing("acme.example")
    # The daemon reads its tables with the first connection after the signal.
    opendkim.pass_message("anna@acme.example")
    domain = verified(acme, "bolt.example")
    give_signing_key(domain.pk)
    with monkeypatch.context() as killed:
        killed.setattr("os.kill", killed_just_then)
        with pytest.raises(KeyboardInterrupt):
            operations.write_signing_tables()
    untold = opendkim.pass_message("anna@bolt.example").signature

    operations.write_signing_tables()

    assert untold == ""
    assert "d=bolt.example;" in opendkim.pass_message("anna@bolt.example").signature


def killed_just_then(*_arguments):
    raise KeyboardInterrupt


def test_a_left_over_pid_file_signals_nobody(signing, opendkim, monkeypatch, acme, verified):
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        opendkim.parameters.opendkim_pid_file.write_text(f"{bystander.pid}\n")

        signing("acme.example")

        # SIGUSR1 would have ended it.
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
