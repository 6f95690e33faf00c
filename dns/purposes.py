"""The records of a domain in the order in which people set them up, in their words."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dns.answers import Outcome
from dns.changes import merge_spf
from dns.models import ExpectedRow, Necessity, Purpose, Status
from dns.records import why
from dns.server_operations import ANSWERS, NAME_SERVER, NOT_NAMED
from dns.spf import SpfError

Words = str | Promise


@dataclass(frozen=True)
class Group:
    """Records that do one thing together."""

    title: Words
    reason: Words
    purposes: tuple[str, ...]
    records: list["ShownRecord"] = field(default_factory=list)

    @property
    def right(self) -> int:
        return sum(line.record.status == Status.OK and not line.is_asked for line in self.records)

    @property
    def asked(self) -> int:
        return sum(line.is_asked for line in self.records)

    @property
    def was_right(self) -> bool:
        """Say whether all was found when DNS was asked last, whatever it is asked now."""
        return all(line.record.status == Status.OK for line in self.records)

    @property
    def tone(self) -> str:
        """`ok` once all is found, `problem` while something required is wrong; neither while DNS is asked."""
        if self.asked:
            return "waiting"
        if self.right == len(self.records):
            return "ok"
        wrong = any(line.tone == "problem" and line.record.necessity == Necessity.REQUIRED for line in self.records)
        return "problem" if wrong else "waiting"


GROUPS = (
    (
        _("Prove that it is yours"),
        _("Until this is found, no mail is taken for the domain."),
        (Purpose.OWNERSHIP,),
    ),
    (_("Receive mail"), _("Point it here when the mailboxes are ready: mail follows within the hour."), (Purpose.MX,)),
    (
        _("Send mail"),
        _("Who reads your mail checks these before trusting it."),
        (Purpose.SPF, Purpose.DKIM, Purpose.DMARC),
    ),
    (
        _("Set up mail programs"),
        _("People type their address and password; these tell the program the rest."),
        (Purpose.AUTOCONFIG, Purpose.AUTODISCOVER, Purpose.SRV, Purpose.PACC),
    ),
    (
        _("Harden"),
        _("None of these is needed. Each makes it harder to listen in or to pretend."),
        (Purpose.MTA_STS, Purpose.TLS_RPT, Purpose.CAA),
    ),
    (_("Show who you are"), _("Only where forged mail is held back already."), (Purpose.BIMI,)),
)
# Those of the installation's own host.
HOST_GROUPS = (
    (
        _("Be found, and be known"),
        _("Other servers look at these before they take a single message."),
        (Purpose.ADDRESS, Purpose.PTR, Purpose.GREETING),
    ),
    (
        _("Stand for customers"),
        _("Records of customers point to these."),
        (Purpose.SPF_INCLUDE, Purpose.REPORTS_TAKEN, Purpose.SETUP_HOST),
    ),
    (_("Harden"), _("Not needed. It keeps others from taking mail on its way here."), (Purpose.TLSA,)),
)

NAMES = {
    Purpose.OWNERSHIP: _("Ownership"),
    Purpose.MX: _("Mail exchanger (MX)"),
    Purpose.SPF: _("Allowed servers (SPF)"),
    Purpose.DKIM: _("Signature key (DKIM)"),
    Purpose.DMARC: _("Policy (DMARC)"),
    Purpose.AUTOCONFIG: _("Thunderbird and others (autoconfig)"),
    Purpose.AUTODISCOVER: _("Outlook (autodiscover)"),
    Purpose.SRV: _("Service (SRV)"),
    Purpose.PACC: _("Newer programs (PACC)"),
    Purpose.MTA_STS: _("TLS policy (MTA-STS)"),
    Purpose.TLS_RPT: _("TLS reports"),
    Purpose.CAA: _("Certificate authority (CAA)"),
    NAME_SERVER: _("Name server"),
    Purpose.BIMI: _("Logo (BIMI)"),
    Purpose.ADDRESS: _("Address"),
    Purpose.PTR: _("Name of the address (PTR)"),
    Purpose.GREETING: _("The host itself may send (SPF)"),
    Purpose.SPF_INCLUDE: _("Servers of all customers (SPF)"),
    Purpose.REPORTS_TAKEN: _("Reports about other domains"),
    Purpose.SETUP_HOST: _("Set-up of mail programs"),
    Purpose.TLSA: _("Key of the certificate (TLSA)"),
}

NECESSITY_WORDS = {
    Necessity.REQUIRED: _("Required"),
    Necessity.RECOMMENDED: _("Recommended"),
    Necessity.OPTIONAL: _("Optional"),
}

# What a status looks like: tone of the chip, and its word.
STATUS_WORDS: dict[str, tuple[str, Words]] = {
    Status.OK: ("ok", _("Found")),
    Status.MISSING: ("problem", _("Missing")),
    Status.MISMATCH: ("problem", _("Differs")),
    Status.TEMPORARY_FAILURE: ("waiting", _("DNS did not answer")),
    Status.NOT_CHECKED: ("waiting", _("Not checked")),
}
# The same of a name server, in the history of a domain.
SERVER_WORDS: dict[str, tuple[str, Words]] = {
    ANSWERS: ("ok", _("Answers")),
    NOT_NAMED: ("off", _("No longer named")),
    Outcome.LAME.value: ("waiting", _("Does not serve the zone")),
    Outcome.TIMEOUT.value: ("waiting", _("Does not answer")),
    Outcome.SERVER_FAILURE.value: ("waiting", _("Fails")),
    Outcome.UNREADABLE.value: ("waiting", _("Answers what cannot be read")),
}


@dataclass(frozen=True)
class ShownRecord:
    """A record as a page shows it; `host` is its name relative to the domain, as most DNS editors want it.

    `merged` is the SPF record to publish where another one stands already: both together.
    """

    record: ExpectedRow
    title: Words
    reason: str
    host: str
    value: str
    tone: str
    word: Words
    necessity: Words
    merged: str = ""
    is_asked: bool = False


def groups(
    domain_name: str,
    records: Iterable[ExpectedRow],
    asked: Container[str] = (),
    table: Iterable[tuple] = GROUPS,
) -> list[Group]:
    """Return the groups of a table that have records, each in the order of its purposes. Those of which DNS is `asked`
    just now, by their uid, say so."""
    shown = [Group(*group) for group in table]
    for record in records:
        for group in shown:
            if record.purpose in group.purposes:
                group.records.append(shown_record(domain_name, record, is_asked=record.uid in asked))
    for group in shown:
        group.records.sort(key=lambda line: (group.purposes.index(line.record.purpose), line.record.name))
    return [group for group in shown if group.records]


def status_word(status: str) -> tuple[str, Words]:
    """Return tone and word of a status that may be of an older day than this table."""
    return (STATUS_WORDS | SERVER_WORDS).get(status, ("plain", status))


def shown_record(domain_name: str, record: ExpectedRow, *, is_asked: bool = False) -> ShownRecord:
    tone, word = status_word(record.status)
    if record.status == Status.MISSING and record.necessity == Necessity.OPTIONAL:
        tone, word = "off", _("Not published")
    if is_asked:
        tone, word = "waiting", _("DNS is being asked")
    return ShownRecord(
        record=record,
        title=NAMES[Purpose(record.purpose)],
        reason=why(record.purpose, record.record_type),
        host="@" if record.name == domain_name else record.name.removesuffix(f".{domain_name}"),
        value=record.value,
        tone=tone,
        word=word,
        necessity=NECESSITY_WORDS[Necessity(record.necessity)],
        merged=_merged(record),
        is_asked=is_asked,
    )


def _merged(record: ExpectedRow) -> str:
    if record.purpose != Purpose.SPF or record.status != Status.MISMATCH or len(record.found) != 1:
        return ""
    try:
        merged = merge_spf(record.found[0], record.value)
    except SpfError:
        return ""
    return merged if merged != record.found[0] else ""
