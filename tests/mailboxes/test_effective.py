"""Effective columns equal a simple model, whatever happened before (hypothesis, bounded)."""

from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from domains.operations import set_domain_enabled
from mailboxes import chains
from mailboxes.addresses import base_address
from mailboxes.alias_operations import create_alias, delete_alias, set_alias_enabled
from mailboxes.chains import Answer, Link, settle
from mailboxes.models import Alias, Mailbox, Route
from mailboxes.operations import (
    delete_mailbox,
    restore_mailbox,
    resume_mailbox,
    suspend_mailbox,
    update_mailbox,
)
from mailhost.errors import Refused
from mailhost.scope import every_tenant
from tenants.operations import BLOCKS, resume_tenant, suspend_tenant
from tests.world import a_mailbox, an_alias, fresh, make_world, verified_domain

ADDRESSES = ["a@acme.example", "b@acme.example", "@acme.example", "a@bolt.example", "c@bolt.example", "@bolt.example"]
TARGETS = [*(address for address in ADDRESSES if not address.startswith("@")), "nobody@bolt.example", "x@ext.example"]
TARGETS += ["b+news@acme.example", "c+news@bolt.example"]
address = st.sampled_from([each for each in ADDRESSES if not each.startswith("@")])
tenant_name = st.sampled_from(["rita", "acme", "bolt"])


@dataclass
class Expected:
    """What a daemon should be told, worked out row by row in the plainest way."""

    blocks: dict[str, set[str]] = field(default_factory=dict)

    def blocked(self, tenant: str) -> set[str]:
        return self.blocks.get(tenant, set()) | self.blocks.get("rita", set())


