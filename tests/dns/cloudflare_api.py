"""A stand-in for the part of Cloudflare's v4 API that publishing uses, on loopback.

Written after the API's public reference: what it wants of each type, how it shows records, its errors and pages.
"""

import json
import re
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NEEDED = {"SRV": ("priority", "weight", "port", "target"), "CAA": ("flags", "tag", "value")}
RECORDS = re.compile(r"/client/v4/zones/(?P<zone>\w+)/dns_records(?:/(?P<record>\w+))?")


class CloudflareApi:
    """`api.records` is what stands in its one zone; `api.requests` what was asked: (method, path, headers).

    `fails_at = n` answers the n-th writing from now with 500; `silent_for` delays every answer, in seconds.
    """

    def __init__(self, zone: str, token: str) -> None:
        self.zone, self.token, self.zone_id = zone, token, secrets.token_hex(16)
        self.records: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.fails_at: int | None = None
        self.silent_for = 0.0
        self.redirects_to = ""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/client/v4"
        self.lock = threading.Lock()

    def __enter__(self) -> "CloudflareApi":
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def has(self, record_type: str, name: str, content: str, **more: Any) -> str:
        """Enter what somebody else wrote; return its id."""
        record_id = secrets.token_hex(16)
        self.records[record_id] = {"type": record_type, "name": name, "content": content, "ttl": 300, **more}
        return record_id

    def contents(self, name: str, record_type: str) -> list[str]:
        return sorted(
            record["content"]
            for record in self.records.values()
            if (record["name"], record["type"]) == (name, record_type)
        )

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, token: str) -> tuple[int, Any]:
        if token != f"Bearer {self.token}":
            return 403, failure(9109, "Invalid access token")
        if method == "GET" and path == "/client/v4/zones":
            return self.zones(query)
        asked = RECORDS.fullmatch(path)
        if not asked or asked["zone"] != self.zone_id:
            return 404, failure(7003, "Could not route to the zone")
        if method == "GET":
            rows = [{"id": key, **row} for key, row in self.records.items() if query.get("name") in (None, row["name"])]
            return 200, page(rows, query)
        return self.write(method, asked["record"], body)

    def zones(self, query: dict[str, str]) -> tuple[int, Any]:
        if int(query.get("per_page", 20)) > 50:
            return 400, failure(1003, "Invalid per_page")
        return 200, page([{"id": self.zone_id, "name": self.zone}], query)

    def write(self, method: str, record_id: str | None, body: Any) -> tuple[int, Any]:
        if self.fails_at is not None:
            self.fails_at -= 1
            if self.fails_at < 0:
                return 500, failure(1000, f"Internal error, token {self.token}")
        if record_id is not None and record_id not in self.records:
            return 404, failure(81044, "Record does not exist.")
        if method == "DELETE":
            del self.records[record_id]
            return 200, {"success": True, "result": {"id": record_id}}
        try:
            row = shaped(body)
        except (KeyError, TypeError, ValueError) as error:
            return 400, failure(9101, f"{error} is a required data field.")
        others = [row for key, row in self.records.items() if key != record_id and row["name"] == body["name"]]
        if trouble := beside(row, others):
            return 400, trouble
        record_id = record_id or secrets.token_hex(16)
        self.records[record_id] = row
        return 200, {"success": True, "errors": [], "result": {"id": record_id, **row}}

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
                    status, answer = api.answer(self.command, url.path, query, body, self.headers["Authorization"])
                self.send_response(302 if api.redirects_to else status)
                self.send_header("Content-Type", "application/json")
                if api.redirects_to:
                    self.send_header("Location", api.redirects_to)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            do_GET = do_POST = do_PUT = do_DELETE = do

            def log_message(self, *_arguments: object) -> None:
                """Nothing: the test says what was wrong."""

        return Handler


def shaped(body: dict[str, Any]) -> dict[str, Any]:
    """Return a record as the API shows it. Raises KeyError for a part that its type needs."""
    kind = body["type"]
    row = {"type": kind, "name": body["name"], "ttl": int(body["ttl"]), "proxied": False}
    if kind in NEEDED:
        data = {part: body["data"][part] for part in NEEDED[kind]}
        shown = " ".join(str(data[part]) for part in NEEDED[kind][1:])
        return row | {"data": data, "content": shown} | ({"priority": data["priority"]} if kind == "SRV" else {})
    if kind == "MX":
        row["priority"] = int(body["priority"])
    if body["content"].endswith("."):
        raise ValueError(f"content {body['content']}")
    return row | {"content": body["content"]}


def beside(row: dict[str, Any], others: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return why a record cannot stand beside the others of its name."""
    if any((other["type"], other["content"]) == (row["type"], row["content"]) for other in others):
        return failure(81058, "An identical record already exists.")
    if any("CNAME" in (other["type"], row["type"]) for other in others):
        return failure(81054, "A CNAME record with that host already exists.")
    return None


def page(rows: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    size, number = int(query.get("per_page", 20)), int(query.get("page", 1))
    pages = max(1, -(-len(rows) // size))
    shown = rows[(number - 1) * size : number * size]
    return {"success": True, "result": shown, "result_info": {"page": number, "total_pages": pages}}


def failure(code: int, message: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"code": code, "message": message}], "result": None}
