"""What Postfix and Dovecot would do with an address, step by step, by the very questions they ask.

It walks as the daemons walk (docs/mail-contract.md) and tells of the present scope alone: an address under a name that
is not the reader's is outside, whether this server has it or another.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext, gettext_noop

from domains.models import Domain
from mailboxes import explain_words as words
from mailboxes.addresses import (
    DELIMITER,
    SUCCESSOR,
    base_address,
    display_address,
    domain_of,
    local_of,
    normalise_target,
    unqueued_address,
)
from mailboxes.expansion import MAX_DEPTH, MAX_REACHED
from mailboxes.models import Alias, Mailbox, QuotaUsage
from mailboxes.questions import ask
from mailhost.errors import Refused

POSTFIX, DOVECOT = "postfix", "dovecot"
MB = 1024 * 1024
# What the tables of recipients answer for an address that is one of ours, for one that the next table decides about,
# and for one kept from the catch-all.
ACCEPTED, UNDECIDED = "recipient_accepted", "DUNNO"
DENIED, DISABLED = "550 5.1.1", "550 5.2.1"
REFUSALS = {DENIED: "denied", DISABLED: "mailbox_disabled"}
QUOTA_RULE = re.compile(r"\*:storage=(\d+)M")
RULES = {
    "mailbox": gettext_noop("The mailbox takes it."),
    "alias": gettext_noop("An alias leads on."),
    "catch_all": gettext_noop("The domain's catch-all takes it."),
    "mailbox_disabled": gettext_noop("The mailbox takes no mail."),
    "mailbox_full": gettext_noop("The mailbox is full."),
    "denied": gettext_noop("The catch-all does not take this address."),
    "plus_addressing_off": gettext_noop("The domain takes no addresses with a +."),
    "unknown_recipient": gettext_noop("Nobody has this address."),
    "domain_not_active": gettext_noop("The domain carries no mail."),
    "not_your_domain": gettext_noop("The domain is none of yours."),
    "sender_allowed": gettext_noop("The login may use this address."),
    "sender_not_allowed": gettext_noop("The login may not use this address."),
    "sign_in_closed": gettext_noop("The login cannot sign in to send."),
    "unknown_login": gettext_noop("You have no such mailbox."),
}


@dataclass(frozen=True)
class About:
    """The row that an answer comes from: "domain", "mailbox" or "alias", its uid, and how people call it."""

    kind: str
    uid: str
    name: str


@dataclass(frozen=True)
class Step:
    """One question of a daemon's: what was asked, the answer, and what it means. `question` is its name in
    `mailboxes.lookups`."""

    by: str
    question: str
    asked: str
    answer: tuple[str, ...]
    says: str
    about: About | None = None


@dataclass
class Explanation:
    """What happens (`accepted` or `refused`), the reply an SMTP client gets, the rule that decided and its object."""

    outcome: str = ""
    reply: str = ""
    rule: str = ""
    decided_by: About | None = None
    delivered_to: list[str] = field(default_factory=list)
    leaves_to: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def summary(self) -> str:
        return gettext(RULES[self.rule])

    def decide(self, outcome: str, reply: str, rule: str, about: About | None = None) -> "Explanation":
        self.outcome, self.reply, self.rule, self.decided_by = outcome, reply, rule, about
        return self


def explain_recipient(text: str) -> Explanation:
    """Say what becomes of a small message that another server brings for this address.

    Raises Refused("invalid_address", "recipient", …).
    """
    address = normalise_target(text, field="recipient")
    told = Explanation()
    domain = _claim(domain_of(address))
    if domain is None:
        return told.decide("refused", "554 5.7.1", "not_your_domain")
    if not _is_ours(told, domain):
        return told.decide("refused", "554 5.7.1", "domain_not_active", _about_domain(domain))
    if not _takes_detail(told, domain, address):
        return told.decide("refused", DENIED, "plus_addressing_off", _about_domain(domain))
    return _judge(told, domain, address)


def _judge(told: Explanation, domain: Domain, address: str) -> Explanation:
    """Ask who has the address, whether there is room, and where the mail goes on from there."""
    for question in ("recipients", "sources"):
        asked, answer = _access(told, question, address)
        if not answer:
            continue
        if answer != ACCEPTED:
            reply = answer[: len(DENIED)]
            return told.decide("refused", reply, REFUSALS[reply], told.steps[-1].about)
        if not _has_room(told, base_address(address)):
            return told.decide("refused", "552 5.2.2", "mailbox_full", told.steps[-1].about)
        if question == "recipients":
            told.decide("accepted", "250 2.1.5", "mailbox", _about(asked))
        else:
            about = _answering_alias(told, address)
            rule = "catch_all" if about is not None and about.name.startswith("*") else "alias"
            told.decide("accepted", "250 2.1.5", rule, about)
        _deliver(told, address)
        return told
    return told.decide("refused", "550 5.1.1", "unknown_recipient", _about_domain(domain))


def explain_sender(sender: str, login: str) -> Explanation:
    """Say whether who signs in as `login` may send with this envelope sender, which header From must name as well.

    Raises Refused("invalid_address", "sender" or "login", …).
    """
    sender, login = normalise_target(sender, field="sender"), normalise_target(login, field="login")
    told = Explanation()
    mailbox = Mailbox.objects.live().filter(email=login).first()
    if mailbox is None:
        return told.decide("refused", "535 5.7.8", "unknown_login")
    about = _about_mailbox(mailbox)
    may_sign_in = bool(ask("passdb", address=login, service="smtp"))
    says = gettext("A password may open it to send.") if may_sign_in else words.why_closed(mailbox, "send")
    told.steps.append(Step(DOVECOT, "passdb", login, (gettext("a password"),) if may_sign_in else (), says, about))
    if not may_sign_in:
        return told.decide("refused", "535 5.7.8", "sign_in_closed", about)
    if _proven(domain_of(sender)) is None:
        return told.decide("refused", "553 5.7.1", "sender_not_allowed")
    for asked in _keys(sender):
        logins = tuple(row[0] for row in ask("senders", local=local_of(asked), domain=domain_of(asked)))
        allowed = login in logins
        says = words.may_send(login) if allowed else words.others(logins)
        told.steps.append(Step(POSTFIX, "senders", asked, logins, says, _about(asked)))
        if logins:
            if allowed:
                return told.decide("accepted", "250 2.1.0", "sender_allowed", _about(asked) or about)
            break
    return told.decide("refused", "553 5.7.1", "sender_not_allowed", _about(sender))


# --- what is the reader's -----------------------------------------------------------------------------------------


def _claim(name: str) -> Domain | None:
    """Return the domain of the reader's with this name: the proven one, else a claim."""
    return Domain.objects.live().filter(domain_name=name).order_by("-owned_name", "pk").first()


