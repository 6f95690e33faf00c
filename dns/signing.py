"""OpenDKIM's KeyTable and SigningTable as text: rows in, lines out, and a lint that nothing unsafe passes."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dns.dkim import SELECTOR

A_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(rf"{A_LABEL}(?:\.{A_LABEL})+")
MAX_DOMAIN = 253
# No "." or ".." as a step of the path.
FOLDER = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+)+")
KEY_FILE = re.compile(rf"{SELECTOR.pattern}\.[0-9]+\.pem")
KEY_LINE = re.compile(
    rf"{SELECTOR.pattern}\._domainkey\.(?P<domain>{DOMAIN.pattern})"
    rf" (?P=domain):{SELECTOR.pattern}:{FOLDER.pattern}"
)
# No selector of ours looks like it, and no KeyTable has it: OpenDKIM answers 451 for a domain that it stands for.
UNUSABLE = "unusable"
# What a keyed table gives every domain that it does not name: no key, so mail that has none waits.
EVERY_OTHER = "*"
# OpenDKIM cuts longer lines of a `file` table.
MAX_LINE = 1000


class UnsafeRow(ValueError):
    """A row that must not reach a table; the message says which part is at fault."""


class SigningFault(RuntimeError):
    """The files could not be brought up to date; the former set stands."""


class FolderHeld(SigningFault):
    """Another process is writing the files, and was not done in the time that the caller had."""


@dataclass(frozen=True)
class SigningRow:
    """A key and the domain it belongs to. `signs`: mail of the domain is to be signed with it now."""

    key_id: int
    domain_name: str
    selector: str
    fingerprint: str
    signs: bool

    @property
    def file_name(self) -> str:
        """The key's own file: one for each key, so that none is ever replaced by another's content."""
        return f"{self.selector}.{self.key_id}.pem"

    @property
    def key_name(self) -> str:
        return f"{self.selector}._domainkey.{self.domain_name}"


def lint(row: SigningRow) -> None:
    """Raise UnsafeRow unless domain and selector are plain A-labels: a `*`, `%`, blank, colon, comma or newline
    would sign other domains' mail or break the lines after it."""
    if not is_domain(row.domain_name):
        raise UnsafeRow("the domain name is not in A-label form")
    if not SELECTOR.fullmatch(row.selector):
        raise UnsafeRow("the selector is not one plain label")


def is_domain(name: str) -> bool:
    return len(name) <= MAX_DOMAIN and DOMAIN.fullmatch(name) is not None


def key_table(rows: Iterable[SigningRow], keys_folder: Path) -> str:
    """Return the KeyTable: `name domain:selector:path`, sorted. Raises UnsafeRow."""
    folder = str(keys_folder)
    if not FOLDER.fullmatch(folder):
        raise UnsafeRow("the folder of the keys has characters that a table cannot hold")
    return text(sorted(key_line(row, folder) for row in rows))


def key_line(row: SigningRow, folder: str) -> str:
    """Return one line of the KeyTable. Raises UnsafeRow for a row that no table may name."""
    lint(row)
    line = f"{row.key_name} {row.domain_name}:{row.selector}:{folder}/{row.file_name}"
    if len(line) > MAX_LINE:
        raise UnsafeRow("the line is longer than OpenDKIM reads")
    return line


def signing_table(rows: Iterable[SigningRow], unusable: Iterable[SigningRow] = ()) -> str:
    """Return the SigningTable: `domain name`, sorted, one line for each domain. Raises UnsafeRow.

    In a keyed table a bare domain stands for its own addresses only, not for those of its subdomains. The domains of
    `unusable` rows, and all that have no row, get a name that the KeyTable lacks, so that their mail waits instead of
    leaving unsigned.
    """
    lines = {EVERY_OTHER: f"{EVERY_OTHER} {UNUSABLE}"} | {
        row.domain_name: f"{row.domain_name} {UNUSABLE}._domainkey.{row.domain_name}"
        for row in unusable
        if is_domain(row.domain_name)
    }
    for row in sorted(rows, key=lambda row: (row.domain_name, row.key_id)):
        lint(row)
        # The newest key signs where two are active.
        lines[row.domain_name] = f"{row.domain_name} {row.key_name}"
    return text(lines[name] for name in sorted(lines))


def with_changes(table: str, fresh: str, names: set[str], domain_of: Callable[[str], str]) -> str:
    """Return the table with the lines of these domains replaced by `fresh` ones, sorted as the whole would be."""
    kept = [line for line in table.splitlines() if domain_of(line) not in names]
    return text(sorted([*kept, *fresh.splitlines()], key=first_word))


def domain_of_key_line(line: str) -> str:
    return line.partition(" ")[2].partition(":")[0]


def first_word(line: str) -> str:
    return line.partition(" ")[0]


def joined_key_tables(old: str, new: str) -> str:
    """Return `new` with those lines of `old` whose key it does not name, so that either SigningTable works with it.

    A line that is not of our form is left out.
    """
    named = {line.split(" ", 1)[0] for line in new.splitlines()}
    kept = [line for line in old.splitlines() if line.split(" ", 1)[0] not in named and KEY_LINE.fullmatch(line)]
    return text(sorted([*new.splitlines(), *kept])) if kept else new


def text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
