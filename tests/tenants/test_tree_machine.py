"""Whatever happens to a tree of tenants, flags and limits are as a model of a few lines says."""

from dataclasses import dataclass, field

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from mailboxes.models import Mailbox
from mailboxes.operations import delete_mailbox
from mailhost.errors import Refused
from mailhost.scope import every_tenant
from tenants import usage
from tenants.deletion_operations import delete_tenant, restore_tenant
from tenants.limits import totals
from tenants.models import Kind
from tenants.move_operations import move_tenant
from tenants.operations import BLOCKS, create_tenant, resume_tenant, suspend_tenant
from tenants.plan_operations import assign_plan, create_plan
from tests.world import a_mailbox, actor_of, fresh, make_world, verified_domain

RESELLERS, CUSTOMERS = ("rita", "sela"), ("acme", "bolt", "corvo")
NAMES = RESELLERS + CUSTOMERS
MOST = (0, 1, 2, 3)


@dataclass
class Node:
    """A tenant as the model sees it. `most` is its limit of mailboxes, None for none."""

    parent: str = ""
    blocks: set[str] = field(default_factory=set)
    most: int | None = None
    mailboxes: int = 0
    deleted: bool = False
    deleted_with: str = ""


class Model:
    """The tree: everything is worked out anew from what was asked for, nothing is remembered."""

    def __init__(self) -> None:
        self.nodes = {"root": Node()}

    def chain(self, name: str) -> list[str]:
        return [name, *self.chain(self.nodes[name].parent)] if name else []

    def below(self, name: str) -> list[str]:
        return [each for each in self.nodes if name in self.chain(each)]

    def used(self, name: str) -> int:
        return sum(self.nodes[each].mailboxes for each in self.below(name) if not self.nodes[each].deleted)

    def fits(self, name: str, more: int) -> bool:
        """Whether everybody from this tenant up has room for so many more mailboxes."""
        holders = [each for each in self.chain(name) if self.nodes[each].most is not None]
        return all(self.used(each) + more <= self.nodes[each].most for each in holders)

    def sold(self, name: str, besides: str = "") -> int:
        right_below = [node for each, node in self.nodes.items() if node.parent == name and each != besides]
        return sum(node.most or 0 for node in right_below if not node.deleted)

    def may_sell(self, name: str, more: int, besides: str = "") -> bool:
        most = self.nodes[name].most
        return most is None or self.sold(name, besides) + more <= most

    def stopped(self, name: str) -> set[str]:
        if self.nodes[name].deleted:
            return set(BLOCKS)
        return set().union(*(self.nodes[each].blocks for each in self.chain(name)))


def outcome_of(act, *arguments, **named) -> str:
    """Do it; return "done" or the refusal's code."""
    try:
        act(*arguments, **named)
    except Refused as refused:
        return refused.code
    return "done"


