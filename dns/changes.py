"""What publishing would change in a zone, as plain values: ours is added, what others wrote is left alone."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass

from django.utils.translation import gettext as _

from dns.models import Purpose
from dns.rdata import from_text as rdata_of
from dns.reading import before_all
from dns.records import ExpectedRecord
from dns.spf import SpfError, parse, spf_records
from dns.zone_data import rdata, typed

Place = tuple[str, str]
IsRight = Callable[[ExpectedRecord, tuple[str, ...]], bool]
# Where one record stands alone by its nature: a second one of the kind would break what is there.
ALONE = frozenset({Purpose.MX, Purpose.DMARC, Purpose.MTA_STS, Purpose.TLS_RPT, Purpose.BIMI})


@dataclass(frozen=True)
class Change:
    """Records to take out of and put into one name and type, as data in zone-file form; `ttl` in seconds.

    `note` says why a place that should change does not: then nothing is taken out or put in.
    """

    name: str
    record_type: str
    ttl: int
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    note: str = ""

    @property
    def does_something(self) -> bool:
        return bool(self.removed or self.added)

    @property
    def undone(self) -> "Change":
        return Change(self.name, self.record_type, self.ttl, removed=self.added, added=self.removed)

    def as_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "Change":
        return cls(**{**values, "removed": tuple(values["removed"]), "added": tuple(values["added"])})


def plan(
    records: Iterable[ExpectedRecord],
    standing: Mapping[Place, tuple[str, ...]],
    written: Mapping[Place, frozenset[str]],
    is_right: IsRight,
) -> list[Change]:
    """Return what would change, place by place.

    `standing`: what the zone holds now, of every type where an alias is wanted; `written`: what we put there earlier,
    which alone may be taken out; `is_right`: whether a record is satisfied by what stands.
    """
    wanted: dict[Place, list[ExpectedRecord]] = {}
    for record in records:
        wanted.setdefault((record.name, record.record_type), []).append(record)
    grounds = [
        Ground(
            place,
            wanted.get(place, []),
            standing.get(place, ()),
            frozenset(typed(place[1], text) for text in written.get(place, ())) & set(standing.get(place, ())),
        )
        for place in sorted({*wanted, *written})
    ]
    going = {ground.place: _going(ground, is_right) for ground in grounds}
    # What of ours goes makes room in the same act: a text that becomes an alias, or the other way round.
    staying = {
        place: tuple(one for one in present if one not in going.get(place, ())) for place, present in standing.items()
    }
    return [change for ground in grounds for change in _at(ground, going[ground.place], staying, is_right)]


@dataclass(frozen=True)
class Ground:
    """One name and type: what is wanted there, what stands, and what of that is ours."""

    place: Place
    records: list[ExpectedRecord]
    present: tuple[str, ...]
    ours: frozenset[str]

    @property
    def foreign(self) -> list[str]:
        return [one for one in self.present if one not in self.ours]


def _going(ground: Ground, is_right: IsRight) -> set[str]:
    """Return what of ours is to go. What satisfies a record stays; so does all beside an SPF record that is right."""
    going = set(ground.ours)
    for record in ground.records:
        if is_right(record, ground.present):
            going -= {one for one in ground.ours if is_right(record, (one,))}
            if record.purpose == Purpose.SPF:
                going.clear()
    return going


def _at(ground: Ground, going: set[str], staying: Mapping[Place, tuple[str, ...]], is_right: IsRight) -> list[Change]:
    name, record_type = ground.place
    ttl = ground.records[0].ttl if ground.records else 3600
    removed, added, notes = set(going), [], []
    for record in ground.records:
        if not is_right(record, ground.present):
            text, taken, note = _new(record, ground.foreign, staying)
            added += text
            removed |= set(taken)
            notes += note
    if not (removed or added or notes):
        return []
    return [Change(name, record_type, ttl, tuple(sorted(removed - set(added))), tuple(added), " ".join(notes))]


def _new(
    record: ExpectedRecord, foreign: list[str], staying: Mapping[Place, tuple[str, ...]]
) -> tuple[list[str], list[str], list[str]]:
    """Return (added, removed, notes) for a record that does not stand yet beside what others wrote."""
    if note := _alias_in_the_way(record, staying):
        return [], [], [note]
    if record.purpose == Purpose.SPF:
        return _merged_spf(record, foreign)
    if record.purpose == Purpose.CAA and not foreign:
        # The first one would forbid every other authority, that of the domain's web site too.
        return [], [], [_("No CAA record stands there, so every authority may issue. Nothing is needed.")]
    rivals = [one for one in foreign if _is_rival(record, one)]
    if rivals:
        said = _("%(found)s stands there. It was not written here, so it is for you to take out.")
        return [], [], [said % {"found": rivals[0][:200]}]
    return [rdata(record)], [], []


def _alias_in_the_way(record: ExpectedRecord, staying: Mapping[Place, tuple[str, ...]]) -> str:
    """Say what keeps a record from standing where an alias does, or an alias where anything does (RFC 1034, 3.6.2)."""
    if record.record_type != "CNAME":
        alias = staying.get((record.name, "CNAME"), ())
        if not alias:
            return ""
        said = _(
            "%(name)s is an alias of %(target)s; nothing can stand beside it. Take the alias out, or replace it by the "
            "records of its target, then publish again."
        )
        return said % {"name": record.name, "target": alias[0]}
    beside = sorted(kind for (name, kind), data in staying.items() if name == record.name and kind != "CNAME" and data)
    if not beside:
        return ""
    said = _(
        "%(kinds)s stands at %(name)s; an alias (CNAME) can have nothing beside it. Take that out, then publish again."
    )
    return said % {"kinds": ", ".join(beside), "name": record.name}


def _is_rival(record: ExpectedRecord, data: str) -> bool:
    if record.record_type == "CNAME" or record.purpose == Purpose.MX:
        return True
    if record.purpose not in ALONE:
        return False
    return text_of(data).lower().startswith(record.value.split(";")[0].lower())


def _merged_spf(record: ExpectedRecord, foreign: list[str]) -> tuple[list[str], list[str], list[str]]:
    found = [one for one in foreign if spf_records([text_of(one)])]
    if not found:
        return [rdata(record)], [], []
    if len(found) > 1:
        said = _("There are several SPF records. Merge them into one; which of them counts is for you to say.")
        return [], [], [said]
    try:
        merged = merge_spf(text_of(found[0]), record.value)
    except SpfError as error:
        said = _("The SPF record that is there cannot be read: %(problem)s")
        return [], [], [said % {"problem": error.said.translated}]
    return [rdata(ExpectedRecord(record.purpose, "TXT", record.name, merged, record.necessity))], [found[0]], []


def merge_spf(standing: str, wanted: str) -> str:
    """Return the standing SPF record with the mechanisms of the wanted one that it lacks, before its last word.

    Raises SpfError for a record that cannot be read.
    """
    parse(standing)
    words = standing.split()
    have = {word.lower().removeprefix("+") for word in before_all(standing)}
    lacking = [word for word in wanted.split()[1:] if not word.endswith("all") and word.lower() not in have]
    at = next((index for index, word in enumerate(words) if _ends(word)), len(words))
    return " ".join([*words[:at], *lacking, *words[at:]])


def _ends(word: str) -> bool:
    return word.lower().lstrip("+-~?") == "all" or word.lower().startswith("redirect=")


def text_of(data: str) -> str:
    """Return the text of a TXT record's data: its strings joined."""
    return b"".join(rdata_of("IN", "TXT", data).strings).decode("utf-8", "replace")
