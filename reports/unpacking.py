"""From a message to the documents in it, whatever somebody has packed: bounded in size, ratio and number."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

MOST_MESSAGE_BYTES = 10 * 1024 * 1024
MOST_PARTS = 50
MOST_DOCUMENTS = 5
# A report of a large receiver has some megabytes and packs to a thirtieth.
MOST_BYTES = 10 * 1024 * 1024
MOST_RATIO = 200
RATIO_COUNTS_FROM = 256 * 1024
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
INFLATE_GZIP = 31


class Broken(ValueError):
    """A report that is not read; the message says why, in a sentence."""


def read_message(raw: bytes) -> EmailMessage:
    """Return the parsed message. Raises Broken."""
    if len(raw) > MOST_MESSAGE_BYTES:
        raise Broken("The message is too large.")
    try:
        return message_from_bytes(raw, policy=default)
    except (ValueError, LookupError, IndexError, AttributeError, TypeError) as error:
        # The parser of the standard library stumbles in many ways over headers that were made to.
        raise Broken(f"The message cannot be parsed ({type(error).__name__}).") from None


def documents(message: EmailMessage) -> list[bytes]:
    """Return the XML and JSON documents of a message, unpacked. Raises Broken."""
    found = []
    for data in parts(message):
        document = unpacked(data)
        if document.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"<", b"{"}:
            found.append(document)
        if len(found) > MOST_DOCUMENTS:
            raise Broken(f"The message has more than {MOST_DOCUMENTS} documents.")
    if not found:
        raise Broken("The message has no report in it.")
    return found


def parts(message: EmailMessage) -> Iterator[bytes]:
    """Yield what is attached, and texts that begin as a document does."""
    for number, part in enumerate(message.walk()):
        if number >= MOST_PARTS:
            raise Broken(f"The message has more than {MOST_PARTS} parts.")
        kind = part.get_content_type()
        if part.is_multipart() or kind in {"text/plain", "text/html"}:
            continue
        data = part.get_payload(decode=True)
        if isinstance(data, bytes) and data:
            yield data


def unpacked(data: bytes) -> bytes:
    """Return the document, whatever the part's type claims to be. Raises Broken."""
    if data.startswith(GZIP):
        document = gunzipped(data)
    elif data.startswith(ZIP):
        document = unzipped(data)
    else:
        document = data
    if len(document) > MOST_BYTES:
        raise Broken("The report is too large.")
    if len(document) > RATIO_COUNTS_FROM and len(document) > MOST_RATIO * len(data):
        raise Broken("The report is packed more tightly than any report is.")
    return document


def gunzipped(data: bytes) -> bytes:
    inflating = zlib.decompressobj(INFLATE_GZIP)
    try:
        document = inflating.decompress(data, MOST_BYTES + 1)
    except zlib.error:
        raise Broken("The report cannot be unpacked (gzip).") from None
    if not inflating.eof and len(document) <= MOST_BYTES:
        raise Broken("The report is cut off (gzip).")
    return document


def unzipped(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(names) != 1:
                raise Broken("The archive must hold one report.")
            # What the archive says of its size is the sender's say.
            with archive.open(names[0]) as entry:
                return entry.read(MOST_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        if isinstance(error, Broken):
            raise
        raise Broken("The report cannot be unpacked (zip).") from None
