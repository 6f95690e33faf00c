"""A zone at Cloudflare, by dns-lexicon: the optional extra `providers`.

Lexicon knows which requests make, change and take out a record; they are carried by our guarded client, so that they
reach no network of ours, end in time, and bear the token nowhere but in their header. What Lexicon leaves to its
callers is done here: priorities, the parts of SRV and CAA records, and which changes become one.
"""

import importlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from dns.changes import Change, Place
from dns.guarded_http import Blocked, Response, exchange
from dns.lookup import printable
from dns.zone_data import typed
from dns.zone_file import strings
from dns.zone_writing import Bound, NotPublished, side_by_side

TOTAL_SECONDS = 10
MOST_BYTES = 2_000_000
# Zones on one page: more than these Cloudflare does not give.
MOST_ZONES = 50
AT_ONCE = 4
HTTP_OK, HTTP_UNAUTHORIZED, HTTP_FORBIDDEN, HTTP_TOO_MANY = 200, 401, 403, 429
# The parts that Cloudflare wants by name, as they follow each other in zone-file form.
PARTS = {"SRV": ("priority", "weight", "port", "target"), "CAA": ("flags", "tag", "value")}
NUMBERS = frozenset({"priority", "weight", "port", "flags"})


@dataclass(frozen=True)
class CloudflareZone:
    """A zone that an API token opens (`dns.zone_writing.ZoneWriter`). One of these is one act."""

    zone: str
    token: str = field(repr=False)
    bound: Bound = field(default_factory=lambda: Bound(TOTAL_SECONDS), repr=False, compare=False)

    def check(self) -> None:
        self._records_at(self.zone)

    def read(self, places: Iterable[Place]) -> dict[Place, tuple[str, ...]]:
        wanted = sorted({*places, *((name, "CNAME") for name, _type in places)})
        names = sorted({name for name, _type in wanted})
        standing = dict(zip(names, self._each(self._records_at, names), strict=True))
        return {(name, kind): tuple(data for data, _id in standing[name].get(kind, ())) for name, kind in wanted}

    def apply(self, changes: Iterable[Change]) -> None:
        """Make the changes one after the other, as the API has it, once it is seen that all of them can be made."""
        doing = [change for change in changes if change.does_something]
        names = sorted({change.name for change in doing})
        standing = dict(zip(names, self._each(self._records_at, names), strict=True))
        acts: list[Callable[[], Any]] = []
        ends: list[Callable[[], Any]] = []
        for change in doing:
            ids = dict(standing[change.name].get(change.record_type, ()))
            self._refuse_stale(change, standing[change.name], ids)
            # One that follows another takes its place at once: two SPF records, or none, break mail meanwhile.
            followed = min(len(change.removed), len(change.added))
            for old, new in zip(change.removed[:followed], change.added[:followed], strict=True):
                acts.append(lambda change=change, record=ids[old], new=new: self._replace(change, record, new))
            acts += [lambda change=change, new=new: self._add(change, new) for new in change.added[followed:]]
            ends += [lambda record=ids[old]: self._api.delete_record(record) for old in change.removed[followed:]]
        self._each(lambda act: act(), acts)
        self._each(lambda act: act(), ends)

    def _refuse_stale(self, change: Change, standing: dict[str, list[tuple[str, str]]], ids: dict[str, str]) -> None:
        if not set(change.removed) <= set(ids):
            raise NotPublished(_("What is to be replaced was changed meanwhile. Look at the preview again."))
        if set(change.added) & set(ids):
            raise NotPublished(_("What is to be entered stands there already. Look at the preview again."))
        if change.added and change.record_type != "CNAME" and "CNAME" in standing:
            raise NotPublished(_("An alias was entered meanwhile. Look at the preview again."))

    def _records_at(self, name: str) -> dict[str, list[tuple[str, str]]]:
        """Return (data, id) of the records of a name, by their type."""
        found: dict[str, list[tuple[str, str]]] = {}
        for record in self._api.list_records(name=name):
            if record["name"].lower() == name and (data := data_of(record["type"], record["content"])):
                found.setdefault(record["type"], []).append((data, record["id"]))
        return found

    def _add(self, change: Change, data: str) -> None:
        self._api.ttls[change.name, change.record_type] = change.ttl
        self._api.create_record(change.record_type, change.name, data)

    def _replace(self, change: Change, record_id: str, data: str) -> None:
        self._api.ttls[change.name, change.record_type] = change.ttl
        self._api.update_record(record_id, change.record_type, change.name, data)

    def _each(self, act: Callable[[Any], Any], subjects: Sequence[Any]) -> list[Any]:
        # Signed in before the threads begin.
        return side_by_side(act, subjects, at_once=AT_ONCE) if self._api else []

    @cached_property
    def _api(self) -> Any:
        """The provider of Lexicon's, signed in. Raises NotPublished."""
        # Lexicon's own client would first load a list of public suffixes, to guess a zone that is known here.
        config = _lexicon("lexicon.config").ConfigResolver()
        config.with_dict({"provider_name": "cloudflare", "domain": self.zone, "ttl": 3600})
        api = guarded(_lexicon("lexicon._private.providers.cloudflare").Provider)(config)
        api.token, api.bound, api.ttls = self.token, self.bound, {}
        try:
            api.authenticate()
        except _lexicon("lexicon.exceptions").AuthenticationError:
            text = _("This token does not open a zone named %(zone)s.")
            raise NotPublished(text % {"zone": self.zone}) from None
        return api