def _proven(name: str) -> Domain | None:
    return Domain.objects.filter(owned_name=name).first()


# --- Postfix at RCPT TO -------------------------------------------------------------------------------------------


def _is_ours(told: Explanation, domain: Domain) -> bool:
    name = domain.domain_name
    if not domain.has_proof:
        # Whether somebody else has proven the name is nobody's to see, so it is not asked.
        step = Step(
            POSTFIX, "domains", name, (), gettext("Your claim to this name is not proven yet."), _about_domain(domain)
        )
        told.steps.append(step)
        return False
    answer = tuple(str(row[0]) for row in ask("domains", address=name))
    says = gettext("It is a domain of this server.") if answer else words.why_off(domain)
    told.steps.append(Step(POSTFIX, "domains", name, answer, says, _about_domain(domain)))
    return bool(answer)


def _takes_detail(told: Explanation, domain: Domain, address: str) -> bool:
    """Ask about an address with a detail whether the domain takes it; one without is not asked about."""
    if base_address(address) == address:
        return True
    answer = tuple(row[0] for row in ask("details", local=local_of(address), domain=domain_of(address)))
    takes = answer == (UNDECIDED,)
    if not takes:
        says = gettext("Its plus addressing is switched off.")
    elif domain.plus_addressing:
        says = gettext("The domain takes addresses with a +.")
    else:
        says = gettext("There is an address of exactly this name.")
    told.steps.append(Step(POSTFIX, "details", address, answer, says, _about_domain(domain)))
    return takes


def _access(told: Explanation, question: str, address: str) -> tuple[str, str]:
    """Ask one table of smtpd_recipient_restrictions; return what was asked and the answer, "" when it has none."""
    for asked in _keys(address):
        rows = [row[0] for row in ask(question, local=local_of(asked), domain=domain_of(asked)) if row[0]]
        told.steps.append(Step(POSTFIX, question, asked, tuple(rows), _says(question, asked, rows), _about(asked)))
        if rows:
            return asked, rows[0]
    return address, ""


def _says(question: str, asked: str, rows: list[str]) -> str:
    if not rows:
        return (
            gettext("It is no mailbox.")
            if question == "recipients"
            else gettext("It is no alias, and there is no catch-all.")
        )
    if rows[0] == ACCEPTED:
        return (
            gettext("It is a mailbox that takes mail.")
            if question == "recipients"
            else gettext("An alias or the catch-all takes it.")
        )
    if rows[0].startswith(DENIED):
        return gettext("It is on the deny list of the catch-all.")
    mailbox = Mailbox.objects.live().filter(email=asked).first()
    return words.why_closed(mailbox, "receive") if mailbox else gettext("The mailbox that it stands for takes no mail.")


def _has_room(told: Explanation, login: str) -> bool:
    """Weigh what Dovecot's quota-status weighs: the mailbox, or the one to which alone an alias leads."""
    rows = ask("userdb", address=login, service="quota-status", overdraft_mb="0")
    question = "userdb" if rows else "weighed"
    rows = rows or ask("weighed", address=login, domain=domain_of(login), service="quota-status")
    if not rows:
        told.steps.append(
            Step(DOVECOT, question, login, (), gettext("It leads to no single mailbox that could be full."))
        )
        return True
    user, _, rule, *_ = rows[0]
    most = int(QUOTA_RULE.fullmatch(rule)[1])
    used = QuotaUsage.objects.filter(username=user).values_list("bytes", flat=True).first() or 0
    has_room = used < most * MB
    # Of somebody else's mailbox no more is told than whether it is full, which any sender is told, too.
    mailbox = Mailbox.objects.live().filter(email=user).first()
    answer = (f"{used / MB:.1f} of {most} MB",) if mailbox else ()
    says = gettext("There is room for more.") if has_room else gettext("The mailbox holds as much as it may.")
    told.steps.append(Step(DOVECOT, question, login, answer, says, _about_mailbox(mailbox) if mailbox else None))
    return has_room


