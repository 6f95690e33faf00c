"""Reads what people bring: a table of mailboxes or of aliases, in whatever encoding and with whatever separator."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mailhost import sheets
from mailhost.errors import Refused
from mailhost.said import gettext as _

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 20_000
MAX_CELL = 20_000
MAILBOXES, ALIASES = "mailboxes", "aliases"
SEPARATORS = ",;\t|"
# Other programs' names of our columns; what is not named here is passed over.
COLUMNS = {
    MAILBOXES: {
        "email": ("email", "address", "mailbox", "username", "user", "e_mail", "mail"),
        "display_name": ("display_name", "name", "full_name", "description"),
        "storage_quota_mb": ("storage_quota_mb", "storage_quota", "quota_mb", "quota"),
        "password": ("password", "plain_password"),
        "password_hash": ("password_hash", "hash", "crypt"),
        "invite_to": ("invite_to", "recovery_email"),
    },
    ALIASES: {
        "source": ("source", "alias", "address", "email", "from"),
        "targets": ("targets", "target", "goto", "destination", "destinations", "forward_to", "to"),
    },
}
# How lists of aliases are written down without a table: "sales@acme.example: anna@…, ben@…".
ARROW = re.compile(r"\s*(?:->|=>|→|:)\s*")
BETWEEN_TARGETS = re.compile(r"[\s,;]+")


@dataclass
class Row:
    """One line of the table: its number as an editor counts, and its cells by our names."""

    line: int
    cells: dict[str, str]


@dataclass
class Table:
    """What was read. `ignored` are the columns that mean nothing to us."""

    kind: str
    rows: list[Row]
    ignored: list[str] = field(default_factory=list)


def read_table(data: bytes, kind: str) -> Table:
    """Read an upload of this kind. Raises Refused: invalid_table, too_large."""
    if len(data) > MAX_BYTES:
        raise _refusal("too_large", _("The file has more than %(most)d MB.") % {"most": MAX_BYTES // 1024 // 1024})
    lines = decoded(data).splitlines()
    if not any(line.strip() for line in lines):
        raise _refusal("invalid_table", _("There is nothing in it."))
    if kind == ALIASES and (pairs := _arrows(lines)):
        return Table(kind, _few_enough(pairs))
    separator = _separator(next(line for line in lines if line.strip()))
    try:
        records = [(number, cells) for number, cells in _records(lines, separator) if any(map(str.strip, cells))]
    except csv.Error as error:
        raise _refusal("invalid_table", _("This is no table: %(why)s.") % {"why": error}) from None
    (_number, header), *body = records
    names = _meanings(header, kind)
    if names is None:
        body, names = records, _without_header(header, kind)
    rows = [Row(number, _cells(names, cells)) for number, cells in _few_enough(body)]
    if not rows:
        raise _refusal("invalid_table", _("There is a line of column names and nothing below it."))
    return Table(kind, rows, [name.strip() for name, ours in zip(header, names, strict=False) if not ours and name])


def decoded(data: bytes) -> str:
    """Return the text: UTF-16 where it says so, UTF-8 where it is, else as Windows writes in the west."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def targets_in(text: str) -> list[str]:
    return [target for target in BETWEEN_TARGETS.split(text) if target]


def _arrows(lines: Sequence[str]) -> list[Row]:
    """Return the aliases of a list that has an arrow or a colon in every line, or nothing."""
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        source, *targets = ARROW.split(line.strip(), maxsplit=1)
        if not targets or "@" not in source:
            return []
        rows.append(Row(number, {"source": source, "targets": targets[0]}))
    return rows


def _records(lines: Sequence[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    before = 0
    for cells in reader:
        yield before + 1, cells
        before = reader.line_num


def _separator(line: str) -> str:
    """Return the sign that stands most often in the first line."""
    return max(SEPARATORS, key=line.count)


def _meanings(header: Sequence[str], kind: str) -> list[str] | None:
    """Return what each column means to us, or None when this is no line of names."""
    known = {alias: ours for ours, aliases in COLUMNS[kind].items() for alias in aliases}
    names = [known.get(re.sub(r"[\s-]+", "_", cell.strip().lower()), "") for cell in header]
    main = next(iter(COLUMNS[kind]))
    if main in names and not any("@" in cell for cell in header):
        # Of two columns with the same meaning the first counts.
        return [name if name not in names[:place] else "" for place, name in enumerate(names)]
    if any("@" in cell for cell in header):
        return None
    message = _("No column is called “%(column)s”. The first line names the columns: %(columns)s.")
    raise _refusal("invalid_table", message % {"column": main, "columns": ", ".join(COLUMNS[kind])})


def _without_header(first: Sequence[str], kind: str) -> list[str]:
    """A list without a line of names: an alias and its targets; of mailboxes, the address alone."""
    if kind == ALIASES and len(first) > 1:
        return ["source", *["targets"] * (len(first) - 1)]
    message = _("The first line must name the columns: %(columns)s.") % {"columns": ", ".join(COLUMNS[kind])}
    raise _refusal("invalid_table", message)


def _cells(names: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, cell in zip(names, cells, strict=False):
        value = cell if name == "password" else sheets.unguarded(cell.strip())
        if name and value:
            found[name] = f"{found[name]} {value}" if name == "targets" and name in found else value
    return found


def _few_enough(rows: list) -> list:
    if len(rows) > MAX_ROWS:
        message = _("There are %(count)d rows, and at most %(most)d are taken at once. Split the file.")
        raise _refusal("too_large", message % {"count": len(rows), "most": MAX_ROWS})
    return rows


def _refusal(code: str, message: str) -> Refused:
    return Refused(code, "file", message)
