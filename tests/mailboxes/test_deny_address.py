"""Addresses that a catch-all does not take: which rows they are, what daemons are answered, what else they touch."""

import pytest

from mailboxes import lookups
from mailboxes.alias_operations import create_alias, set_alias_enabled
from mailboxes.denial_operations import MAX_DENIED, allow_address, deny_address
from mailboxes.explain import explain_recipient
from mailboxes.models import Alias
from mailboxes.questions import ask
from mailhost.errors import NotPermitted, Refused
from mailhost.scope import tenant_scope
from tenants.models import Allowance, Role
from tests.apiside import ROOT, Caller, make_key
from tests.world import World, a_mailbox, an_alias, fresh, routes, verified_domain

ACCEPTED = "recipient_accepted"
REFUSED = "550 5.1.1 This address takes no mail"


@pytest.fixture
def acme(world: World):
    """Acme's domain with a mailbox and a catch-all that leads to it."""
    domain = verified_domain(world.as_acme, "acme.example")
    a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "*@acme.example", "anna@acme.example")
    return domain


def answer(address: str) -> str | None:
    """What Postfix is told of a recipient that is no mailbox."""
    local, _, domain = address.partition("@")
    [(said,)] = ask("sources", local=local, domain=domain)
    return said


def refusal(act, **arguments) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        act(**arguments)
    return caught.value.code, caught.value.field


def test_the_catch_all_takes_all_but_what_is_denied(world, acme):
    deny_address(world.as_acme, domain=acme, address="spam@acme.example")

    assert answer("spam@acme.example") == REFUSED
    assert answer("other@acme.example") == ACCEPTED


def test_a_detail_opens_no_way_around(world, acme):
    deny_address(world.as_acme, domain=acme, address="spam")

    # No answer: Postfix asks for the address without its detail next.
    assert answer("spam+news@acme.example") is None
    assert answer("spam@acme.example") == REFUSED
    assert answer("other+news@acme.example") == ACCEPTED


def test_it_holds_in_alias_domains_too(world, acme):
    verified_domain(world.as_acme, "acme-labs.example", alias_of=acme)
    row = deny_address(world.as_acme, domain=acme, address="spam")

    assert answer("spam@acme-labs.example") == REFUSED
    assert answer("other@acme-labs.example") == ACCEPTED
    allow_address(world.as_acme, denial=row)
    assert answer("spam@acme-labs.example") == ACCEPTED


def test_a_new_alias_domain_follows_the_list(world, acme):
    deny_address(world.as_acme, domain=acme, address="spam")

    verified_domain(world.as_acme, "acme-labs.example", alias_of=acme)

    assert answer("spam@acme-labs.example") == REFUSED


def test_taken_off_the_list_it_is_the_catch_alls_again(world, acme):
    row = deny_address(world.as_acme, domain=acme, address="spam")

    allow_address(world.as_acme, denial=row)

    assert answer("spam@acme.example") == ACCEPTED
    assert refusal(allow_address, actor=world.as_acme, denial=row) == ("not_found", "")


def test_a_mailbox_is_found_without_one_question_more(world, acme):
    """The list is answered where only unknown addresses come; the question about mailboxes knows nothing of it."""
    deny_address(world.as_acme, domain=acme, address="spam")

    assert ask("recipients", local="anna", domain="acme.example") == [(ACCEPTED,)]
    assert "mail_aliases" not in lookups.named("recipients").sql


def test_the_customary_query_lets_the_catch_all_answer(world, acme):
    """It knows no refusal, and leading a message into a bounce would be worse."""
    row = deny_address(world.as_acme, domain=acme, address="spam")

    assert (row.is_active, row.is_routed) == (False, True)


def test_it_takes_nothing_of_the_plan_and_is_no_alias(world, acme):
    with tenant_scope(world.acme.path):
        before = Allowance.objects.get(tenant=world.acme).used_aliases
        deny_address(world.as_acme, domain=acme, address="spam")

        assert Allowance.objects.get(tenant=world.acme).used_aliases == before
        assert "spam@acme.example" not in set(Alias.objects.written().values_list("alias_email", flat=True))


