"""The private part of a signing key stands in the signer's folder and nowhere else: not in a log, a task, a row, a
cache, an error, a command line or an answer."""

import re
import subprocess
import urllib.request
from pathlib import Path

import pytest
from redis import Redis

from accounts.key_rules import scopes_for
from accounts.operations import create_api_key
from dns.dkim import decrypt
from dns.models import DkimKey
from mailhost.scope import every_tenant
from tenants.models import Kind
from tests.mail.client import written


@pytest.fixture
def pem(acme) -> str:
    with every_tenant("a test looks"):
        return decrypt(DkimKey.objects.signing().get(domain=acme.domain).private_key).decode()


@pytest.fixture
def secrets(pem: str) -> list[bytes]:
    """What gives the key away: the middle of its lines, alone and as a log or JSON would join them."""
    lines = pem.strip().splitlines()[1:-1]
    middle = len(lines) // 2
    text = "".join(lines)
    return [lines[middle][12:52].encode(), text[len(text) // 2 - 20 : len(text) // 2 + 20].encode()]


def found_in(content: bytes, secrets: list[bytes]) -> bool:
    plain = re.sub(rb"\\n|\s", b"", content)
    return any(secret in content or secret in plain for secret in secrets)


def test_the_search_would_find_it(pem, secrets):
    assert found_in(pem.encode(), secrets)
    assert found_in(repr(pem).encode(), secrets)


def test_it_is_in_no_log_command_line_row_cache_or_answer(live, post, acme, bolt, secrets):
    anna, bob = acme.login("anna"), bolt.login("bob")
    post.arrived(bob, post.submit(anna, written(anna[0], bob[0])))

    places = {f"log {file.name}": file.read_bytes() for file in Path(live.info["logs"]).iterdir() if file.is_file()}
    places |= {f"process {pid}": text for pid, text in command_lines().items()}
    places["database"] = dumped(live.info["mysql"]["socket"], live.info["mysql"]["database"])
    places |= cached(live.info["redis"]["url"])
    places |= answers(live.info["web"]["url"], acme)

    assert len(places) > 20
    assert [name for name, content in places.items() if found_in(content, secrets)] == []


def command_lines() -> dict[str, bytes]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found[folder.name] = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def dumped(socket: str, database: str) -> bytes:
    """Every row of every table: jobs with their arguments and errors, the audit record, the keys as they are stored."""
    command = ["mariadb-dump", "--no-defaults", f"--socket={socket}", "--user=root", "--single-transaction", database]
    return subprocess.run(command, check=True, capture_output=True).stdout


def cached(url: str) -> dict[str, bytes]:
    read = {
        b"string": lambda redis, name: redis.get(name),
        b"list": lambda redis, name: redis.lrange(name, 0, -1),
        b"hash": lambda redis, name: redis.hgetall(name),
        b"set": lambda redis, name: redis.smembers(name),
        b"zset": lambda redis, name: redis.zrange(name, 0, -1),
    }
    with Redis.from_url(url) as redis:
        return {f"redis {name!r}": repr(read[redis.type(name)](redis, name)).encode() for name in redis.scan_iter()}


def answers(web: str, acme) -> dict[str, bytes]:
    _, secret = create_api_key(acme.actor, name="Looker", scopes=list(scopes_for(Kind.CUSTOMER)))
    name = acme.domain.domain_name
    paths = ["domains", f"domains/{name}", f"domains/{name}/records", f"domains/{name}/dkim-keys", "operations"]
    paths += ["me", "server-info", "mailboxes"]
    found = {}
    for path in paths:
        request = urllib.request.Request(f"{web}/api/v1/{path}", headers={"Authorization": f"Bearer {secret}"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            found[f"api {path}"] = answer.read()
    with urllib.request.urlopen(f"{web}/metrics", timeout=20) as answer:  # noqa: S310
        found["metrics"] = answer.read()
    return found
