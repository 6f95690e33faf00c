"""The set-up document of draft-ietf-mailmaint-pacc, whose very bytes a DNS record pins by their digest."""

import hashlib
import json
from base64 import b64encode

WELL_KNOWN = "/.well-known/user-agent-configuration.json"


def document(domain_name: str, mail_host: str) -> bytes:
    """Return the document of a domain. The same input gives the same bytes: a change wants a change in DNS."""
    server = {"host": mail_host}
    content = {
        "authentication": {"password": True},
        "info": {"provider": {"name": domain_name, "shortName": domain_name}},
        # Of implicit TLS alone, so no ManageSieve: that one begins in the clear.
        "protocols": {"imap": server, "pop3": server, "smtp": server},
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def record(domain_name: str, mail_host: str) -> str:
    """Return the TXT record that pins the document."""
    digest = hashlib.sha256(document(domain_name, mail_host)).digest()
    return f"v=UAAC1; a=sha256; d={b64encode(digest).decode()}"
