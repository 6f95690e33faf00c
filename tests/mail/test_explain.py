"""What the panel explains is what Postfix and Dovecot do: hundreds of addresses, made by chance, at the real doors."""

import random
import re
import smtplib
import time

import pytest

from domains.operations import create_domain, set_domain_enabled, update_domain
from mailboxes.addresses import base_address, domain_of
from mailboxes.alias_operations import create_alias, set_alias_enabled
from mailboxes.explain import explain_recipient, explain_sender
from mailboxes.models import Alias, Mailbox
from mailboxes.operations import create_mailbox, suspend_mailbox, update_mailbox
from mailhost.errors import Refused
from mailhost.scope import every_tenant, tenant_scope
from tests.mail.client import Post
from tests.mail.conftest import Customer
from tests.world import PASSWORD_HASH

# What tests.world's hash is one of.
PASSWORD = "correct horse battery staple"
LOCALS = [f"m{number}" for number in range(10)]
SOURCES = [f"a{number}" for number in range(14)]
# Postfix slows a client down after some errors and hangs up after more.
RECIPIENTS_A_SESSION = 6
SEED = 20261120
QUEUED = re.compile(r"cleanup\[\d+\]: (\w+): message-id=(<\S+>)")
SENT = re.compile(r"(\w+): to=<([^>]+)>,.* status=sent")
REMOVED = re.compile(r"qmgr\[\d+\]: (\w+): removed")


class Town:
    """A customer with a main domain, an alias domain, one that is switched off, one without proof, and one that takes
    no details, with an alias domain of its own; with mailboxes of every kind, and aliases to wherever chance leads."""

    def __init__(self, acme: Customer, bolt: Customer) -> None:
        self.acme, self.chance = acme, random.Random(SEED)  # noqa: S311 - the same town each time
        self.foreign = bolt.mailbox("bob").email
        self.name = acme.domain.domain_name
        self.second = acme.claim(f"second-{self.name}", alias_of=acme.domain).domain_name
        off = acme.claim(f"off-{self.name}")
        self.strict = self._strict()
        self.unproven = create_domain(acme.actor, name=f"later-{self.name}").domain_name
        self.mailboxes = [self._mailbox(local) for local in LOCALS]
        off_mailbox = create_mailbox(
            acme.actor, address=f"m0@{off.domain_name}", password_hash=PASSWORD_HASH, storage_quota_mb=10
        )
        set_domain_enabled(acme.actor, domain=off, enabled=False)
        self.off = off_mailbox.email
        self.aliases = [row for local in (*SOURCES, "m1") if (row := self._alias(local))]
        for row in self.aliases[::5]:
            set_alias_enabled(acme.actor, alias=row, enabled=False)
        acme.alias("m2", "out1@elsewhere.example", f"m6@{self.name}")
        update_mailbox(acme.actor, mailbox=self.mailboxes[2], keeps_copy=False)
        suspend_mailbox(acme.actor, mailbox=self.mailboxes[3])
        update_mailbox(acme.actor, mailbox=self.mailboxes[4], receives_enabled=False)
        update_mailbox(acme.actor, mailbox=self.mailboxes[5], sends_enabled=False)

    def _strict(self) -> tuple[str, str]:
        """Return the names of a domain without plus addressing and of its alias domain."""
        domain = self.acme.claim(f"strict-{self.name}", waits=False)
        update_domain(self.acme.actor, domain=domain, plus_addressing=False)
        other = self.acme.claim(f"strict-too-{self.name}", alias_of=domain, waits=False)
        for local in ("m0", "m1"):
            address = f"{local}@{domain.domain_name}"
            create_mailbox(self.acme.actor, address=address, password_hash=PASSWORD_HASH, storage_quota_mb=1)
        create_alias(self.acme.actor, source=f"a0@{domain.domain_name}", targets=[f"m0+tag@{domain.domain_name}"])
        with every_tenant("a test writes a row that the panel does not make"):
            row = {"domain": domain, "is_routed": True, "is_active": True}
            own = f"m1@{domain.domain_name}"
            Alias.objects.create(alias_email=f"m0+exact@{domain.domain_name}", destination_email=own, **row)
        return domain.domain_name, other.domain_name

    def _mailbox(self, local: str) -> Mailbox:
        return create_mailbox(
            self.acme.actor, address=f"{local}@{self.name}", password_hash=PASSWORD_HASH, storage_quota_mb=1
        )

    def _alias(self, local: str):
        """Return the first row of an alias to one to three places, or nothing where chance would close a circle."""
        places = [
            *(f"{one}@{self.name}" for one in (*LOCALS, *SOURCES)),
            *(f"{one}+tag@{self.name}" for one in LOCALS[:4]),
            *(f"m{number}@{self.second}" for number in range(4)),
            *(f"m0{detail}@{name}" for detail in ("", "+tag", "+exact") for name in self.strict),
            *(f"out{number}@elsewhere.example" for number in range(6)),
            self.foreign,
            self.off,
            f"nobody@{self.name}",
        ]
        targets = self.chance.sample(places, self.chance.randint(1, 3))
        try:
            return self.acme.alias(local, *targets)[0]
        except Refused as refused:
            if refused.code in {"alias_loop", "taken"}:
                return None
            raise

    def addresses(self) -> list[str]:
        local_parts = [*LOCALS, *SOURCES, "nobody", "A3", "M1"]
        return [
            *(f"{local}{detail}@{name}" for local in local_parts for detail in ("", "+x") for name in self.names()),
            *self.strict_addresses(),
            self.off,
            f"nobody@{self.off.partition('@')[2]}",
            f"m0@{self.unproven}",
        ]

    def strict_addresses(self) -> list[str]:
        local_parts, details = ("m0", "a0", "nobody"), ("", "+", "+x+y", "+exact")
        return [f"{local}{detail}@{name}" for local in local_parts for detail in details for name in self.strict]

    def names(self) -> tuple[str, str]:
        return self.name, self.second


