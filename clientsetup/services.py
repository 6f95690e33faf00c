"""The servers a mail program is told of, best first: implicit TLS before STARTTLS (RFC 8314)."""

from dataclasses import dataclass

from mailconfig.parameters import Parameters


@dataclass(frozen=True)
class Service:
    """`kind` is imap, pop3 or smtp; without `is_tls` from the start, the program says STARTTLS."""

    kind: str
    host: str
    port: int
    is_tls: bool = True


def services() -> list[Service]:
    """Return what this installation offers, at the ports that its daemons listen on."""
    params = Parameters.from_settings()
    return [
        Service("imap", params.hostname, params.imaps_port),
        Service("imap", params.hostname, params.imap_port, is_tls=False),
        Service("pop3", params.hostname, params.pop3s_port),
        Service("smtp", params.hostname, params.submissions_port),
        Service("smtp", params.hostname, params.submission_port, is_tls=False),
    ]


def first(kind: str) -> Service:
    return next(service for service in services() if service.kind == kind)