def is_installed() -> bool:
    """Whether the extra `providers` is there."""
    try:
        importlib.import_module("lexicon.interfaces")
    except ImportError:
        return False
    return True


def _lexicon(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        text = _("Publishing at a provider needs the extra `providers` (dns-lexicon), which is not installed here.")
        raise NotPublished(text) from None


def guarded(provider: type) -> type:
    """Return Lexicon's Cloudflare provider with our client beneath it."""

    class Guarded(provider):  # type: ignore[misc, valid-type]
        token: str
        bound: Bound
        ttls: dict[Place, int]

        def _request(self, action: str = "GET", url: str = "/", data: Any = None, query_params: Any = None) -> Any:
            query = dict(query_params or {})
            if url == "/zones" and "per_page" in query:
                query["per_page"] = MOST_ZONES
            body = self._shaped(data) if data else None
            answer = _asked(self.token, self.bound, action, url + (f"?{urlencode(query)}" if query else ""), body)
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
                return shaped | parts_of(kind, content)
            if kind == "MX":
                priority, host = content.split(" ", 1)
                return shaped | {"priority": int(priority), "content": host.rstrip(".")}
            return shaped | {"content": content if kind == "TXT" else content.rstrip(".")}

    return Guarded


def _asked(token: str, bound: Bound, method: str, url: str, body: Any) -> dict[str, Any]:
    """Ask the API once. Raises NotPublished, in words and without the token."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    sent = b"" if body is None else json.dumps(body).encode()
    address = urlsplit(settings.MAILHOST_CLOUDFLARE_API + url)
    try:
        response = exchange(method, address, body=sent, headers=headers, seconds=bound.left(), most_bytes=MOST_BYTES)
    except (Blocked, OSError, HTTPException):
        bound.left()
        raise NotPublished(_("Cloudflare could not be reached.")) from None
    try:
        answer = json.loads(response.body)
    except ValueError:
        answer = None
    if response.status != HTTP_OK or not isinstance(answer, dict) or not answer.get("success", True):
        raise NotPublished(_meaning(response, answer, token))
    return answer


def _meaning(response: Response, answer: Any, token: str) -> str:
    if response.status in (HTTP_UNAUTHORIZED, HTTP_FORBIDDEN):
        return _("Cloudflare does not accept this token, or it may not edit the zone's DNS.")
    if response.status == HTTP_TOO_MANY:
        return _("Cloudflare asks us to wait. Try again in a few minutes.")
    errors = answer.get("errors") if isinstance(answer, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    said = printable(str(first.get("message", "")))[:200]
    if not said or token in said:
        return _("Cloudflare answered %(status)s.") % {"status": response.status}
    return _("Cloudflare answered %(status)s: %(said)s") % {"status": response.status, "said": said}


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


def parts_of(kind: str, content: str) -> dict[str, Any]:
    words = content.split(" ", len(PARTS[kind]) - 1)
    named = zip(PARTS[kind], words, strict=True)
    return {"data": {name: int(word) if name in NUMBERS else word.strip('"').rstrip(".") for name, word in named}}


def data_of(kind: str, content: str) -> str:
    """Return what Cloudflare shows of a record in zone-file form, "" where it is none that DNS knows."""
    if kind == "TXT" and not content.startswith('"'):
        content = strings(content)
    if kind in {"MX", "CNAME", "SRV"} and not content.endswith("."):
        content += "."
    try:
        return typed(kind, content)
    except Exception:  # whatever dnspython makes of a kind or a text that it does not know
        return ""