@pytest.fixture
def town(acme, bolt) -> Town:
    return Town(acme, bolt)


def replies(post: Post, addresses: list[str]) -> dict[str, str]:
    """Return how the reply to each RCPT TO of a server outside begins: code and enhanced status."""
    found = {}
    for start in range(0, len(addresses), RECIPIENTS_A_SESSION):
        with post.outside() as session:
            for address in addresses[start : start + RECIPIENTS_A_SESSION]:
                session.mail("someone@elsewhere.example")
                code, text = session.rcpt(address)
                found[address] = f"{code} {text.decode().split()[0]}"
                session.rset()
    return found


def explained(town: Town, addresses: list[str]):
    with tenant_scope(town.acme.tenant.path):
        return {address: explain_recipient(address) for address in addresses}


@pytest.mark.parametrize("catch_all", [False, True])
def test_recipients_get_the_reply_and_the_mail_goes_where_it_says(post, town, catch_all):
    if catch_all:
        targets = [town.mailboxes[0].email, "all@elsewhere.example"]
        for name in (town.name, town.strict[0]):
            create_alias(town.acme.actor, source=f"*@{name}", targets=targets)
    addresses = town.addresses()

    told = explained(town, addresses)
    answered = replies(post, addresses)

    assert {address: one.reply for address, one in told.items()} == answered
    assert len(answered) > 100
    accepted = [address for address, one in told.items() if one.outcome == "accepted"]
    chosen = sorted({*town.chance.sample(accepted, 40), *(set(accepted) & set(town.strict_addresses()))})
    arrived = where_mail_arrives(post, town, chosen)
    for address in chosen:
        assert arrived[address] == ends(told[address]), told[address]


def ends(explanation) -> set[str]:
    return {*explanation.delivered_to, *explanation.leaves_to}


def where_mail_arrives(post: Post, town: Town, addresses: list[str]) -> dict[str, set[str]]:
    """Send a message to each address; return where it ended, by Postfix's log: mailboxes, and addresses outside."""
    sent = {post.deliver(address): address for address in addresses}
    deadline = time.monotonic() + 60
    while True:
        log = (post.stack.home / "log/postfix.log").read_text()
        queued = {message_id: queue_id for queue_id, message_id in QUEUED.findall(log) if message_id in sent}
        if sent.keys() <= queued.keys() and set(queued.values()) <= set(REMOVED.findall(log)):
            break
        assert time.monotonic() < deadline, "the queue does not empty"
        time.sleep(0.2)
    found = {address: set() for address in addresses}
    asked = {queue_id: sent[message_id] for message_id, queue_id in queued.items()}
    for queue_id, to in SENT.findall(log):
        if queue_id in asked:
            found[asked[queue_id]].add(base_address(to) if domain_of(to) in (*town.names(), *town.strict) else to)
    return found


