"""The cast, and a program that is told: a real HTTP server on loopback."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.world import verified_domain, world  # noqa: F401 - a fixture


@dataclass
class Receiver:
    """What was sent to it, and what it answers."""

    url: str = ""
    status: int = 200
    location: str = ""
    received: list[tuple[dict[str, str], str]] = field(default_factory=list)


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    settings.MAILHOST_WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.status)
            if found.location:
                self.send_header("Location", found.location)
            self.end_headers()
            self.wfile.write(b"noted\n")

        def log_message(self, *_arguments) -> None:
            """Tests say what went wrong; a server need not."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}/hooks?of=acme"
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def acme(world):  # noqa: F811 - the fixture above
    """Acme's verified domain acme.example."""
    return verified_domain(world.as_acme, "acme.example")
