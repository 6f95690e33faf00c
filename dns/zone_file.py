"""A domain's records as lines of a zone file (RFC 1035, 5.1), for whoever keeps its DNS to import."""

from collections.abc import Iterable

from dns.models import DnsRecord

# RFC 1035, 3.3: one string of a TXT record.
MAX_STRING = 255
# The last word of their value is a name, which is absolute.
NAMING = {"MX", "CNAME", "NS", "PTR", "SRV"}


def zone_text(domain_name: str, records: Iterable[DnsRecord]) -> str:
    """Return one line for each record, every name absolute, so that it can be added below any $ORIGIN."""
    lines = [f"; What {domain_name} should publish for its mail."]
    for record in records:
        priority = f"{record.priority} " if record.priority is not None else ""
        lines.append(f"{record.name}. {record.ttl} IN {record.record_type} {priority}{_value(record)}")
    return "".join(f"{line}\n" for line in lines)


def _value(record: DnsRecord) -> str:
    if record.record_type == "TXT":
        return strings(record.value)
    if record.record_type in NAMING:
        return f"{record.value.removesuffix('.')}."
    return record.value


def strings(text: str) -> str:
    """Return a text as the quoted strings of a TXT record; whoever reads the record joins them again."""
    raw = text.encode()
    parts = [raw[start : start + MAX_STRING] for start in range(0, len(raw), MAX_STRING)] or [b""]
    return " ".join(f'"{"".join(map(_sign, part))}"' for part in parts)


def _sign(octet: int) -> str:
    if octet in b'"\\':
        return f"\\{chr(octet)}"
    return chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03d}"
