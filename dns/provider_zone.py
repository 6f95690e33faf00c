"""A zone at a provider of DNS, by dns-lexicon: the optional extra `providers`.

Lexicon knows which requests make, change and take out a record; `dns.provider_api` carries them, so that they reach no
network of ours, end in time, and bear the token nowhere but in their header. What Lexicon leaves to its callers is
done here and in each provider's own module: priorities, the parts of SRV and CAA records, and which changes become one.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from dns.changes import Change, Place
from dns.provider_api import Api, NotThere
from dns.zone_data import typed
from dns.zone_file import strings
from dns.zone_writing import Bound, NotPublished, side_by_side

TOTAL_SECONDS = 10
AT_ONCE = 4
Standing = dict[str, list[tuple[str, str]]]


@dataclass(frozen=True)
class Provider:
    """What publishing has to know of one provider.

    `adapted` makes a class from Lexicon's (`lexicon`: the module's name) that asks through `api`, wants and shows
    records in zone-file form, gives each the time to live of `ttls`, and has `all_of(names)`. `setting` says where its
    API is, `token_help` what a token must allow, `said` finds the API's own words in an answer that refuses, and
    `cannot(record_type, data)` why a record cannot stand there, "" where it can.
    """

    name: str
    title: str
    lexicon: str
    setting: str
    token_help: Promise
    adapted: Callable[[type], type]
    said: Callable[[dict[str, Any]], str]
    cannot: Callable[[str, str], str]


@dataclass(frozen=True)
class ProviderZone:
    """A zone that an API token opens (`dns.zone_writing.ZoneWriter`). One of these is one act."""

    provider: Provider
    zone: str
    token: str = field(repr=False)
    bound: Bound = field(default_factory=lambda: Bound(TOTAL_SECONDS), repr=False, compare=False)

    def check(self) -> None:
        self._standing([self.zone])

    def read(self, places: Iterable[Place]) -> dict[Place, tuple[str, ...]]:
        asked = set(places)
        standing = self._standing(sorted({name for name, _type in asked}))
        wanted = {*asked, *((name, "CNAME") for name, _type in asked)}
        # An alias bears nothing beside it.
        wanted |= {(name, other) for name, kind in asked if kind == "CNAME" for other in standing[name]}
        return {(name, kind): tuple(data for data, _id in standing[name].get(kind, ())) for name, kind in wanted}

    def cannot(self, record_type: str, data: str) -> str:
        return self.provider.cannot(record_type, data)

    def apply(self, changes: Iterable[Change]) -> None:
        """Make the changes one after the other, as the API has it, once it is seen that all of them can be made."""
        doing = [change for change in changes if change.does_something]
        standing = self._standing(sorted({change.name for change in doing}))
        for name in standing:
            _refuse_stale([change for change in doing if change.name == name], standing[name])
        turning = _names_that_turn(doing)
        begins: list[Callable[[], Any]] = []
        acts: list[Callable[[], Any]] = []
        ends: list[Callable[[], Any]] = []
        for change in doing:
            ids = dict(standing[change.name].get(change.record_type, ()))
            # One that follows another takes its place at once: two SPF records, or none, break mail meanwhile.
            followed = min(len(change.removed), len(change.added))
            for old, new in zip(change.removed[:followed], change.added[:followed], strict=True):
                acts.append(lambda change=change, record=ids[old], new=new: self._replace(change, record, new))
            acts += [lambda change=change, new=new: self._add(change, new) for new in change.added[followed:]]
            # Elsewhere what is new stands before the old goes; an alias and a record of its name cannot overlap.
            last = begins if change.name in turning else ends
            last += [lambda record=ids[old]: self._records.delete_record(record) for old in change.removed[followed:]]
        for some in (begins, acts, ends):
            self._each(some)

    def _standing(self, names: Sequence[str]) -> dict[str, Standing]:
        """Return (data, id) of the records of these names, by name and type."""
        found: dict[str, Standing] = {name: {} for name in names}
        with self._readable():
            for record in self._records.all_of(names):
                standing = found.get(record["name"].lower())
                if standing is not None and (data := data_of(record["type"], record["content"])):
                    standing.setdefault(record["type"], []).append((data, record["id"]))
        return found

    def _add(self, change: Change, data: str) -> None:
        self._records.ttls[change.name, change.record_type] = change.ttl
        self._records.create_record(change.record_type, change.name, data)

    def _replace(self, change: Change, record_id: str, data: str) -> None:
        self._records.ttls[change.name, change.record_type] = change.ttl
        self._records.update_record(record_id, change.record_type, change.name, data)

    def _each(self, acts: Sequence[Callable[[], Any]]) -> None:
        with self._readable():
            side_by_side(lambda act: act(), acts, at_once=AT_ONCE)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Lexicon and we take an answer for what the API promises: what is none of it raises anything."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            text = _("%(provider)s answered what cannot be read.") % {"provider": self.provider.title}
            raise NotPublished(text) from None

    @cached_property
    def _records(self) -> Any:
        """The zone as Lexicon has it, signed in. Raises NotPublished."""
        # Lexicon's own client would first load a list of public suffixes, to guess a zone that is known here.
        config = _lexicon("lexicon.config").ConfigResolver()
        config.with_dict({"provider_name": self.provider.name, "domain": self.zone, "ttl": 3600})
        lexicons = _lexicon(f"lexicon._private.providers.{self.provider.lexicon}").Provider
        records = self.provider.adapted(lexicons)(config)
        url = getattr(settings, self.provider.setting)
        records.api = Api(self.provider.title, url, self.token, self.bound, self.provider.said)
        records.ttls = {}
        try:
            records.authenticate()
        except (NotThere, _lexicon("lexicon.exceptions").AuthenticationError):
            text = _("This token does not open a zone named %(zone)s.")
            raise NotPublished(text % {"zone": self.zone}) from None
        return records


def _names_that_turn(changes: Sequence[Change]) -> set[str]:
    """Return the names at which an alias gives way to something else, or something else to an alias."""
    return {
        coming.name
        for coming in changes
        for leaving in changes
        if coming.added and leaving.removed and coming.name == leaving.name
        if (coming.record_type == "CNAME") != (leaving.record_type == "CNAME")
    }


def _refuse_stale(changes: Sequence[Change], standing: Standing) -> None:
    """Raise NotPublished where the changes of one name do not fit what stands there."""
    left = {kind: {data for data, _id in records} for kind, records in standing.items()}
    for change in changes:
        present = left.get(change.record_type, set())
        if not set(change.removed) <= present:
            raise NotPublished(_("What is to be replaced was changed meanwhile. Look at the preview again."))
        if set(change.added) & present:
            raise NotPublished(_("What is to be entered stands there already. Look at the preview again."))
        left[change.record_type] = present - set(change.removed)
    staying = {kind for kind, data in left.items() if data}
    coming = {change.record_type for change in changes if change.added}
    if coming - {"CNAME"} and "CNAME" in staying:
        raise NotPublished(_("An alias was entered meanwhile. Look at the preview again."))
    if "CNAME" in coming and staying - {"CNAME"}:
        raise NotPublished(_("Something stands where an alias is to be entered. Look at the preview again."))


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


def data_of(kind: str, content: str) -> str:
    """Return what an API shows of a record in zone-file form, "" where it is none that DNS knows."""
    if kind == "TXT" and not content.startswith('"'):
        content = strings(content)
    if kind in {"MX", "CNAME", "SRV"} and not content.endswith("."):
        content += "."
    try:
        return typed(kind, content)
    except Exception:  # whatever dnspython makes of a kind or a text that it does not know
        return ""
