"""Asking the stack over HTTPS by a name that DNS leads to it, as mail programs and other servers do."""

import socket
import ssl
from http.client import HTTPConnection, HTTPResponse

SECONDS = 15


def ask(
    info: dict, host: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[HTTPResponse, bytes]:
    """GET, or POST a body. `info` is stack.json. Raises ssl.SSLError where the name has no certificate."""
    trust = ssl.create_default_context(cafile=info["tls"]["ca_file"])
    plain = socket.create_connection((info["https"]["host"], info["https"]["port"]), SECONDS)
    connection = HTTPConnection(host, info["https"]["port"])
    try:
        connection.sock = trust.wrap_socket(plain, server_hostname=host)
        connection.request("GET" if body is None else "POST", path, body, {"Connection": "close", **(headers or {})})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()
        plain.close()
