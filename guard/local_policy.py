"""Who on this machine may hand mail to Postfix without signing in: the owner of all mailboxes, the panel, nobody else.

Dovecot hands redirects and vacation replies back to Postfix over a port of 127.0.0.1, and the panel its invitations and
notices. Every local program reaches the port. Postfix asks here (its policy protocol, SMTPD_POLICY_README), and the
kernel's table of connections says whose the other end is.
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import Collection
from pathlib import Path

import structlog

from guard.milter import listen

log = structlog.get_logger(__name__)

SOCKET_NAME = "sieve.sock"
CONNECTIONS = Path("/proc/net/tcp")
MAX_REQUEST = 16 * 1024
PASSES = "DUNNO"
REFUSED = "550 5.7.1 Only the mail store and the panel of this host may send here"
UNKNOWN = "450 4.3.0 It cannot be seen who is connected; try again later"


class LocalPolicy:
    """Answers Postfix for each connection to the listener."""

    def __init__(self, owners: Collection[int], connections: Path = CONNECTIONS) -> None:
        self.owners = owners
        self.connections = connections

    async def serve(self, path: Path) -> asyncio.Server:
        """Listen at a Unix socket."""
        return await asyncio.start_unix_server(self._converse, sock=listen(path), limit=MAX_REQUEST)

    def action(self, asked: dict[str, str]) -> str:
        """Return what Postfix should do with the connection that these attributes describe."""
        try:
            client = endpoint(asked["client_address"], asked["client_port"])
            server = endpoint(asked["server_address"], asked["server_port"])
            owner = owner_of(self.connections.read_text("ascii"), client, server)
        except (KeyError, ValueError, OSError):
            log.exception("a local connection cannot be judged")
            return UNKNOWN
        if owner is None:
            return UNKNOWN
        if owner not in self.owners:
            log.warning("local_sender_refused", uid=owner)
            return REFUSED
        return PASSES

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            while True:
                request = await reader.readuntil(b"\n\n")
                pairs = (line.partition("=") for line in request.decode("utf-8", "replace").splitlines())
                writer.write(f"action={self.action({name: value for name, _, value in pairs})}\n\n".encode())
                await writer.drain()
        writer.close()


def endpoint(address: str, port: str) -> str:
    """Return an IPv4 endpoint as the kernel writes it: the address's bytes in host order, hexadecimal."""
    packed = ipaddress.IPv4Address(address).packed
    return f"{int.from_bytes(packed, 'little'):08X}:{int(port):04X}"


def owner_of(connections: str, client: str, server: str) -> int | None:
    """Return the uid of whoever opened the connection from `client` to `server`; None when there is none."""
    for line in connections.splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == [client, server]:
            return int(fields[7])
    return None
