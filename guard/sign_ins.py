"""Sign-ins by SMTP, noted where Dovecot's last_login plugin notes those by IMAP and POP3.

Postfix has Dovecot check a password, and no session of Dovecot's follows that could note it. So Dovecot's auth process
tells of each here, over HTTP, once it has answered Postfix (`auth_policy_report_after_auth` in deploy/dovecot). Nobody
waits for us: while this listener or Redis is away a sign-in goes on as ever, and is not noted.
"""

import asyncio
import contextlib
import json
import pwd
import time
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import h11
import structlog
from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from guard.local_policy import CONNECTIONS, endpoint, owner_of
from mailboxes.last_logins import DICT, KEPT_SECONDS, key_of

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"
# As Postfix names itself to Dovecot.
PROTOCOL = "smtp"
# Of Dovecot's own processes, this is the user of the one that tells.
DOVECOT = "dovecot"
MAX_REPORT = 16 * 1024
# What comes within this time goes to Redis in one round trip.
EVERY_SECONDS = 1
# Redis is away: how long it is left alone, and for how many addresses what came meanwhile is remembered.
PAUSE_SECONDS = 5
MOST_REMEMBERED = 10_000
TIMEOUT_SECONDS = 2
NOTE = """
for number, key in ipairs(KEYS) do redis.call('SET', key, ARGV[number + 1], 'EX', ARGV[1]) end
"""


class SignIns:
    """Takes Dovecot's reports; what they tell waits in `noted`, by Redis key, until it is brought there."""

    def __init__(self, tellers: Collection[int], connections: Path = CONNECTIONS) -> None:
        self.tellers = tellers
        self.connections = connections
        self.noted: dict[str, int] = {}
        self._came = asyncio.Event()

    def take(self, report: bytes) -> None:
        """Note a sign-in by SMTP that succeeded. Dovecot tells of all others too."""
        told = json.loads(report)
        if told["success"] is not True or told["protocol"] != PROTOCOL:
            return
        # Of an app password the database has named the key (mailboxes.lookups, `app_passdb`).
        key = str(told["key"] or key_of(told["login"], PROTOCOL))
        if key in self.noted or len(self.noted) < MOST_REMEMBERED:
            self.noted[key] = int(time.time())
            self._came.set()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the reports of one connection, which Dovecot keeps for many."""
        try:
            if self._is_of_dovecot(writer):
                await self._take_reports(reader, writer)
        except (h11.RemoteProtocolError, KeyError, TypeError, ValueError):
            log.exception("a report of a sign-in cannot be read")
        except (OSError, asyncio.IncompleteReadError):
            # Dovecot hangs up when it has nothing to tell.
            pass
        finally:
            writer.close()

    async def bring(self, redis: Redis) -> None:
        """Bring what comes to Redis, until cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            await asyncio.sleep(EVERY_SECONDS)
            if not await self.bring_now(redis):
                self._came.set()
                await asyncio.sleep(PAUSE_SECONDS)

    async def bring_now(self, redis: Redis) -> bool:
        """Bring to Redis what waits; return whether it is there. What is not goes on waiting."""
        noted, self.noted = self.noted, {}
        try:
            await redis.eval(NOTE, len(noted), *(DICT + key for key in noted), KEPT_SECONDS, *noted.values())
        except (RedisError, OSError) as error:
            # What came meanwhile is newer.
            self.noted = noted | self.noted
            log.warning("sign_ins_not_noted", error=type(error).__name__, waiting=len(self.noted))
            return False
        return True

    async def _take_reports(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection, report = h11.Connection(h11.SERVER, MAX_REPORT), b""
        while True:
            match connection.next_event():
                case h11.NEED_DATA:
                    connection.receive_data(await reader.read(MAX_REPORT))
                case h11.Data(data=data):
                    report += data
                    if len(report) > MAX_REPORT:
                        raise ValueError(f"a report of more than {MAX_REPORT} bytes")
                case h11.EndOfMessage():
                    self.take(report)
                    report = b""
                    writer.write(connection.send(h11.Response(status_code=204, headers=[])))
                    connection.send(h11.EndOfMessage())
                    await writer.drain()
                    connection.start_next_cycle()
                case h11.ConnectionClosed():
                    return

    def _is_of_dovecot(self, writer: asyncio.StreamWriter) -> bool:
        """Every local program reaches the port; the kernel says whose the other end is."""
        ends = (endpoint(*writer.get_extra_info(name)) for name in ("peername", "sockname"))
        owner = owner_of(self.connections.read_text("ascii"), *ends)
        if owner in self.tellers:
            return True
        log.warning("sign_in_report_refused", uid=owner)
        return False


@contextlib.asynccontextmanager
async def heard(port: int) -> AsyncIterator[None]:
    """Hear of sign-ins for the duration of the block. The guard guards, whether or not this can be."""
    sign_ins = SignIns(_tellers())
    try:
        server = await asyncio.start_server(sign_ins.converse, HOST, port)
    except OSError as error:
        log.error("sign_ins_not_heard", port=port, error=str(error))  # noqa: TRY400 - the error says it all
        yield
        return
    redis = connect()
    bringing = asyncio.get_running_loop().create_task(sign_ins.bring(redis))
    try:
        yield
    finally:
        server.close()
        bringing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await bringing
        if sign_ins.noted:
            await sign_ins.bring_now(redis)
        await redis.aclose()


def connect() -> Redis:
    """Return a client that does not wait twice for an answer that does not come."""
    timeouts = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    return Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **timeouts)


def _tellers() -> set[int]:
    try:
        return {pwd.getpwnam(DOVECOT).pw_uid}
    except KeyError:
        return set()
