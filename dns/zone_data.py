"""Records as the typed data of DNS, in the one form of a zone file, which no text can break out of (RFC 1035, 5)."""

from dns.rdata import from_text as rdata_of
from dns.records import ExpectedRecord


def rdata(record: ExpectedRecord) -> str:
    """Return the record's data in the one form that DNS itself gives it: quoted, escaped, without comments."""
    return typed(record.record_type, record.rdata)


def typed(record_type: str, text: str) -> str:
    """Return data in its one form. Raises dns.exception.SyntaxError for what is no data of the type."""
    return rdata_of("IN", record_type, text, relativize=False).to_text()
