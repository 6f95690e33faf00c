"""No password crosses a line that is not encrypted.

Dovecot takes a client that comes from the very address it connects to for one on the same machine, so these come from
another address of loopback.
"""

import socket

import pytest

from tests.mail.conftest import PASSWORD

ATTEMPTS = {
    "imap": (b'a LOGIN "{user}" "{password}"', b"a NO [PRIVACYREQUIRED]"),
    "pop3": (b"USER {user}", b"-ERR [AUTH] Plaintext"),
    "managesieve": (b'AUTHENTICATE "PLAIN" "AGEAYg=="', b"NO "),
}


@pytest.mark.parametrize("service", ATTEMPTS)
def test_signing_in_without_tls_is_refused(post, acme, service):
    anna = acme.mailbox("anna")
    attempt, refused = ATTEMPTS[service]
    port = post.stack.port(service)

    with socket.create_connection(("127.0.0.1", port), 20, source_address=("127.0.0.9", 0)) as connection:
        stream = connection.makefile("rwb")
        greeting = stream.readline()
        while service == "managesieve" and not greeting.startswith(b"OK"):
            assert b"SASL" not in greeting or greeting.strip() == b'"SASL" ""'
            greeting = stream.readline()
        stream.write(attempt.replace(b"{user}", anna.email.encode()).replace(b"{password}", PASSWORD.encode()))
        stream.write(b"\r\n")
        stream.flush()
        answer = stream.readline()
        while answer.startswith(b"* "):
            answer = stream.readline()

    assert answer.startswith(refused)
