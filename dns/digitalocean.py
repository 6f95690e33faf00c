"""How DigitalOcean's API wants records, and how it shows them."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dns.changes import Place, text_of
from dns.provider_api import Api
from dns.provider_zone import Provider
from dns.zone_file import strings

# Records on one page: more than these DigitalOcean does not give.
MOST_RECORDS = 200
TYPES = frozenset({"A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TXT"})
# Those whose data ends in a name.
NAMES = TYPES - {"A", "AAAA", "TXT"}
# Their limit is 512 octets, of the text as it is quoted and split in a zone file.
LONGEST_TEXT = 509
# The members of a record that come before its data, as they follow each other in zone-file form.
PARTS = {"MX": ("priority",), "SRV": ("priority", "weight", "port"), "CAA": ("flags", "tag")}


def adapted(lexicons: type) -> type:
    class DigitalOcean(lexicons):  # type: ignore[misc, valid-type]
        api: Api
        ttls: dict[Place, int]

        def all_of(self, _names: Sequence[str]) -> list[dict[str, Any]]:
            records = super().list_records()
            # Lexicon joins "@" and the zone's name, too.
            return [record | {"name": record["name"].removeprefix("@.")} for record in records]

        def list_records(
            self, rtype: str | None = None, name: str | None = None, content: str | None = None
        ) -> list[dict[str, Any]]:
            """Nothing: before Lexicon makes a record it lists the zone, to see whether it stands there already. That
            was seen for all records at once."""
            return []

        def _request(self, action: str = "GET", url: str = "/", data: Any = None, query_params: Any = None) -> Any:
            if url == f"/domains/{self.domain}/records" and action == "GET":
                url += f"?per_page={MOST_RECORDS}"
            answer = self.api.ask(action, url, self._shaped(data) if data else None)
            for record in answer.get("domain_records", ()):
                record["data"] = self._content(record)
            return answer

        def _shaped(self, data: dict[str, Any]) -> dict[str, Any]:
            kind, name = data["type"], data["name"]
            full_name = f"{name}.{self.domain}" if name else self.domain
            shaped = {"type": kind, "name": name or "@", "ttl": self.ttls[full_name, kind]}
            if kind == "TXT":
                return shaped | {"data": text_of(data["data"])}
            if kind not in NAMES:
                return shaped | {"data": data["data"]}
            *parts, target = data["data"].split(" ", len(PARTS.get(kind, ())))
            words = zip(PARTS.get(kind, ()), parts, strict=True)
            named = {part: word if part == "tag" else int(word) for part, word in words}
            # The name of an authority is to end in a dot as those of hosts do.
            return shaped | named | {"data": target.strip('"').removesuffix(".") + "."}

        def _content(self, record: dict[str, Any]) -> str:
            """Return a listed record's data in zone-file form. Hosts come without the last dot, the zone as "@"."""
            kind, data = record["type"], str(record["data"])
            if kind == "TXT":
                return strings(data)
            if kind not in NAMES:
                return data
            target = self.domain if data == "@" else data.removesuffix(".")
            parts = [str(record[part]) for part in PARTS.get(kind, ())]
            return " ".join([*parts, f'"{target}"' if kind == "CAA" else f"{target}."])

    return DigitalOcean


def cannot(record_type: str, data: str) -> str:
    if record_type not in TYPES:
        return _("DigitalOcean keeps no records of the type %(type)s.") % {"type": record_type}
    if record_type == "TXT" and (len(data) > LONGEST_TEXT or "\\" in text_of(data)):
        text = _("DigitalOcean keeps no text with a backslash, or longer than about %(most)s characters.")
        return text % {"most": LONGEST_TEXT}
    if record_type == "CAA" and any(sign in data.split(" ", 2)[2] for sign in " ;"):
        return _("DigitalOcean keeps the name of an authority alone, without parameters.")
    if record_type == "MX" and data.endswith(" ."):
        return _("DigitalOcean keeps no MX record without a host.")
    return ""


def _said(answer: dict[str, Any]) -> str:
    return str(answer.get("message", ""))


DIGITALOCEAN = Provider(
    name="digitalocean",
    title="DigitalOcean",
    lexicon="digitalocean",
    setting="MAILHOST_DIGITALOCEAN_API",
    token_help=gettext_lazy("a personal access token that may read, create, update and delete domains"),
    adapted=adapted,
    said=_said,
    cannot=cannot,
)
