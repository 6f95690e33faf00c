"""The guard's reading of header From against the real OpenDKIM's, over thousands of generated messages.

OpenDKIM runs here without SenderMacro, so it signs for whoever it takes the header From for: the second wall is
down, and the guard alone keeps one customer from signing as another.
"""

import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from dns.dkim import make_key, public_record, read_key
from guard.rule import spoken_addresses
from mailhost.errors import Refused
from tests.guard import shapes
from tests.guard.mta import Connection
from tests.mail.verifying import assert_verifies_with

MESSAGES = 6_000
# Of what the guard refuses, this share is shown to OpenDKIM too, to prove that the guard is needed.
REFUSED_SHARE = 0.05
DOMAINS = ("acme.example", "xn--bcher-kva.example", "bolt.example", "rita.example", "sub.bolt.example")
OWN_DOMAINS = {address.rpartition("@")[2] for address in shapes.OWN}


@pytest.fixture(scope="module")
def signer(guard_home: Path) -> Iterator[Path]:
    """The socket of an OpenDKIM that signs by header From for every domain of DOMAINS."""
    home = guard_home / "signer"
    home.mkdir(mode=0o700)
    (home / "key.pem").write_bytes(make_key().private_pem)
    (home / "KeyTable").write_text("".join(f"{name} {name}:s1:{home}/key.pem\n" for name in DOMAINS))
    (home / "SigningTable").write_text("".join(f"{name} {name}\n" for name in DOMAINS))
    (home / "opendkim.conf").write_text(
        f"Syslog no\nPidFile {home}/pid\nSocket local:{home}/sock\nMode s\n"
        f"KeyTable file:{home}/KeyTable\nSigningTable file:{home}/SigningTable\nRequireSafeKeys no\n"
    )
    process = subprocess.Popen(["/usr/sbin/opendkim", "-f", "-x", home / "opendkim.conf"])
    deadline = time.monotonic() + 10
    while not (home / "sock").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield home / "sock"
    # It takes 5 s to end when asked.
    process.kill()
    process.wait()


@pytest.fixture
def signing(signer: Path) -> Iterator[Connection]:
    connection = Connection(signer)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def public_text(signer: Path) -> str:
    """What DNS would show of the signer's key."""
    return public_record(read_key((signer.parent / "key.pem").read_text()).public_key)


def as_sent(headers: list[tuple[bytes, bytes]], signature: bytes) -> bytes:
    """Return the message as it goes out: lines end in CR LF, of which Postfix tells a milter the LF alone."""
    lines = [b"DKIM-Signature:" + signature, *(name + b": " + value for name, value in headers)]
    return re.sub(rb"\r?\n", b"\r\n", b"\n".join([*lines, b"", b"Hello\n"]))


def spoken(headers: list[tuple[bytes, bytes]]) -> tuple[str, ...]:
    """Return the addresses that the guard would ask the database about; none when it refuses outright."""
    try:
        return spoken_addresses(headers)
    except Refused:
        return ()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_is_signed_belongs_to_the_login_and_verifies(signing: Connection, public_text: str, seed: int):
    chance = random.Random(seed)  # noqa: S311 - no secret: the same messages every time
    seen: Counter[str] = Counter()
    for _ in range(MESSAGES // 3):
        headers = shapes.headers(chance)
        if any(b"\0" in value for _, value in headers):
            # The protocol ends a value at NUL; what Postfix does with one is tested through Postfix.
            continue
        addresses = spoken(headers)
        passes = bool(addresses) and set(addresses) <= set(shapes.OWN)
        if not passes and chance.random() > REFUSED_SHARE:
            continue

        verdict = signing.message(headers, login="anna@acme.example")
        signed_for = verdict.signing_domain

        if passes:
            assert signed_for == addresses[0].rpartition("@")[2], headers
            assert_verifies_with(as_sent(headers, verdict.signature), f"s1._domainkey.{signed_for}", public_text)
            seen["passed"] += 1
        elif signed_for and signed_for not in OWN_DOMAINS:
            seen["would have been signed as another"] += 1

    # Otherwise the generator had grown dull, and the test would prove nothing.
    assert seen["passed"] > 200
    assert seen["would have been signed as another"] > 5


ATTACKS = [
    [(b"From", b"ceo@bolt.example")],
    [(b"From", b"ceo@bolt.example"), (b"From", b"anna@acme.example")],
    [(b"From", b"ceo@bolt.example, anna@acme.example")],
    [(b"From", b"Board: ceo@bolt.example, anna@acme.example;")],
    [(b"From", b"<@acme.example:ceo@bolt.example>")],
    [(b"From", b"anna@acme.example <ceo@bolt.example>")],
    [(b"From", b'"anna@acme.example" <ceo@bolt.example>')],
    [(b"From", b"(anna@acme.example) ceo@bolt.example")],
    [(b"From", b"ceo@(x)bolt.example")],
    [(b"From", b"CEO@BOLT.EXAMPLE")],
    [(b"From", b"\n ceo@bolt.example\n , anna@acme.example")],
    [(b"From", b"=?utf-8?q?anna=40acme.example?= <ceo@bolt.example>")],
    [(b"Sender", b"anna@acme.example"), (b"From", b"ceo@bolt.example")],
    [(b"From", b"ceo@sub.bolt.example")],
]


@pytest.mark.parametrize("headers", ATTACKS, ids=[str(attack) for attack in ATTACKS])
def test_known_attack_would_be_signed_and_is_refused(signing: Connection, headers):
    addresses = spoken(headers)

    assert not addresses or not set(addresses) <= set(shapes.OWN)
    assert signing.message(headers, login="anna@acme.example").signing_domain in ("bolt.example", "sub.bolt.example")
