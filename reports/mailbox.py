"""The mailbox that takes reports, read over IMAP: each message is looked at once, and then gone or set aside."""

import imaplib
import random
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice

from django.conf import settings

from reports.unpacking import MOST_MESSAGE_BYTES

SECONDS = 30
SET_ASIDE = '"Set aside"'
AT_ONCE, PUT_OFF_AT_ONCE = 200, 20
# imaplib reads lines of a million bytes: ten digits and a blank for each of these stay below.
SEARCHED_AT_ONCE = 50_000


class Unreachable(Exception):
    """The mailbox could not be read; its messages wait."""


class ReportsMailbox:
    """An open INBOX, and how many messages lie in it."""

    def __init__(self, connection: imaplib.IMAP4, messages: int) -> None:
        self.connection, self.messages = connection, messages

    def numbers(self) -> list[bytes]:
        """Return the UIDs of the oldest messages that were not looked at yet."""
        return list(islice(self._found("UNFLAGGED"), AT_ONCE))

    def put_off_numbers(self) -> list[bytes]:
        """Return the UIDs of some messages that were put off: any of them, so that none stands in another's way."""
        uids = list(self._found("FLAGGED"))
        return random.sample(uids, min(len(uids), PUT_OFF_AT_ONCE))

    def put_off(self, uid: bytes) -> None:
        self._told("STORE", uid.decode(), "+FLAGS.SILENT", "(\\Flagged)")

    def arrived_at(self, uid: bytes) -> datetime:
        """Return when a message was delivered, by the mail server's word."""
        told = imaplib.Internaldate2tuple(self._told("FETCH", uid.decode(), "(INTERNALDATE)")[0])
        if told is None:
            raise Unreachable("FETCH tells no date.")
        return datetime.fromtimestamp(time.mktime(told), UTC)

    def message(self, uid: bytes) -> bytes | None:
        """Return a message; None for one that is too large to be looked at."""
        size = self._told("FETCH", uid.decode(), "(RFC822.SIZE)")[0]
        if int(size.rpartition(b"RFC822.SIZE ")[2].partition(b")")[0].split()[0]) > MOST_MESSAGE_BYTES:
            return None
        found = self._told("FETCH", uid.decode(), "(BODY.PEEK[])")
        return next(part[1] for part in found if isinstance(part, tuple))

    def set_aside(self, uid: bytes) -> None:
        # What exists already answers NO.
        self.connection.create(SET_ASIDE)
        self._told("COPY", uid.decode(), SET_ASIDE)
        self.delete(uid)

    def delete(self, uid: bytes) -> None:
        self._told("STORE", uid.decode(), "+FLAGS.SILENT", "(\\Deleted)")
        self._told("EXPUNGE", uid.decode())

    def _found(self, flag: str) -> Iterator[bytes]:
        """Search from the oldest message on, in bites: the answer is one line, however much has piled up."""
        for first in range(1, self.messages + 1, SEARCHED_AT_ONCE):
            last = min(first + SEARCHED_AT_ONCE - 1, self.messages)
            yield from self._told("SEARCH", f"{first}:{last}", "UNDELETED", flag)[0].split()

    def _told(self, command: str, *words: str) -> list:
        kind, data = self.connection.uid(command, *words)
        if kind != "OK":
            raise Unreachable(f"{command} was refused.")
        return [one for one in data if one is not None] or [b""]


@contextmanager
def opened() -> Iterator[ReportsMailbox]:
    """Sign in by implicit TLS. Raises Unreachable, from reading too."""
    try:
        context = ssl.create_default_context(cafile=settings.MAILHOST_REPORTS_CA_FILE or None)
        host, port = settings.MAILHOST_REPORTS_IMAP_HOST, settings.MAILHOST_REPORTS_IMAP_PORT
        with imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=SECONDS) as connection:
            connection.login(settings.MAILHOST_REPORTS_LOGIN, settings.MAILHOST_REPORTS_PASSWORD)
            kind, told = connection.select("INBOX")
            if kind != "OK":
                raise Unreachable("INBOX cannot be opened.")
            yield ReportsMailbox(connection, int(told[0]))
    except (OSError, imaplib.IMAP4.error) as error:
        raise Unreachable(f"{type(error).__name__}: the reports' mailbox cannot be read.") from None
