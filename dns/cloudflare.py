"""How Cloudflare's API wants records, and how it shows them."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy

from dns.changes import Place
from dns.provider_api import Api
from dns.provider_zone import AT_ONCE, Provider
from dns.zone_writing import side_by_side

# Zones on one page: more than these Cloudflare does not give.
MOST_ZONES = 50
# The parts that Cloudflare wants by name, as they follow each other in zone-file form.
PARTS = {"SRV": ("priority", "weight", "port", "target"), "CAA": ("flags", "tag", "value")}
NUMBERS = frozenset({"priority", "weight", "port", "flags"})


def adapted(lexicons: type) -> type:
    class Cloudflare(lexicons):  # type: ignore[misc, valid-type]
        api: Api
        ttls: dict[Place, int]

        def all_of(self, names: Sequence[str]) -> list[dict[str, Any]]:
            found = side_by_side(lambda name: self.list_records(name=name), names, at_once=AT_ONCE)
            return [record for records in found for record in records]

        def _request(self, action: str = "GET", url: str = "/", data: Any = None, query_params: Any = None) -> Any:
            query = dict(query_params or {})
            if url == "/zones" and "per_page" in query:
                query["per_page"] = MOST_ZONES
            body = self._shaped(data) if data else None
            answer = self.api.ask(action, url + (f"?{urlencode(query)}" if query else ""), body)
            if action == "GET" and isinstance(answer.get("result"), list):
                for record in answer["result"]:
                    _complete(record)
            return answer

        def _shaped(self, data: dict[str, Any]) -> dict[str, Any]:
            kind, content = data["type"], data.get("content")
            if content is None:
                # Lexicon splits it where it makes a record, and does not where it changes one.
                content = " ".join(data["data"][part] for part in PARTS[kind])
            shaped = {"type": kind, "name": data["name"], "ttl": self.ttls[data["name"], kind]}
            if kind in PARTS:
                return shaped | _parts_of(kind, content)
            if kind == "MX":
                priority, host = content.split(" ", 1)
                return shaped | {"priority": int(priority), "content": host.rstrip(".")}
            return shaped | {"content": content if kind == "TXT" else content.rstrip(".")}

    return Cloudflare


def _complete(record: Any) -> None:
    """Give a listed record the whole of its data, of which Lexicon passes on the content alone."""
    if not isinstance(record, dict) or "content" not in record:
        return
    if record.get("type") == "MX":
        record["content"] = f"{record.get('priority', 0)} {record['content']}"
    elif record.get("type") in PARTS and isinstance(record.get("data"), dict):
        parts = [record["data"].get(name, "") for name in PARTS[record["type"]]]
        if record["type"] == "CAA":
            parts[-1] = json.dumps(str(parts[-1]))
        record["content"] = " ".join(map(str, parts))


def _parts_of(kind: str, content: str) -> dict[str, Any]:
    words = content.split(" ", len(PARTS[kind]) - 1)
    named = zip(PARTS[kind], words, strict=True)
    return {"data": {name: int(word) if name in NUMBERS else word.strip('"').rstrip(".") for name, word in named}}


def _said(answer: dict[str, Any]) -> str:
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return str(first.get("message", ""))


CLOUDFLARE = Provider(
    name="cloudflare",
    title="Cloudflare",
    lexicon="cloudflare",
    setting="MAILHOST_CLOUDFLARE_API",
    token_help=gettext_lazy("an API token with Zone read and DNS edit, for this zone alone"),
    adapted=adapted,
    said=_said,
    cannot=lambda _record_type, _data: "",
)
