"""What was measured, the bars it is held against, and the two files that say so."""

import json
import operator
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured value; `more` holds what it was made of."""

    name: str
    mailboxes: int
    value: float
    unit: str
    more: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Bar:
    """The least that the mail contract's section on speed asks of a figure: at most, or at least, this value."""

    limit: float
    holds: Callable[[float, float], bool] = operator.le

    def __str__(self) -> str:
        return f"{'≤' if self.holds is operator.le else '≥'} {self.limit:g}"

    def is_met(self, value: float) -> bool:
        return self.holds(value, self.limit)


BARS = {
    **{f"lookup {name}": Bar(1.45) for name in ("domains", "recipients", "mailboxes", "aliases")},
    "lookup senders": Bar(2),
    "lookup passdb": Bar(1.5),
    "passdb through Dovecot": Bar(1.5),
    **{f"beside PostfixAdmin: {name}": Bar(1.1) for name in ("domains", "mailboxes", "aliases")},
    **{f"growth {name}": Bar(1.3) for name in ("domains", "recipients", "mailboxes", "aliases", "senders", "passdb")},
    "delivery to a null sink": Bar(0.8, operator.ge),
    "signed submission": Bar(10),
    "IMAP sign-ins": Bar(3, operator.ge),
    "the guard's cost": Bar(0.15),
    "signer: all tables rewritten": Bar(5),
    "signer: one more domain signs": Bar(2),
    "signer: a message": Bar(1.1),
    "signer: memory after use and reloads": Bar(1.1),
    **{
        f"API {name}, {clients}": Bar(0.6, operator.ge)
        for name in ("get one", "list 10", "list 50", "list 10, page 1,000", "search")
        for clients in ("1 client", "8 clients")
    },
    **{
        f"API create a {what}, {clients}": Bar(0.4, operator.ge)
        for what in ("domain", "mailbox")
        for clients in ("1 client", "8 clients")
    },
    "API page 1,000 beside page 1": Bar(0.9, operator.ge),
    "API batch of 1,000 beside single creates": Bar(20, operator.ge),
    **{
        f"API growth: {name}": Bar(0.8, operator.ge)
        for name in ("get one", "list 10", "list 50", "list 10, page 1,000", "search")
    },
    **{
        f"page {name}": Bar(4)
        for name in (
            "mailboxes",
            *(f"mailboxes, {how}" for how in ("suspended", "newest first", "fullest first", "page 1,000")),
            *(f"mailboxes, search {what}" for what in ("a", "ann", "a whole address", "in the midst")),
            *("mailboxes, search what is not there", "aliases", "aliases, search team1"),
            *("aliases, search what is not there", "domains", "domains, search d12", "domains that need attention"),
            *("customers", "customers, suspended", "customers, search oak", "customers, search what is not there"),
            *("palette", "palette of a reseller"),
        )
    },
    "suspending a tenant": Bar(2),
    "DNS: questions of a check beside the server's own rate": Bar(0.5, operator.ge),
    "suspending a tenant: UPDATEs of one mail table": Bar(1),
}
FOLDER = Path(__file__).resolve().parent


def judged(figure: Figure) -> dict:
    """Return the figure with its bar and whether it is met; both None for a figure that is there for the record."""
    bar = BARS.get(figure.name)
    return {
        **asdict(figure),
        "bar": str(bar) if bar else None,
        "is_met": bar.is_met(figure.value) if bar else None,
    }


def write(about: dict, figures: list[Figure], folder: Path = FOLDER) -> Path:
    """Write results.json and results.md; return the path of the table."""
    results = {**about, "figures": [judged(figure) for figure in figures]}
    (folder / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    table = folder / "results.md"
    table.write_text(as_table(results))
    return table


def as_table(results: dict) -> str:
    """Return the results as Markdown: what the run was, then one row for each figure."""
    lines = ["# Bench", "", "How it measures and how to read it: docs/bench.md.", ""]
    lines += [f"- {name.replace('_', ' ')}: {value}" for name, value in results.items() if name != "figures"]
    lines += ["", "| what | mailboxes | figure | bar | met | beside it |", "|---|---:|---|---|---|---|"]
    for figure in results["figures"]:
        met = {None: "", True: "yes", False: "**no**"}[figure["is_met"]]
        value = f"{figure['value']:.2f} {figure['unit']}"
        beside = ", ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in figure["more"].items())
        row = (figure["name"], f"{figure['mailboxes']:,}", value, figure["bar"] or "", met, beside)
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def _short(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
    return str(value)
