"""The guard's conversation with Postfix: the milter protocol, over a Unix socket.

One process and one event loop serve every session; of a message only its originators and the place of forged
verdicts are kept. Whatever goes wrong here leaves the message unaccepted: the answer is 451, or the connection is
closed and Postfix's milter_default_action says 451.
"""

import asyncio
import os
import socket
from pathlib import Path
from struct import Struct

import structlog
from kilter.protocol.buffer import SimpleBuffer
from kilter.protocol.core import FilterMessage, FilterProtocol, MTAMessage
from kilter.protocol.messages import (
    Abort,
    ActionFlags,
    ChangeHeader,
    Close,
    Continue,
    EndOfMessage,
    EnvelopeFrom,
    Header,
    InsertHeader,
    Macro,
    Negotiate,
    ProtocolFlags,
    ReplyCode,
    Stage,
)

from guard import results
from guard.rule import ORIGINATORS, compared_name, spoken_addresses
from guard.senders import DatabaseAway, Senders
from mailhost.errors import Refused

log = structlog.get_logger(__name__)

VERSION = 6
LENGTH = Struct("!L")
# Postfix cuts a header at 100 KB (header_size_limit); nothing else that is sent comes near.
MAX_PACKET = 512 * 1024
# A message with more of the headers in question is refused: each one that is taken out costs Postfix a search.
MAX_KEPT = 100
# The longest reply to a client, and the longest change of a header that is ever sent, with its frame.
MAX_REPLY = 480
MAX_CHANGE = 400
BACKLOG = 512

WATCHED = frozenset({*ORIGINATORS, results.HEADER})
# Headers and end of message are all that is asked for, and only the end needs an answer: one wait per message.
PROTOCOL = (
    ProtocolFlags.NO_CONNECT
    | ProtocolFlags.NO_HELO
    | ProtocolFlags.NO_RECIPIENT
    | ProtocolFlags.NO_DATA
    | ProtocolFlags.NO_UNKNOWN
    | ProtocolFlags.NO_END_OF_HEADERS
    | ProtocolFlags.NO_BODY
    | ProtocolFlags.NR_SENDER
    | ProtocolFlags.NR_HEADER
    | ProtocolFlags.HEADER_LEADING_SPACE
)
ACTIONS = ActionFlags.ADD_HEADERS | ActionFlags.CHANGE_HEADERS | ActionFlags.SETSYMLIST
# Asked for by name, so that no setting of Postfix can hide from us that somebody signed in.
MACROS = {Stage.ENVELOPE_FROM: ["{auth_type}", "{auth_authen}"], Stage.END_MESSAGE: ["i"]}

TRY_AGAIN = "451 4.3.0 The sender's address cannot be checked just now; try again later"


class ProtocolBroken(Exception):
    """The other side does not speak the milter protocol as Postfix does."""


class Message:
    """What is known of the message under way."""

    def __init__(self) -> None:
        self.macros: dict[str, str] = {}
        self.originators: list[tuple[bytes, bytes]] = []
        self.results_seen = 0
        self.forged_results: list[int] = []

    @property
    def is_submission(self) -> bool:
        """Whether somebody signed in. OpenDKIM goes by {auth_type}, so either macro counts."""
        return bool(self.macros.get("{auth_type}") or self.macros.get("{auth_authen}"))

    @property
    def login(self) -> str:
        return self.macros.get("{auth_authen}", "")

    @property
    def is_too_long(self) -> bool:
        return len(self.originators) + len(self.forged_results) > MAX_KEPT

    def keep(self, name: bytes, value: bytes, hostname: str) -> None:
        """Keep an originator's value, or the place of a verdict that claims to be ours."""
        if self.is_too_long:
            return
        if compared_name(name) != results.HEADER:
            self.originators.append((name, value))
            return
        self.results_seen += 1
        if results.claims_to_be(value, hostname):
            self.forged_results.append(self.results_seen)