class Town(RuleBasedStateMachine):
    """Random operations on two customers' domains; after each, every effective column is worked out anew."""

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.expected = Expected()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    @initialize()
    def found(self) -> None:
        self.world = make_world()
        self.domains = {
            "acme.example": verified_domain(self.world.as_acme, "acme.example"),
            "bolt.example": verified_domain(self.world.as_bolt, "bolt.example"),
        }
        verified_domain(self.world.as_acme, "acme-shop.example", alias_of=self.domains["acme.example"])
        # A forwarding mailbox, a catch-all, and a chain from another tenant: what random steps would seldom meet.
        for name in ("a@acme.example", "b@acme.example"):
            a_mailbox(self.world.as_acme, name)
        self.write_alias("a@acme.example", "b@acme.example")
        self.switch_mailbox("a@acme.example", "keeps_copy", False)
        self.write_alias("@acme.example", "a@acme.example")
        self.write_alias("a@bolt.example", "nobody@acme.example")
        self.write_alias("c@bolt.example", "a@bolt.example")
        # The mailbox's only forward is off: its mail stays, and is not the catch-all's.
        self.change_alias(1, "off")

    def actor(self, name: str):
        return self.world.as_acme if name.endswith("acme.example") else self.world.as_bolt

    def mailbox(self, name: str, *, live: bool = True):
        with every_tenant("the test looks"):
            rows = Mailbox.objects.filter(email=name)
            return (rows.live() if live else rows.deleted()).order_by("pk").last()

    def alias(self, number: int):
        with every_tenant("the test looks"):
            rows = list(Alias.objects.written().order_by("alias_email", "destination_email"))
        return rows[number % len(rows)] if rows else None

    @rule(name=address)
    def open_mailbox(self, name: str) -> None:
        with suppress(Refused):
            a_mailbox(self.actor(name), name)

    @rule(name=address, act=st.sampled_from([suspend_mailbox, resume_mailbox, delete_mailbox]))
    def change_mailbox(self, name: str, act) -> None:
        row = self.mailbox(name)
        if row:
            with suppress(Refused):
                act(self.actor(name), mailbox=row)

    @rule(name=address)
    def bring_back(self, name: str) -> None:
        row = self.mailbox(name, live=False)
        if row:
            with suppress(Refused):
                restore_mailbox(self.actor(name), mailbox=row)

    @rule(
        name=address,
        switch=st.sampled_from(["receives_enabled", "sends_enabled", "imap_enabled", "keeps_copy"]),
        value=st.booleans(),
    )
    def switch_mailbox(self, name: str, switch: str, value: bool) -> None:
        row = self.mailbox(name)
        if row:
            with suppress(Refused):
                update_mailbox(self.actor(name), mailbox=row, **{switch: value})

    @rule(source=st.sampled_from(ADDRESSES), leads_to=st.sampled_from(TARGETS))
    def write_alias(self, source: str, leads_to: str) -> None:
        with suppress(Refused):
            create_alias(self.actor(source), source=source, targets=[leads_to])

    @rule(number=st.integers(0, 9), what=st.sampled_from(["off", "on", "delete"]))
    def change_alias(self, number: int, what: str) -> None:
        row = self.alias(number)
        if row is None:
            return
        with suppress(Refused):
            if what == "delete":
                delete_alias(self.actor(row.alias_email), alias=row)
            else:
                set_alias_enabled(self.actor(row.alias_email), alias=row, enabled=what == "on")

    @rule(name=st.sampled_from(["acme.example", "bolt.example"]), enabled=st.booleans())
    def switch_domain(self, name: str, enabled: bool) -> None:
        with suppress(Refused):
            set_domain_enabled(self.actor(name), domain=self.domains[name], enabled=enabled)

    @rule(tenant=tenant_name, blocks=st.sets(st.sampled_from(BLOCKS), min_size=1))
    def suspend(self, tenant: str, blocks: set[str]) -> None:
        suspend_tenant(
            self.world.as_operator, tenant=getattr(self.world, tenant), blocks=sorted(blocks), reason="abuse"
        )
        self.expected.blocks[tenant] = blocks

    @rule(tenant=tenant_name)
    def resume(self, tenant: str) -> None:
        with suppress(Refused):
            resume_tenant(self.world.as_operator, tenant=fresh(getattr(self.world, tenant)))
        self.expected.blocks.pop(tenant, None)

    @invariant()
    def columns_are_as_the_model_says(self) -> None:
        if not hasattr(self, "domains"):
            return
        with every_tenant("the test looks"):
            mailboxes = list(Mailbox.objects.select_related("domain__tenant").order_by("pk"))
            aliases = list(Alias.objects.select_related("domain__tenant", "domain__alias_of").order_by("pk"))
        assert [row.tenant_id for row in (*mailboxes, *aliases)] == [
            row.domain.tenant_id for row in (*mailboxes, *aliases)
        ]
        may_receive = self.check_mailboxes(mailboxes)
        self.check_aliases(aliases, mailboxes, may_receive)
        self.check_no_mailbox_falls_to_the_catch_all(aliases, mailboxes)
        self.check_routes(aliases)

    def check_routes(self, aliases) -> None:
        """What Postfix is answered are the routed rows, all of them and no others."""
        wanted: dict[str, list[str]] = {}
        for row in aliases:
            if row.is_routed:
                wanted.setdefault(row.alias_email, []).append(row.leads_to)
        assert {row.source: row.leads_to.split(",") for row in Route.objects.all()} == wanted

    def check_mailboxes(self, mailboxes) -> dict[str, bool]:
        may_receive = {}
        for row in mailboxes:
            blocked = self.expected.blocked(row.domain.tenant.name.lower())
            works = row.deleted_at is None and row.is_enabled and row.domain.is_enabled and len(blocked) < len(BLOCKS)
            open_door = works and "sign_in" not in blocked
            wanted = {
                "is_active": open_door and "receiving" not in blocked,
                "may_receive": works and row.receives_enabled and "receiving" not in blocked,
                "may_smtp": open_door and row.sends_enabled and "sending" not in blocked,
                "may_imap": open_door and row.imap_enabled,
                "may_pop3": open_door and row.pop3_enabled,
                "may_sieve": open_door and row.managesieve_enabled,
            }
            assert {name: bool(getattr(row, name)) for name in wanted} == wanted, row.email
            if row.deleted_at is None:
                may_receive[row.email] = wanted["may_receive"]
        return may_receive

    def domain_takes_mail(self, domain) -> bool:
        blocked = self.expected.blocked(domain.tenant.name.lower())
        main = domain.alias_of or domain
        return domain.is_enabled and main.is_enabled and "receiving" not in blocked

    def check_aliases(self, aliases, mailboxes, may_receive) -> None:
        ours = {name: self.domain_takes_mail(fresh(domain)) for name, domain in self.domains.items()}
        live = {row.email: row for row in mailboxes if row.deleted_at is None}
        candidates, repeated = {}, set()
        for row in aliases:
            allowed = self.domain_takes_mail(row.domain) and row.is_enabled and may_receive.get(row.alias_email, True)
            if self.repeats_a_mailbox(row, live):
                repeated |= {row} if self.domain_takes_mail(row.domain) else set()
            else:
                candidates[row] = allowed and row.own_mailbox_id is None
        routed = self.least_fixpoint(candidates, ours, may_receive) | repeated
        for row in aliases:
            takes_mail = self.domain_takes_mail(row.domain)
            if row.own_mailbox_id is not None:
                forwards = any(other.alias_email == row.alias_email for other in routed)
                wanted = takes_mail and (row.is_enabled or not may_receive[row.alias_email] or not forwards)
            else:
                wanted = row in routed
            assert bool(row.is_routed) == wanted, (str(row), "is_routed")
            target = live.get(row.destination_email)
            same = target is not None and target.domain.tenant_id == row.domain.tenant_id
            sends = same and target.may_smtp and not row.is_catch_all and row.domain.is_active
            assert bool(row.may_send_as) == bool(sends and (row.is_enabled or row.own_mailbox_id)), (str(row), "sends")

    def check_no_mailbox_falls_to_the_catch_all(self, aliases, mailboxes) -> None:
        routed = {row.alias_email for row in aliases if row.is_routed}
        domains = {row.domain for row in aliases}
        for row in mailboxes:
            if row.deleted_at is not None:
                continue
            for domain in domains:
                if row.domain_id in {domain.pk, domain.alias_of_id} and self.domain_takes_mail(domain):
                    assert f"{row.email.partition('@')[0]}@{domain.domain_name}" in routed, row.email

    @staticmethod
    def repeats_a_mailbox(row, live) -> bool:
        target = live.get(row.destination_email)
        local = row.alias_email.partition("@")[0]
        main = row.domain.alias_of
        return target is not None and main is not None and target.email == f"{local}@{main.domain_name}"

    @staticmethod
    def least_fixpoint(candidates, ours, may_receive) -> set:
        routed: set = set()
        while True:
            sources = {row.alias_email for row in routed}
            more = set()
            for row, allowed in candidates.items():
                target, domain = base_address(row.destination_email), row.destination_email.rpartition("@")[2]
                if domain not in ours:
                    answers = True
                elif target in may_receive:
                    answers = may_receive[target]
                else:
                    answers = ours[domain] and (target in sources or f"@{domain}" in sources)
                if allowed and answers and row not in routed:
                    more.add(row)
            if not more:
                return routed
            routed |= more