class Tree(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        # Each run begins with nothing; an operation's own transaction is a savepoint in this one.
        self.transaction = transaction.atomic()
        self.transaction.__enter__()

    @initialize()
    def plant(self) -> None:
        self.world = make_world()
        self.root = self.world.as_operator
        self.tenants = {"root": self.world.operator, "rita": self.world.rita}
        self.tenants |= {"acme": self.world.acme, "bolt": self.world.bolt}
        operator = self.world.operator
        self.tenants["sela"] = create_tenant(self.root, parent=operator, kind=Kind.RESELLER, name="Sela")
        sela = self.tenants["sela"]
        self.tenants["corvo"] = create_tenant(self.root, parent=sela, kind=Kind.CUSTOMER, name="Corvo")
        self.plans = {most: create_plan(self.root, name=f"{most}", limits={"mailboxes": most}) for most in MOST}
        self.model = Model()
        above = {"rita": "root", "sela": "root", "acme": "rita", "bolt": "rita", "corvo": "sela"}
        self.model.nodes |= {name: Node(parent) for name, parent in above.items()}
        for name in CUSTOMERS:
            verified_domain(actor_of(self.tenants[name]), f"{name}.example")
        self.count = 0

    def attempt(self, expected: bool, act, **arguments) -> bool:
        """Do it; it is done exactly when the model says so."""
        outcome = outcome_of(act, self.root, **arguments)
        assert (outcome == "done") == expected, (act.__name__, outcome)
        return expected

    @rule(name=st.sampled_from(CUSTOMERS))
    def make_mailbox(self, name: str) -> None:
        node = self.model.nodes[name]
        self.count += 1
        outcome = outcome_of(a_mailbox, actor_of(fresh(self.tenants[name])), f"m{self.count}@{name}.example")
        fits = "done" if self.model.fits(name, 1) else "limit_reached"
        assert outcome == ("unknown_domain" if node.deleted else fits)
        node.mailboxes += outcome == "done"

    @rule(name=st.sampled_from(CUSTOMERS))
    def remove_mailbox(self, name: str) -> None:
        node = self.model.nodes[name]
        if node.mailboxes and not node.deleted:
            with every_tenant("the test picks one"):
                row = Mailbox.objects.live().filter(domain__domain_name=f"{name}.example").first()
            delete_mailbox(self.root, mailbox=row)
            node.mailboxes -= 1

    @rule(name=st.sampled_from(NAMES), most=st.sampled_from((*MOST, None)), accept=st.booleans())
    def choose_plan(self, name: str, most: int | None, accept: bool) -> None:
        model, node = self.model, self.model.nodes[name]
        own = most is None or (model.used(name) <= most and model.sold(name) <= most)
        expected = not node.deleted and (own or accept) and model.may_sell(node.parent, most or 0, besides=name)
        plan = None if most is None else self.plans[most]
        if self.attempt(expected, assign_plan, tenant=self.tenants[name], plan=plan, accept_excess=accept):
            node.most = most

    @rule(name=st.sampled_from(NAMES), blocks=st.sets(st.sampled_from(BLOCKS), min_size=1))
    def suspend(self, name: str, blocks: set[str]) -> None:
        node = self.model.nodes[name]
        arguments = {"tenant": self.tenants[name], "reason": "abuse", "blocks": sorted(blocks)}
        if self.attempt(not node.deleted, suspend_tenant, **arguments):
            node.blocks = blocks

    @rule(name=st.sampled_from(NAMES))
    def resume(self, name: str) -> None:
        node = self.model.nodes[name]
        if self.attempt(bool(node.blocks) and not node.deleted, resume_tenant, tenant=self.tenants[name]):
            node.blocks = set()

    @rule(name=st.sampled_from(CUSTOMERS), parent=st.sampled_from(("root", *RESELLERS)))
    def move(self, name: str, parent: str) -> None:
        model, node = self.model, self.model.nodes[name]
        there = model.nodes[parent]
        holders = [each for each in model.chain(parent) if model.nodes[each].most is not None]
        new = [each for each in holders if each not in model.chain(name)]
        fits = not node.mailboxes or all(model.used(each) + node.mailboxes <= model.nodes[each].most for each in new)
        # Who stands above both places keeps what it had, unless that is too much already.
        over = [each for each in holders if each not in new]
        fits = fits and (not node.mailboxes or all(model.used(each) <= model.nodes[each].most for each in over))
        possible = parent != node.parent and not node.deleted and not there.deleted
        expected = possible and fits and model.may_sell(parent, node.most or 0)
        if self.attempt(expected, move_tenant, tenant=self.tenants[name], parent=self.tenants[parent]):
            node.parent = parent

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name: str) -> None:
        model = self.model
        if self.attempt(not model.nodes[name].deleted, delete_tenant, tenant=self.tenants[name]):
            for each in model.below(name):
                if not model.nodes[each].deleted:
                    model.nodes[each].deleted, model.nodes[each].deleted_with = True, name

    @rule(name=st.sampled_from(NAMES))
    def restore(self, name: str) -> None:
        model, node = self.model, self.model.nodes[name]
        came = [each for each in model.nodes.values() if each.deleted and each.deleted_with == name]
        mailboxes = sum(each.mailboxes for each in came)
        possible = node.deleted and node.deleted_with == name
        # Below a deleted account there is nothing to come back to.
        possible = possible and not any(model.nodes[each].deleted for each in model.chain(node.parent))
        room = not mailboxes or model.fits(node.parent, mailboxes)
        expected = possible and room and model.may_sell(node.parent, node.most or 0)
        if self.attempt(expected, restore_tenant, tenant=self.tenants[name]):
            for each in came:
                each.deleted, each.deleted_with = False, ""

    @invariant()
    def flags_and_use_are_as_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        for name, tenant in self.tenants.items():
            row = fresh(tenant)
            assert set(row.stopped) == self.model.stopped(name), name
            with every_tenant("the test looks"):
                assert row.allowance.path == row.path
                [used] = totals([row.path])
            if not self.model.nodes[name].deleted:
                assert used["mailboxes"] == self.model.used(name), name
        with every_tenant("the test looks"):
            for mailbox in Mailbox.objects.live().select_related("domain__tenant"):
                stopped = self.model.stopped(mailbox.domain.tenant.name.lower())
                assert mailbox.may_receive == ("receiving" not in stopped), mailbox
                assert mailbox.may_imap == ("sign_in" not in stopped), mailbox
                assert mailbox.may_smtp == (not stopped & {"sign_in", "sending"}), mailbox

    def teardown(self) -> None:
        try:
            assert usage.recount() == 0
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)


@pytest.mark.django_db
def test_a_tree_is_always_as_its_model_says():
    run_state_machine_as_test(
        Tree,
        settings=settings(
            max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