def test_a_full_mailbox_is_explained_as_full(post, acme):
    full = acme.mailbox("full", quota_mb=1)
    alias = acme.alias("other-name", full.email)[0].alias_email
    for _ in range(2):
        sent = post.deliver(full.email, body=("y" * 70 + "\n") * 8000, announce_size=False)
        post.arrived((full.email, PASSWORD), sent)
    deadline = time.monotonic() + 20
    while replies(post, [full.email])[full.email] == "250 2.1.5" and time.monotonic() < deadline:
        time.sleep(0.2)

    with tenant_scope(acme.tenant.path):
        told = explain_recipient(full.email)

        by_alias = explain_recipient(alias)
    assert replies(post, [full.email, alias]) == {full.email: told.reply, alias: by_alias.reply}
    assert (told.reply, told.rule) == (by_alias.reply, by_alias.rule) == ("552 5.2.2", "mailbox_full")
    assert by_alias.decided_by.name == full.email


def test_logins_may_send_as_exactly_the_addresses_it_says(post, town):
    senders = [
        f"{local}{detail}@{name}"
        for local in (*LOCALS, *SOURCES, "nobody")
        for detail in ("", "+x")
        for name in town.names()
    ]
    senders += [f"m0+x@{town.strict[0]}", town.foreign, "someone@elsewhere.example"]
    logins = [mailbox.email for mailbox in town.mailboxes[:6]]
    with tenant_scope(town.acme.tenant.path):
        told = {(login, sender): explain_sender(sender, login) for login in logins for sender in senders}

    answered = {}
    for login in logins:
        for start in range(0, len(senders), RECIPIENTS_A_SESSION):
            chosen = senders[start : start + RECIPIENTS_A_SESSION]
            answered |= {(login, sender): reply for sender, reply in mail_from(post, login, chosen).items()}

    assert {key: one.reply for key, one in told.items()} == answered
    assert len(answered) > 500
    assert {one.outcome for one in told.values()} == {"accepted", "refused"}


def mail_from(post: Post, login: str, senders: list[str]) -> dict[str, str]:
    """Return how the reply to each MAIL FROM begins, or the one to the sign-in."""
    try:
        session = post.submission((login, PASSWORD))
    except smtplib.SMTPAuthenticationError as refused:
        return dict.fromkeys(senders, f"{refused.smtp_code} {refused.smtp_error.decode().split()[0]}")
    found = {}
    with session:
        for sender in senders:
            code, text = session.mail(sender)
            found[sender] = f"{code} {text.decode().split()[0]}"
            session.rset()
    return found


def test_of_what_is_not_yours_nothing_is_told(acme, bolt):
    bob = bolt.mailbox("bob").email
    bolt.alias("info", bob)
    anna = acme.mailbox("anna").email
    names = [bob, f"info@{bolt.domain.domain_name}", "nobody@never-was.example", "x@elsewhere.example"]

    with tenant_scope(acme.tenant.path):
        told = [explain_recipient(name) for name in names]
        as_sender = [explain_sender(name, anna) for name in names]
        as_login = [explain_sender(anna, name) for name in names]

    assert all(one == told[0] for one in told)
    assert (told[0].rule, told[0].steps) == ("not_your_domain", [])
    assert all(one == as_sender[0] for one in as_sender)
    assert as_sender[0].rule == "sender_not_allowed"
    assert all(one == as_login[0] for one in as_login)
    assert (as_login[0].rule, as_login[0].steps) == ("unknown_login", [])


def test_an_alias_to_another_customer_ends_where_that_begins(acme, bolt):
    acme.mailbox("anna")
    bolt.mailbox("bob")
    bolt.alias("info", bolt.address("bob"))
    acme.alias("partner", bolt.address("info"), acme.address("anna"))

    with tenant_scope(acme.tenant.path):
        told = explain_recipient(acme.address("partner"))

    assert told.delivered_to == [acme.address("anna")]
    assert told.leaves_to == [bolt.address("info")]
    assert not any(bolt.address("bob") in (step.asked, *step.answer) for step in told.steps)


def test_a_claim_that_another_has_proven_tells_nothing_of_the_owner(acme, bolt):
    bolt.mailbox("bob")
    claimed = create_domain(acme.actor, name=bolt.domain.domain_name)

    with tenant_scope(acme.tenant.path):
        told = explain_recipient(bolt.address("bob"))

    assert told.rule == "domain_not_active"
    assert told.decided_by.uid == claimed.uid
    assert [step.answer for step in told.steps] == [()]
