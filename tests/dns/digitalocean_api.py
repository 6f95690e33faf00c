"""A stand-in for the part of DigitalOcean's v2 API that publishing uses.

Written after the API's public reference and what others' clients found: names are relative and "@" for the zone, hosts
are to end in a dot and are shown without it, texts are plain, and what a type does not have is null.
"""

import re
from itertools import count
from typing import Any

from dns.zone_file import strings
from tests.dns.stand_in import StandIn

RECORDS = re.compile(r"/domains/(?P<zone>[^/]+)/records(?:/(?P<record>\d+))?")
MEMBERS = ("priority", "port", "weight", "flags", "tag")
NEEDED = {"MX": ("priority",), "SRV": ("priority", "weight", "port"), "CAA": ("flags", "tag")}
NAMES = {"CNAME", "MX", "SRV", "CAA", "NS"}
TYPES = NAMES | {"A", "AAAA", "TXT"}


class DigitaloceanApi(StandIn):
    base = "/v2"

    def __init__(self, zone: str, token: str) -> None:
        super().__init__(zone, token)
        self.numbers = count(3_352_896)
        # Every zone has these, and what they lack is null.
        self.own = [{"id": 1, "type": "SOA", "name": "@", "data": "1800", "ttl": 1800, **dict.fromkeys(MEMBERS)}]

    def has(self, record_type: str, name: str, data: str, **more: Any) -> str:
        """Enter what somebody else wrote, as the API shows it; return its id."""
        record_id = str(next(self.numbers))
        row = {"type": record_type, "name": self.relative(name), "data": data, "ttl": 300}
        self.records[record_id] = row | dict.fromkeys(MEMBERS) | more
        return record_id

    def enters(self, record_type: str, name: str, data: str) -> str:
        """The same, in zone-file form."""
        if record_type == "MX":
            priority, host = data.split(" ")
            return self.has("MX", name, host.removesuffix("."), priority=int(priority))
        if record_type == "CAA":
            flags, tag, value = data.split(" ")
            return self.has("CAA", name, value.strip('"'), flags=int(flags), tag=tag)
        return self.has(record_type, name, data.strip('"').removesuffix("."))

    def relative(self, name: str) -> str:
        return "@" if name == self.zone else name.removesuffix(f".{self.zone}")

    def serves(self) -> set[tuple[str, str, str]]:
        rows = self.records.values()
        names = [self.zone if row["name"] == "@" else f"{row['name']}.{self.zone}" for row in rows]
        return {(name, row["type"], self.served(row)) for name, row in zip(names, rows, strict=True)}

    def served(self, row: dict[str, Any]) -> str:
        kind, data = row["type"], row["data"]
        if kind == "TXT":
            return strings(data)
        parts = [str(row[part]) for part in NEEDED.get(kind, ())]
        name = self.zone if data == "@" else data
        return " ".join([*parts, f'"{name}"' if kind == "CAA" else f"{name}." if kind in NAMES else name])

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, token: str) -> tuple[int, Any]:
        if token != f"Bearer {self.token}":
            return 401, failure("unauthorized", "Unable to authenticate you")
        if method == "GET" and path == f"/domains/{self.zone}":
            return 200, {"domain": {"name": self.zone, "ttl": 1800, "zone_file": ""}}
        asked = RECORDS.fullmatch(path)
        if not asked or asked["zone"] != self.zone:
            return 404, failure("not_found", "The resource you were accessing could not be found.")
        if method == "GET":
            rows = [*self.own, *({"id": int(key), **row} for key, row in self.records.items())]
            return self.page(rows, int(query.get("per_page", 20)), int(query.get("page", 1)))
        return self.write(method, asked["record"], body)

    def page(self, rows: list[dict[str, Any]], size: int, number: int) -> tuple[int, Any]:
        if size > 200:
            return 422, failure("unprocessable_entity", "per_page is too large")
        links = {}
        if number * size < len(rows):
            further = f"{self.url}/domains/{self.zone}/records?page={number + 1}&per_page={size}"
            links = {"pages": {"next": further, "last": further}}
        shown = rows[(number - 1) * size : number * size]
        return 200, {"domain_records": shown, "links": links, "meta": {"total": len(rows)}}

    def write(self, method: str, record_id: str | None, body: Any) -> tuple[int, Any]:
        if self.is_to_fail():
            return 500, failure("server_error", f"Unexpected server-side error, token {self.token}")
        if record_id is not None and record_id not in self.records:
            return 404, failure("not_found", "The resource you were accessing could not be found.")
        if method == "DELETE":
            del self.records[record_id]
            return 204, None
        others = [row for key, row in self.records.items() if key != record_id and row["name"] == body["name"]]
        if trouble := what_is_wrong(body, others):
            return 422, failure("unprocessable_entity", trouble)
        name = body["data"].removesuffix(".") if body["type"] in NAMES else body["data"]
        row = {"type": body["type"], "name": body["name"], "data": "@" if name == self.zone else name}
        row |= {"ttl": body["ttl"], **{part: body.get(part) for part in MEMBERS}}
        record_id = record_id or str(next(self.numbers))
        self.records[record_id] = row
        return 200 if method == "PUT" else 201, {"domain_record": {"id": int(record_id), **row}}


def what_is_wrong(body: dict[str, Any], others: list[dict[str, Any]]) -> str:
    kind, data = body["type"], body["data"]
    if kind not in TYPES:
        return "Type is not included in the list"
    lacking = [part for part in ("name", "ttl", *NEEDED.get(kind, ())) if body.get(part) in {None, ""}]
    if lacking:
        return f"{lacking[0]} is required"
    if kind in NAMES and not data.endswith("."):
        return "Data needs to end with a dot (.)"
    if kind == "TXT" and len(strings(data)) > 512:
        return "Data is too long (maximum is 512 characters)"
    if any("CNAME" in (other["type"], kind) for other in others):
        return "CNAME records cannot share a name with other records"
    return ""


def failure(name: str, message: str) -> dict[str, Any]:
    return {"id": name, "message": message}
