"""The guard's conversation with Postfix: the milter protocol, over a Unix socket.

One process and one event loop serve every session; of a message only its originators and the place of forged
verdicts are kept. Whatever goes wrong here leaves the message unaccepted: the answer is 451, or the connection is
closed and Postfix's milter_default_action says 451.
"""

import asyncio
import os
import re
import socket
from pathlib import Path
from struct import Struct
from typing import cast

import structlog
from kilter.protocol.buffer import SimpleBuffer
from kilter.protocol.messages import (
    Abort,
    ActionFlags,
    Close,
    Data,
    EndOfMessage,
    EnvelopeFrom,
    EnvelopeRecipient,
    Header,
    Macro,
    Negotiate,
    ProtocolFlags,
    Stage,
)
from kilter.protocol.messages import Message as Packet

from guard import results
from guard.answers import packed
from guard.rule import ORIGINATORS
from guard.verdict import Judge, Message

log = structlog.get_logger(__name__)

VERSION = 6
LENGTH = Struct("!L")
# Postfix cuts a header at 100 KB (header_size_limit); nothing else that is sent comes near.
MAX_PACKET = 512 * 1024
# While a verdict is awaited Postfix has next to nothing to say.
MAX_UNREAD = 64 * 1024
BACKLOG = 512

# Most headers are of no interest, so one look tells. Blanks before the colon belong to no name (RFC 5322, 4.5.8).
NAMES = b"|".join(map(re.escape, (*ORIGINATORS, results.HEADER)))
WATCHED = re.compile(rb"[ \t]*(?:" + NAMES + rb")[ \t]*\0", re.IGNORECASE)
# Recipients, headers and end of message are all that is asked for, and only the end needs an answer: one wait per
# message.
PROTOCOL = (
    ProtocolFlags.NO_CONNECT
    | ProtocolFlags.NO_HELO
    | ProtocolFlags.NO_DATA
    | ProtocolFlags.NO_UNKNOWN
    | ProtocolFlags.NO_END_OF_HEADERS
    | ProtocolFlags.NO_BODY
    | ProtocolFlags.NR_SENDER
    | ProtocolFlags.NR_RECIPIENT
    | ProtocolFlags.NR_HEADER
    | ProtocolFlags.HEADER_LEADING_SPACE
)
ACTIONS = ActionFlags.ADD_HEADERS | ActionFlags.CHANGE_HEADERS | ActionFlags.SETSYMLIST
# Asked for by name, so that no setting of Postfix can hide from us that somebody signed in. What Postfix tells at the
# end of a message it tells with each header too, so the queue id comes before. An empty list would bring what main.cf
# says; a name that Postfix does not know brings nothing.
NOTHING = ["{nothing}"]
MACROS = {
    Stage.ENVELOPE_FROM: ["{auth_type}", "{auth_authen}"],
    Stage.ENVELOPE_RECIPIENT: NOTHING,
    Stage.DATA: ["i"],
    Stage.END_HEADERS: NOTHING,
    Stage.END_MESSAGE: NOTHING,
}


class ProtocolBroken(Exception):
    """The other side does not speak the milter protocol as Postfix does."""