def _answering_alias(told: Explanation, address: str) -> About | None:
    """Return the alias that lets Postfix accept an address without a mailbox."""
    for asked in (*_keys(address), f"@{domain_of(address)}"):
        targets = _targets(told, asked)
        if targets:
            return _about(asked)
    return None


def _targets(told: Explanation, asked: str) -> tuple[str, ...]:
    targets = tuple(sorted(target for row in ask("aliases", address=asked) for target in row[0].split(",")))
    if [unqueued_address(target) for target in targets] == [asked]:
        says = gettext("The mailbox keeps its mail.")
    elif targets:
        says = gettext("It leads to %(targets)s.") % {"targets": ", ".join(targets)}
    else:
        says = words.why_no_alias(asked)
    told.steps.append(Step(POSTFIX, "aliases", asked, targets, says, _about(asked)))
    return targets


# --- Postfix after the message, and Dovecot -------------------------------------------------------------------------


def _deliver(told: Explanation, address: str) -> None:
    """Follow the aliases to the end, as cleanup(8) does, and ask Dovecot for each mailbox at their ends."""
    seen = {address}
    level = [address]
    for _ in range(MAX_DEPTH + 2):
        following: list[str] = []
        for one in level:
            if _proven(domain_of(one)) is None:
                told.leaves_to.append(one)
                continue
            if SUCCESSOR in one:
                _end(told, one)
                continue
            targets = _expanded(told, one)
            if not targets or targets == [one]:
                _end(told, one)
                continue
            # A mailbox that keeps a copy leads to itself among others.
            if one in targets:
                _end(told, one)
            following += [target for target in targets if target not in seen]
            seen.update(targets)
        level = following
        if not level or len(seen) > MAX_REACHED:
            break
    told.delivered_to.sort()
    told.leaves_to.sort()


def _expanded(told: Explanation, address: str) -> list[str]:
    """Return where one address leads: what the full address answers, else the one without its detail, which goes
    along, else the catch-all."""
    known = {step.asked: step.answer for step in told.steps if step.question == "aliases"}
    for asked in (*_keys(address), f"@{domain_of(address)}"):
        targets = known[asked] if asked in known else _targets(told, asked)
        if targets:
            # What was cut off to find the row is put on again; a catch-all replaces the whole address.
            detail = "" if asked in {address, f"@{domain_of(address)}"} else _detail(address)
            return [f"{local_of(target)}{detail}@{domain_of(target)}" for target in targets]
    return []


def _end(told: Explanation, address: str) -> None:
    asked = base_address(address)
    login = unqueued_address(asked)
    if login in told.delivered_to:
        return
    found = ask("delivery", local=local_of(asked), domain=domain_of(asked), overdraft_mb="0")
    mailbox = Mailbox.objects.live().filter(email=login).first() if found else None
    says = (
        gettext("Its mail has a place here.")
        if mailbox
        else gettext("There is no such mailbox, so the message would come back.")
    )
    about = _about_mailbox(mailbox) if mailbox else None
    told.steps.append(Step(DOVECOT, "delivery", asked, (login,) if mailbox else (), says, about))
    if mailbox:
        told.delivered_to.append(login)


def _keys(address: str) -> Iterable[str]:
    """Return what Postfix asks for about one address: with its detail, then without."""
    base = base_address(address)
    return (address,) if base == address else (address, base)


def _detail(address: str) -> str:
    _, delimiter, detail = local_of(address).partition(DELIMITER)
    return delimiter + detail


# --- what an answer is about ---------------------------------------------------------------------------------------


def _about_domain(domain: Domain) -> About:
    return About("domain", domain.uid, domain.domain_name)


def _about_mailbox(mailbox: Mailbox) -> About:
    return About("mailbox", mailbox.uid, mailbox.email)


def _about(source: str) -> About | None:
    """Return the mailbox or the alias whose rows stand at this source."""
    rows = Alias.objects.filter(alias_email=source).select_related("own_mailbox", "domain")
    row = rows.order_by("-own_mailbox", "pk").first()
    if row is None:
        return None
    if row.is_denial:
        return _about_domain(row.domain)
    return _about_mailbox(row.own_mailbox) if row.own_mailbox else About("alias", row.uid, display_address(source))


def check_question(recipient: str | None, sender: str | None, login: str | None) -> None:
    """Raise Refused unless exactly one question is asked: about a recipient, or about a sender with a login."""
    if recipient is not None and sender is None and login is None:
        return
    if recipient is None and sender is not None and login is not None:
        return
    missing = "recipient" if sender is None and login is None else "login" if login is None else "sender"
    raise Refused("required", missing, gettext("Name a recipient, or a sender and the login that would use it."))
