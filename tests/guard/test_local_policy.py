"""At Sieve's listener the mailboxes' owner passes, every other local program is refused, and doubt is put off."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from guard.local_policy import PASSES, REFUSED, UNKNOWN, LocalPolicy
from tests.together import run_apart


@pytest.fixture
def connection():
    """A connection of this process's own, as Postfix's attributes describe it."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
        listener.accept()[0],
    ):
        client_address, client_port = client.getsockname()
        server_address, server_port = listener.getsockname()
        yield {
            "request": "smtpd_access_policy",
            "client_address": client_address,
            "client_port": str(client_port),
            "server_address": server_address,
            "server_port": str(server_port),
        }


def test_the_owner_of_the_mailboxes_passes(connection):
    assert LocalPolicy({os.geteuid()}).action(connection) == PASSES


def test_another_user_of_the_machine_is_refused(connection):
    assert LocalPolicy({os.geteuid() + 5000}).action(connection) == REFUSED


@pytest.mark.parametrize(
    "odd",
    [
        {"client_port": "1"},
        {"client_address": "unknown"},
        {"client_address": "::1"},
        {"client_port": ""},
        {"server_port": "x"},
    ],
)
def test_a_connection_that_cannot_be_found_is_put_off(connection, odd):
    assert LocalPolicy({os.geteuid()}).action(connection | odd) == UNKNOWN


def test_without_the_kernels_table_nobody_passes(connection, tmp_path):
    assert LocalPolicy({os.geteuid()}, tmp_path / "missing").action(connection) == UNKNOWN


def test_postfix_may_ask_several_times_over_one_connection(connection, tmp_path: Path):
    async def ask_twice() -> list[bytes]:
        server = await LocalPolicy({os.geteuid()}).serve(tmp_path / "sieve.sock")
        reader, writer = await asyncio.open_unix_connection(tmp_path / "sieve.sock")
        answers = []
        for _ in range(2):
            writer.write("".join(f"{name}={value}\n" for name, value in connection.items()).encode() + b"\n")
            answers.append(await reader.readuntil(b"\n\n"))
        writer.close()
        server.close()
        return answers

    assert run_apart(ask_twice()) == [b"action=DUNNO\n\n"] * 2