class Session(asyncio.Protocol):
    """One connection of Postfix, for as many messages as its client sends.

    A fault of either side closes it, which Postfix takes for "try again later".
    """

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.message = Message()
        self.unread = b""
        self.judging: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self.judge.forget(self.message)
        if self.judging:
            self.judging.cancel()

    def data_received(self, data: bytes) -> None:
        self.unread += data
        if not self.judging:
            self._read_on()
        elif len(self.unread) > MAX_UNREAD:
            self.transport.abort()

    def _read_on(self) -> None:
        """Take in what has arrived, up to the end of a message that must be asked about."""
        try:
            self._take_packets()
        except Exception:
            log.exception("a milter session ended by a fault")
            self.transport.abort()

    def _take_packets(self) -> None:
        unread, position = self.unread, 0
        while not self.judging and not self.transport.is_closing() and len(unread) >= position + LENGTH.size:
            (length,) = LENGTH.unpack_from(unread, position)
            if not 0 < length <= MAX_PACKET:
                raise ProtocolBroken(f"a packet of {length} bytes")
            start = position + LENGTH.size
            if len(unread) < start + length:
                break
            position = start + length
            # A letter, then what it means.
            self._take(unread[start], unread[start + 1 : position])
        self.unread = unread[position:]

    def _take(self, letter: int, content: bytes) -> None:
        """Take one packet in. Those that there are most of stand first."""
        if letter == Macro.ident:
            # The letter of the step, then names and values; for most steps we ask for none.
            if len(content) > 1:
                words = content[1:].decode("ascii").split("\0")
                self.message.macros.update(zip(words[::2], words[1::2], strict=False))
                if content[0] == Data.ident and self.message.is_submission:
                    self.judge.begin_to_count(self.message)
        elif letter == Header.ident:
            self._take_header(content)
        elif letter == EnvelopeRecipient.ident:
            self.message.recipients += 1
        elif letter == EnvelopeFrom.ident:
            # The macros of this message came just before.
            self.judge.forget(self.message)
            self.message = Message(self.message.macros)
            if self.message.is_submission:
                self.judge.foresee(self.message, content.partition(b"\0")[0])
        elif letter == EndOfMessage.ident:
            self._end_message()
        elif letter == Abort.ident:
            self.judge.forget(self.message)
            self.message = Message()
        elif letter == Negotiate.ident:
            self.transport.write(packed(_negotiated(content)))
        elif letter == Close.ident:
            self.transport.close()
        else:
            raise ProtocolBroken(f"a packet {chr(letter)!r}, which was not asked for")

    def _take_header(self, content: bytes) -> None:
        if content.count(b"\0") != 2 or content[-1]:
            raise ProtocolBroken("a header with more than a name and a value")
        if WATCHED.match(content):
            name, value, _ = content.split(b"\0")
            self.message.keep(name, value, self.judge.hostname)

    def _end_message(self) -> None:
        message, self.message = self.message, Message()
        if not message.is_submission:
            self.transport.write(self.judge.inbound_verdict(message))
        elif (answer := self.judge.verdict_at_once(message)) is not None:
            self.transport.write(answer)
        else:
            self.judging = asyncio.get_running_loop().create_task(self._judge(message))

    async def _judge(self, message: Message) -> None:
        """Answer the end of a submitted message, then go on with what has arrived meanwhile."""
        try:
            self.transport.write(await self.judge.verdict(message))
        except Exception:
            log.exception("a verdict could not be told")
            self.transport.abort()
        self.judging = None
        self._read_on()


def _negotiated(content: bytes) -> Negotiate:
    """Return our wishes. Raises ProtocolBroken when they are not granted: without them the answers would not fit."""
    buffer = SimpleBuffer(LENGTH.size + 1 + len(content))
    buffer[:] = LENGTH.pack(1 + len(content)) + bytes([Negotiate.ident]) + content
    offer = cast(Negotiate, Packet.unpack(buffer)[0])
    if offer.version < VERSION or PROTOCOL & ~offer.protocol_flags or ACTIONS & ~offer.action_flags:
        raise ProtocolBroken(f"not offered: {PROTOCOL & ~offer.protocol_flags!r} {ACTIONS & ~offer.action_flags!r}")
    return Negotiate(VERSION, ACTIONS, PROTOCOL, MACROS)


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


async def run(judge: Judge, path: Path, stopped: asyncio.Event) -> None:
    """Serve at this socket until `stopped` is set."""
    server = await asyncio.get_running_loop().create_unix_server(lambda: Session(judge), sock=listen(path))
    log.info("the guard listens", socket=str(path))
    await stopped.wait()
    server.close()
    path.unlink(missing_ok=True)
    judge.close()