@pytest.mark.django_db
def test_effective_columns_follow_whatever_happens():
    run_state_machine_as_test(
        Town,
        settings=settings(
            max_examples=15,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=False,
        ),
    )


def link(number: int, source: str, target: str, *, local: bool = True) -> Link:
    return Link(number, source, target, local, True, False)


def test_a_circle_holds_nobody_up():
    links = [
        link(1, "@acme.example", "c@bolt.example"),
        link(2, "c@bolt.example", "gone@acme.example"),
        link(3, "d@bolt.example", "x@ext.example", local=False),
        link(4, "e@bolt.example", "d+news@bolt.example"),
    ]

    assert settle(links, []) == {3, 4}


def test_a_mailbox_that_takes_no_mail_is_not_replaced_by_the_catch_all():
    links = [link(1, "a@bolt.example", "anna@acme.example"), link(2, "b@bolt.example", "nobody@acme.example")]
    answers = [Answer(7, "anna@acme.example", True, False), Answer(8, "@acme.example", False, True)]

    assert settle(links, answers) == {2}


def test_an_alias_switched_off_while_chains_are_followed_stays_off(world, acme, monkeypatch):
    a_mailbox(world.as_acme, "anna@acme.example")
    team = an_alias(world.as_acme, "team@acme.example", "anna@acme.example")[0]
    sales = an_alias(world.as_acme, "sales@acme.example", "team@acme.example")[0]
    set_alias_enabled(world.as_acme, alias=team, enabled=False)

    def settle_meanwhile(*given):
        with every_tenant("somebody else's change"):
            Alias.objects.filter(pk=sales.pk).update(is_enabled=False)
        return settle(*given)

    monkeypatch.setattr(chains, "settle", settle_meanwhile)
    set_alias_enabled(world.as_acme, alias=team, enabled=True)

    assert (fresh(sales).is_routed, fresh(sales).is_active) == (False, False)
