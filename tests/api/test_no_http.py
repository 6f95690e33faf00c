"""What is no HTTP, or too much of it, gets a problem as every other error does: the web server writes no HTML."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.apiside import PROBLEM


def answer_to(stack, text: bytes) -> tuple[str, dict[str, str], dict]:
    """Return the first line, the headers and the body of what the web server answers to these bytes."""
    address = urlsplit(stack.info["web"]["url"])
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(text)
        with connection.makefile("rb") as file:
            head, _, body = file.read().partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), json.loads(body)


@pytest.mark.parametrize(
    "text",
    [
        b"GET /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1\r\nBad Header: x\r\n\r\n",
        b"GET /api/v1/me?" + b"a" * 9000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /api/v1/mailboxes HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
        b"GET /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
    ids=["name of a header", "long line", "length", "long header", "nonsense"],
)
def test_it_gets_a_problem(stack, text):
    first, headers, body = answer_to(stack, text)

    assert first.startswith("HTTP/1.1 400 ")
    assert headers["Content-Type"] == PROBLEM
    assert (body["status"], body["code"]) == (400, "malformed_request")
    assert body["detail"]
    assert body["request_id"] == headers["X-Request-Id"]
    assert body["request_id"].startswith("req_")
