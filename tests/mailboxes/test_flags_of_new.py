"""What is written of what is new at once is what the UPDATEs would write, whatever its tenant may do."""

import itertools

import pytest

from domains.effective import recalculate as recalculate_domain
from domains.models import Domain
from domains.operations import create_domain
from mailboxes.models import Alias, Mailbox
from mailboxes.operations import update_mailbox
from mailhost.effective import recalculate
from mailhost.scope import every_tenant
from tenants.models import Tenant
from tests.world import a_mailbox, an_alias, routes, verified_domain

TARGETS = [
    *("anna@acme.example", "anna+news@acme.example", "team@acme.example", "team+x@acme.example", "lost@acme.example"),
    *("nobody@acme.example", "bob@bolt.example", "bob@bolt2.example", "nobody@bolt.example", "x@partner.example"),
]
CATCH_ALLS = [None, "x@partner.example", "gone@bolt.example"]
SWITCHES = list(itertools.product([True, False], repeat=3))


def effective() -> list:
    with every_tenant("a test compares"):
        return [
            list(Domain.objects.order_by("pk").values_list("pk", *sorted(Domain.unrecorded))),
            list(Mailbox.objects.order_by("pk").values_list("pk", *sorted(Mailbox.unrecorded))),
            list(Alias.objects.order_by("pk").values_list("pk", *sorted(Alias.unrecorded))),
        ]


@pytest.mark.parametrize("switches", SWITCHES)
@pytest.mark.parametrize("is_enabled", [True, False])
def test_recalculating_changes_nothing(world, acme, switches, is_enabled):
    signs_in, sends, receives = switches
    with every_tenant("a test switches a tenant"):
        Tenant.objects.filter(pk=world.acme.pk).update(may_sign_in=signs_in, may_send=sends, may_receive=receives)
        Domain.objects.filter(pk=acme.pk).update(is_enabled=is_enabled)
        recalculate_domain(domain_id=acme.pk)

    a_mailbox(world.as_acme, "anna@acme.example")
    create_domain(world.as_acme, name="new.example")
    if is_enabled and any(switches):
        create_domain(world.as_acme, name="second.example", alias_of=acme)
    written = effective()
    with every_tenant("a test recalculates"):
        for domain_id in Domain.objects.values_list("pk", flat=True):
            recalculate(domain_id=domain_id)

    assert effective() == written


@pytest.mark.parametrize(
    ("switches", "catch_all"),
    list(zip(itertools.product([True, False], repeat=4), itertools.cycle(CATCH_ALLS), strict=False)),
)
def test_recalculating_changes_nothing_of_an_alias(world, acme, bolt, switches, catch_all):
    signs_in, sends, receives, is_enabled = switches
    anna, _ = a_mailbox(world.as_acme, "anna@acme.example"), a_mailbox(world.as_bolt, "bob@bolt.example")
    verified_domain(world.as_bolt, "bolt2.example", bolt)
    update_mailbox(world.as_acme, mailbox=anna, sends_enabled=sends)
    an_alias(world.as_acme, "team@acme.example", "x@partner.example")
    an_alias(world.as_acme, "lost@acme.example", "nobody@bolt.example")
    if catch_all:
        an_alias(world.as_acme, "*@acme.example", catch_all)
    with every_tenant("a test switches the tenant at the targets"):
        Tenant.objects.filter(pk=world.bolt.pk).update(may_sign_in=signs_in, may_send=sends, may_receive=receives)
        Domain.objects.filter(pk=bolt.pk).update(is_enabled=is_enabled)
        Domain.objects.filter(pk=acme.pk).update(is_enabled=is_enabled or not receives)
        for domain_id in Domain.objects.values_list("pk", flat=True):
            recalculate(domain_id=domain_id)

    for number, target in enumerate(TARGETS):
        an_alias(world.as_acme, f"one{number}@acme.example", target)
    an_alias(world.as_acme, "all@acme.example", *TARGETS)
    an_alias(world.as_acme, "all@acme.example", "y@partner.example")
    written = effective()
    with every_tenant("a test recalculates"):
        recalculate(domain_id=acme.pk)

    assert effective() == written


def test_what_waits_for_the_address_follows_it(world, acme):
    verified_domain(world.as_acme, "acme2.example", acme)
    an_alias(world.as_acme, "info@acme.example", "otto@acme.example")
    an_alias(world.as_acme, "news@acme.example", "otto+news@acme.example")
    written = []
    for name in ("otto", "ada"):
        a_mailbox(world.as_acme, f"{name}@acme.example")
        written.append(effective())

    with every_tenant("a test recalculates"):
        recalculate(domain_id=acme.pk)
    assert effective() == written[-1]
    assert routes("info@acme.example") == ["otto@acme.example"]
    assert routes("otto@acme2.example") == ["otto@acme.example"]
