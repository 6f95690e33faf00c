"""A stand-in for the part of Cloudflare's v4 API that publishing uses.

Written after the API's public reference: what it wants of each type, how it shows records, its errors and pages.
"""

import re
import secrets
from typing import Any

from tests.dns.stand_in import StandIn

NEEDED = {"SRV": ("priority", "weight", "port", "target"), "CAA": ("flags", "tag", "value")}
RECORDS = re.compile(r"/zones/(?P<zone>\w+)/dns_records(?:/(?P<record>\w+))?")


class CloudflareApi(StandIn):
    base = "/client/v4"

    def __init__(self, zone: str, token: str) -> None:
        super().__init__(zone, token)
        self.zone_id = secrets.token_hex(16)

    def has(self, record_type: str, name: str, content: str, **more: Any) -> str:
        """Enter what somebody else wrote, as the API shows it; return its id."""
        record_id = secrets.token_hex(16)
        self.records[record_id] = {"type": record_type, "name": name, "content": content, "ttl": 300, **more}
        return record_id

    def enters(self, record_type: str, name: str, data: str) -> str:
        """The same, in zone-file form."""
        if record_type == "MX":
            priority, host = data.split(" ")
            return self.has("MX", name, host.removesuffix("."), priority=int(priority))
        if record_type == "CAA":
            flags, tag, value = data.split(" ")
            return self.has("CAA", name, data, data={"flags": int(flags), "tag": tag, "value": value.strip('"')})
        return self.has(record_type, name, data.removesuffix("."))

    def serves(self) -> set[tuple[str, str, str]]:
        return {(row["name"], row["type"], served(row)) for row in self.records.values()}

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, token: str) -> tuple[int, Any]:
        if token != f"Bearer {self.token}":
            return 403, failure(9109, "Invalid access token")
        if method == "GET" and path == "/zones":
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
        if self.is_to_fail():
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


def served(row: dict[str, Any]) -> str:
    kind, content = row["type"], row["content"]
    match kind:
        case "MX":
            return f"{row['priority']} {content}."
        case "SRV":
            return "{priority} {weight} {port} {target}.".format(**row["data"])
        case "CAA":
            return '{flags} {tag} "{value}"'.format(**row["data"])
        case "CNAME":
            return f"{content}."
        case _:
            return content


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