def test_no_alias_leads_to_it_while_it_is_denied(world, acme):
    [sales] = an_alias(world.as_acme, "sales@acme.example", "spam@acme.example")
    assert fresh(sales).is_routed

    row = deny_address(world.as_acme, domain=acme, address="spam")

    assert not fresh(sales).is_routed
    allow_address(world.as_acme, denial=row)
    assert fresh(sales).is_routed


def test_leading_an_alias_to_it_is_no_circle(world, acme):
    deny_address(world.as_acme, domain=acme, address="spam")

    [row] = create_alias(world.as_acme, source="sales@acme.example", targets=["spam@acme.example"])

    assert not fresh(row).is_routed


def test_it_survives_a_switch_of_the_catch_all(world, acme):
    deny_address(world.as_acme, domain=acme, address="spam")
    with tenant_scope(world.acme.path):
        catch_all = Alias.objects.get(alias_email="@acme.example")

    set_alias_enabled(world.as_acme, alias=catch_all, enabled=False)
    set_alias_enabled(world.as_acme, alias=catch_all, enabled=True)

    assert routes("spam@acme.example") == ["spam@acme.example"]
    assert answer("spam@acme.example") == REFUSED


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("anna@acme.example", ("taken", "address")),
        ("sales@acme.example", ("taken", "address")),
        ("spam@bolt.example", ("unrelated_address", "address")),
        ("spam+x@acme.example", ("invalid_address", "address")),
        ("@acme.example", ("invalid_address", "address")),
        ("spam", ("denied", "address")),
    ],
)
def test_what_cannot_be_denied(world, acme, address, says):
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")
    deny_address(world.as_acme, domain=acme, address="spam@acme.example")

    assert refusal(deny_address, actor=world.as_acme, domain=acme, address=address) == says


def test_neither_a_mailbox_nor_an_alias_is_made_of_a_denied_address(world, acme):
    deny_address(world.as_acme, domain=acme, address="spam")

    assert refusal(lambda: a_mailbox(world.as_acme, "spam@acme.example")) == ("denied", "address")
    assert refusal(lambda: an_alias(world.as_acme, "spam@acme.example", "anna@acme.example")) == ("denied", "source")


def test_the_list_has_an_end(world, acme):
    with tenant_scope(world.acme.path):
        Alias.objects.bulk_create(
            Alias(domain=acme, alias_email=f"{n}@acme.example", destination_email=f"{n}@acme.example", is_denial=True)
            for n in range(MAX_DENIED)
        )

    assert refusal(deny_address, actor=world.as_acme, domain=acme, address="spam") == ("too_many_denied", "address")


def test_whoever_may_only_read_denies_nothing(world, acme):
    with pytest.raises(NotPermitted):
        deny_address(world.actor(world.acme, Role.READ_ONLY), domain=acme, address="spam")


def test_a_strangers_domain_has_no_list(world, acme):
    assert refusal(deny_address, actor=world.as_bolt, domain=acme, address="spam") == ("unknown_domain", "address")


def test_explain_says_why(world, acme):
    deny_address(world.as_acme, domain=acme, address="spam")

    with tenant_scope(world.acme.path):
        told, detailed = explain_recipient("spam@acme.example"), explain_recipient("spam+x@acme.example")

    assert (told.outcome, told.reply, told.rule) == ("refused", "550 5.1.1", "denied")
    assert (detailed.outcome, detailed.rule) == ("refused", "denied")
    assert told.decided_by.name == "acme.example"


def test_the_list_over_rest(world, acme):
    caller = Caller(make_key(world.acme))
    path = "/domains/acme.example/denied-addresses"

    made = caller.call("POST", path, {"address": "spam"})
    again = caller.call("POST", path, {"address": "spam"})
    listed = caller.read(path)["data"]
    one = caller.read(made["Location"].removeprefix(ROOT))
    by_address = caller.read(f"{path}/spam@acme.example")
    gone = caller.call("DELETE", f"{path}/spam@acme.example")

    assert (made.status_code, again.status_code, gone.status_code) == (201, 422, 204)
    assert again.json()["errors"][0]["code"] == "denied"
    assert [row["address"] for row in listed] == ["spam@acme.example"]
    assert one == by_address == listed[0] == made.json()
    assert one["object"] == "denied_address"
    assert caller.read(path)["data"] == []
