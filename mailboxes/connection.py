"""What a person types into a mail program."""

from dataclasses import dataclass

from django.utils.module_loading import import_string

# By name, because mailconfig/ stands above this app.
PARAMETERS = "mailconfig.parameters.Parameters"


@dataclass(frozen=True)
class Connection:
    """One service: where it listens. Its TLS begins with the first byte (RFC 8314)."""

    name: str
    host: str
    port: int


def connections() -> list[Connection]:
    """Return the services in the order in which mail programs ask for them."""
    parameters = import_string(PARAMETERS).from_settings()
    return [
        Connection("Incoming, IMAP", parameters.hostname, parameters.imaps_port),
        Connection("Incoming, POP3", parameters.hostname, parameters.pop3s_port),
        Connection("Outgoing, SMTP", parameters.hostname, parameters.submissions_port),
    ]
