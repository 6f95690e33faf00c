"""TLS reports as plain values (RFC 8460, 4)."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reports.dmarc_xml import LONGEST, MOST_MESSAGES, name_of, named
from reports.unpacking import Broken

MOST_POLICIES, MOST_FAILURES = 100, 5000
SUCCESS = "successful"


@dataclass(frozen=True)
class TlsRow:
    """Sessions with one result; `result` is RFC 8460's word for a failure, or SUCCESS."""

    policy_type: str
    result: str
    mx_host: str
    count: int


@dataclass(frozen=True)
class TlsReport:
    reporter: str
    report_id: str
    domain_name: str
    begins_at: datetime
    ends_at: datetime
    rows: tuple[TlsRow, ...] = ()


def read_tls(document: bytes) -> list[TlsReport]:
    """Return a report for each domain that the document speaks of. Raises Broken."""
    try:
        content = json.loads(document)
    except (ValueError, RecursionError):
        raise Broken("The document is no JSON.") from None
    policies = listed(member(content, "policies"), MOST_POLICIES)
    period = member(content, "date-range")
    begins_at, ends_at = moment(member(period, "start-datetime")), moment(member(period, "end-datetime"))
    if ends_at < begins_at:
        raise Broken("The report ends before it begins.")
    reporter = named(word(member(content, "organization-name")), "organization-name")
    report_id = named(word(member(content, "report-id")), "report-id")
    rows: dict[str, list[TlsRow]] = {}
    for policy in policies:
        about = member(policy, "policy")
        rows.setdefault(name_of(word(member(about, "policy-domain"))), []).extend(rows_of(policy, about))
    return [TlsReport(reporter, report_id, name, begins_at, ends_at, tuple(found)) for name, found in rows.items()]


def rows_of(policy: Any, about: Any) -> list[TlsRow]:
    kind = term(member(about, "policy-type"), 30)
    summary = member(policy, "summary")
    rows = []
    for failure in listed(policy.get("failure-details", []), MOST_FAILURES):
        host = word(failure.get("receiving-mx-hostname", "") if isinstance(failure, dict) else "")
        count = number(member(failure, "failed-session-count"))
        rows.append(TlsRow(kind, term(member(failure, "result-type"), 60), host.lower()[:LONGEST], count))
    rows.append(TlsRow(kind, SUCCESS, "", number(member(summary, "total-successful-session-count"))))
    # Failures that are counted and not detailed.
    left = number(member(summary, "total-failure-session-count")) - sum(row.count for row in rows[:-1])
    if left > 0:
        rows.append(TlsRow(kind, "unspecified", "", left))
    return [row for row in rows if row.count]


def member(content: Any, name: str) -> Any:
    if not isinstance(content, dict) or name not in content:
        raise Broken(f"The report lacks {name}.")
    return content[name]


def listed(value: Any, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise Broken("The report has a list that is none, or a very long one.")
    return value


def word(value: Any) -> str:
    if not isinstance(value, str):
        raise Broken("The report has something else where a text must stand.")
    return "".join(sign for sign in value if sign.isprintable())


def term(value: Any, longest: int) -> str:
    """Return one of RFC 8460's words: two that differ in case alone are one to the database, so there is one here."""
    return "".join(sign for sign in word(value).lower() if sign.isascii() and (sign.isalnum() or sign in "-_"))[
        :longest
    ]


def number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_MESSAGES:
        raise Broken("The report counts an impossible number of sessions.")
    return value


def moment(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(word(value))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        # In the first and the last of all years another zone's hours lie outside.
        raise Broken("The report's period cannot be read.") from None
