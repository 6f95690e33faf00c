"""A stand-in for the API of a provider of DNS, on loopback: what those of all providers have in common."""

import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "token-" + secrets.token_urlsafe(30)


class StandIn:
    """`api.records` is what stands in its one zone, by id; `api.requests` what was asked: (method, path, headers).

    `fails_at = n` fails the n-th writing from now; `silent_for` delays every answer, in seconds. A provider's own class
    says what is answered (`answer`), enters what somebody else wrote (`has`), and tells what the zone serves in
    zone-file form (`serves`).
    """

    base = ""

    def __init__(self, zone: str, token: str) -> None:
        self.zone, self.token = zone, token
        self.records: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.fails_at: int | None = None
        self.silent_for = 0.0
        self.redirects_to = ""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}{self.base}"
        self.lock = threading.Lock()

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def is_to_fail(self) -> bool:
        """Whether this writing, of those counted by `fails_at`, and all after it fail."""
        if self.fails_at is None:
            return False
        self.fails_at -= 1
        return self.fails_at < 0

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do(self) -> None:
                url = urlsplit(self.path)
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length)) if length else None
                time.sleep(api.silent_for)
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                with api.lock:
                    api.requests.append((self.command, self.path, dict(self.headers)))
                    path, token = url.path.removeprefix(api.base), self.headers["Authorization"]
                    status, answer = api.answer(self.command, path, query, body, token)
                self.send_response(302 if api.redirects_to else status)
                self.send_header("Content-Type", "application/json")
                if api.redirects_to:
                    self.send_header("Location", api.redirects_to)
                self.end_headers()
                if answer is not None:
                    self.wfile.write(json.dumps(answer).encode())

            do_GET = do_POST = do_PUT = do_DELETE = do

            def log_message(self, *_arguments: object) -> None:
                """Nothing: the test says what was wrong."""

        return Handler