class Guard:
    """The milter: `serve` answers one connection until Postfix closes it."""

    def __init__(self, hostname: str, senders: Senders) -> None:
        self.hostname = hostname
        self.senders = senders

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection. A fault of either side closes it, which Postfix takes for "try again later"."""
        protocol = FilterProtocol()
        message = Message()
        try:
            while True:
                packet = await _packet(reader)
                if packet[0] == Header.ident and not _is_watched(packet):
                    continue
                for heard in protocol.read_from(_buffer(packet)):
                    if isinstance(heard, Close):
                        return
                    message = await self._hear(heard, message, protocol, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            # Postfix hangs up like this when its client does.
            return
        except Exception:
            log.exception("a milter session ended by a fault")
        finally:
            writer.close()

    async def _hear(
        self, heard: MTAMessage, message: Message, protocol: FilterProtocol, writer: asyncio.StreamWriter
    ) -> Message:
        """Take in one event; return the message under way, a new one where the former ended."""
        match heard:
            case Negotiate():
                await _say(writer, protocol, _negotiated(heard))
            case Macro():
                message.macros.update(heard.macros)
            case EnvelopeFrom():
                # The macros of this message came just before.
                fresh = Message()
                fresh.macros = message.macros
                return fresh
            case Header():
                message.keep(heard.name.encode(), bytes(heard.value), self.hostname)
            case EndOfMessage():
                await _say(writer, protocol, *await self._verdict(message))
                return Message()
            case Abort():
                return Message()
            case _:
                raise ProtocolBroken(f"{type(heard).__name__} was not asked for")
        return message

    async def _verdict(self, message: Message) -> list[FilterMessage]:
        """Return what becomes of the message: changes and Continue, or one refusal."""
        try:
            await self._check(message)
        except Refused as refused:
            log.info("refused", code=refused.code, **self._told(message))
            return [_reply(f"550 5.7.1 {refused.message}")]
        except DatabaseAway as away:
            log.warning("the database is away", why=str(away), **self._told(message))
            return [_reply(TRY_AGAIN)]
        except Exception:
            log.exception("a message could not be judged", **self._told(message))
            return [_reply(TRY_AGAIN)]
        return [*self._changes(message), Continue()]

    async def _check(self, message: Message) -> None:
        """Raise Refused unless every address that a submitted message speaks for is the login's."""
        if message.is_too_long:
            raise Refused("too_long", "", "The message has too many From, Sender or Authentication-Results headers.")
        if not message.is_submission:
            return
        if not message.login:
            raise Refused("no_login", "", "The server does not know who is signed in.")
        for address in spoken_addresses(message.originators):
            if not await self.senders.may_use(message.login, address):
                raise Refused(
                    "not_yours",
                    "From",
                    f"You are signed in as {message.login}, which may not send as {address}."
                    " Choose an address of your own, or ask for an alias.",
                )

    def _changes(self, message: Message) -> list[FilterMessage]:
        # The last one first: removing a header moves the places of those that follow.
        changes: list[FilterMessage] = [
            ChangeHeader(place, "Authentication-Results", b"") for place in reversed(message.forged_results)
        ]
        if message.is_submission:
            changes.append(InsertHeader(0, "Authentication-Results", results.submission_results(self.hostname)))
        return changes

    @staticmethod
    def _told(message: Message) -> dict[str, str]:
        return {"queue_id": message.macros.get("i", ""), "login": message.login}


def _negotiated(offer: Negotiate) -> Negotiate:
    """Return our wishes. Raises ProtocolBroken when they are not granted: without them the answers would not fit."""
    if offer.version < VERSION or PROTOCOL & ~offer.protocol_flags or ACTIONS & ~offer.action_flags:
        raise ProtocolBroken(f"not offered: {PROTOCOL & ~offer.protocol_flags!r} {ACTIONS & ~offer.action_flags!r}")
    return Negotiate(VERSION, ACTIONS, PROTOCOL, MACROS)


async def _packet(reader: asyncio.StreamReader) -> bytes:
    """Return the next packet without its length. Raises IncompleteReadError at the end, ProtocolBroken."""
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    if not 0 < length <= MAX_PACKET:
        raise ProtocolBroken(f"a packet of {length} bytes")
    return await reader.readexactly(length)


def _is_watched(packet: bytes) -> bool:
    """Whether a header packet (its letter, name, NUL, value, NUL) is of interest; most are not."""
    return compared_name(packet[1 : packet.find(b"\0")]) in WATCHED


def _buffer(packet: bytes) -> SimpleBuffer:
    buffer = SimpleBuffer(LENGTH.size + len(packet))
    buffer[:] = LENGTH.pack(len(packet)) + packet
    return buffer


async def _say(writer: asyncio.StreamWriter, protocol: FilterProtocol, *answers: FilterMessage) -> None:
    """Send these answers in one write: several small ones would each wake Postfix."""
    buffer = SimpleBuffer(MAX_REPLY * 2 + MAX_CHANGE * len(answers))
    for answer in answers:
        protocol.write_to(buffer, answer)
    writer.write(bytes(buffer[:]))
    await writer.drain()


def _reply(text: str) -> ReplyCode:
    """Return an SMTP reply. Only ASCII may stand in it, and Postfix reads a percent sign twice (libmilter's way)."""
    plain = "".join(sign if " " <= sign <= "~" else "?" for sign in text)
    return ReplyCode(plain[:MAX_REPLY].replace("%", "%%").encode() + b"\0")


def listen(path: Path) -> socket.socket:
    """Return the listening socket at this path; its folder's set-group-id bit lets the group postfix in."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o117)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen(BACKLOG)
    return listener


async def run(guard: Guard, path: Path, stopped: asyncio.Event) -> None:
    """Serve at this socket until `stopped` is set."""
    server = await asyncio.start_unix_server(guard.serve, sock=listen(path))
    log.info("the guard listens", socket=str(path))
    await stopped.wait()
    server.close()
    path.unlink(missing_ok=True)
    guard.senders.close()
