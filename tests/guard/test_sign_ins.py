"""What Dovecot's auth process tells the guard of sign-ins by SMTP; tests/mail asks the real Dovecot and Postfix."""

import asyncio
import json
import os
import socket

import httpx
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from guard import sign_ins
from guard.sign_ins import HOST, SignIns
from mailboxes.last_logins import KEPT_SECONDS
from tests.together import run_apart

OWN = "last-login/anna@acme.example/smtp"
OF_PHONE = f"{OWN}/7kq2m9xvhw"
REPORT = {"login": "anna@acme.example", "protocol": "smtp", "key": "", "success": True, "policy_reject": False}


def answers_to(taking: SignIns, *bodies: bytes) -> list[int]:
    """Send these bodies over one connection; return the status of each answer, 0 where it was hung up on."""

    async def converse() -> list[int]:
        server = await asyncio.start_server(taking.converse, HOST, 0)
        port = server.sockets[0].getsockname()[1]
        async with server, httpx.AsyncClient(base_url=f"http://{HOST}:{port}") as client:
            return [await status_of(client, body) for body in bodies]

    return run_apart(converse())


async def status_of(client: httpx.AsyncClient, body: bytes) -> int:
    try:
        return (await client.post("/?command=report", content=body)).status_code
    except httpx.TransportError:
        return 0


def told(**other) -> bytes:
    return json.dumps(REPORT | other).encode()


def test_the_use_of_a_password_and_of_an_app_password_are_noted_under_keys_of_their_own():
    taking = SignIns({os.geteuid()})

    assert answers_to(taking, told(), told(key=OF_PHONE), told(login="bert@acme.example")) == [204] * 3
    assert list(taking.noted) == [OWN, OF_PHONE, OWN.replace("anna", "bert")]


@pytest.mark.parametrize("other", [{"success": False}, {"protocol": "imap"}, {"protocol": "sieve"}])
def test_what_did_not_succeed_or_is_noted_elsewhere_is_passed_over(other):
    taking = SignIns({os.geteuid()})

    assert answers_to(taking, told(**other)) == [204]
    assert taking.noted == {}


def test_another_user_of_the_machine_is_not_believed():
    taking = SignIns({os.geteuid() + 5000})

    assert answers_to(taking, told()) == [0]
    assert taking.noted == {}


@pytest.mark.parametrize("odd", [b"", b"[]", b"{}", b"{", told(key="x" * 20000)], ids=len)
def test_what_is_no_report_ends_its_connection_and_nothing_else(odd):
    taking = SignIns({os.geteuid()})

    assert answers_to(taking, odd, told()) == [0, 204]
    assert list(taking.noted) == [OWN]


def test_what_is_noted_is_brought_to_redis_as_dovecot_writes_it(stack):
    async def bring() -> tuple[bytes | None, int]:
        taking = SignIns(set())
        taking.take(told(login="only-here@acme.example"))
        key = "dovecot/last-login/only-here@acme.example/smtp"
        async with Redis.from_url(stack.info["redis"]["url"]) as redis:
            assert await taking.bring_now(redis)
            found = await redis.get(key), await redis.ttl(key)
            await redis.delete(key)
        assert taking.noted == {}
        return found

    at, kept = run_apart(bring())
    assert at.isdigit()
    assert KEPT_SECONDS - 60 < kept <= KEPT_SECONDS


def test_while_redis_is_away_what_came_waits_and_has_its_bound(monkeypatch):
    monkeypatch.setattr(sign_ins, "MOST_REMEMBERED", 2)

    async def bring() -> bool:
        for address in ("anna@acme.example", "bert@acme.example", "carl@acme.example", "anna@acme.example"):
            taking.take(told(login=address))
        # Nobody listens at a port that is held without it.
        with socket.socket() as held:
            held.bind((HOST, 0))
            async with Redis(host=HOST, port=held.getsockname()[1], retry=Retry(NoBackoff(), 0)) as redis:
                return await taking.bring_now(redis)

    taking = SignIns(set())

    assert run_apart(bring()) is False
    assert list(taking.noted) == [OWN, OWN.replace("anna", "bert")]


def test_a_port_that_is_taken_keeps_nobody_from_guarding():
    async def guards() -> bool:
        with socket.create_server((HOST, 0)) as taken:
            async with sign_ins.heard(taken.getsockname()[1]):
                return True

    assert run_apart(guards())
