import pytest
from django.conf import settings
from django.db import connection

from domains.operations import create_domain
from mailboxes.alias_operations import create_alias, delete_alias
from mailboxes.models import Alias
from mailboxes.operations import suspend_mailbox
from mailhost.errors import NotPermitted, Refused
from mailhost.scope import every_tenant, tenant_scope
from tenants.models import Role
from tests.world import a_mailbox, actor_of, an_alias, routes, senders, verified_domain


def refusal(act, *arguments, **named) -> Refused:
    with pytest.raises(Refused) as refused:
        act(*arguments, **named)
    return refused.value


def test_one_row_for_each_target_in_the_order_given(world, acme):
    a_mailbox(world.as_acme, "anna@acme.example")

    rows = create_alias(
        world.as_acme, source="Sales@acme.example", targets=["x@Ext.example", "anna@acme.example", "x@ext.example."]
    )

    assert [(row.alias_email, row.destination_email) for row in rows] == [
        ("sales@acme.example", "x@ext.example"),
        ("sales@acme.example", "anna@acme.example"),
    ]
    assert [(row.is_active, row.is_routed, row.may_send_as) for row in rows] == [
        (True, True, False),
        (True, True, True),
    ]


def test_targets_are_added_to_an_alias_that_is_there(world, acme):
    an_alias(world.as_acme, "sales@acme.example", "x@ext.example")

    an_alias(world.as_acme, "sales@acme.example", "y@ext.example")

    assert routes("sales@acme.example") == ["x@ext.example", "y@ext.example"]


def test_a_catch_all_leads_but_sends_as_nobody(world, acme):
    a_mailbox(world.as_acme, "anna@acme.example")

    row = an_alias(world.as_acme, "*@acme.example", "anna@acme.example")[0]

    assert (row.alias_email, row.is_catch_all) == ("@acme.example", True)
    assert routes("@acme.example") == ["anna@acme.example"]
    assert senders("@acme.example") == []


def test_another_tenants_mailbox_gets_the_mail_and_no_right_to_send(world, acme, bolt):
    a_mailbox(world.as_bolt, "bob@bolt.example")

    an_alias(world.as_acme, "sales@acme.example", "bob@bolt.example")

    assert routes("sales@acme.example") == ["bob@bolt.example"]
    assert senders("sales@acme.example") == []


def test_a_target_of_ours_that_is_nobody_gets_nothing_and_the_answer_tells_nothing(world, acme, bolt):
    a_mailbox(world.as_bolt, "bob@bolt.example")

    there = an_alias(world.as_acme, "a@acme.example", "bob@bolt.example")
    nobody = an_alias(world.as_acme, "b@acme.example", "nobody@bolt.example")

    assert len(there) == len(nobody) == 1
    assert routes("b@acme.example") == []


def test_a_target_that_a_catch_all_answers_for_is_routed(world, acme, bolt):
    an_alias(world.as_acme, "sales@acme.example", "anybody@bolt.example")
    before = routes("sales@acme.example")

    catch_all = an_alias(world.as_bolt, "*@bolt.example", "x@ext.example")[0]
    with_catch_all = routes("sales@acme.example")
    delete_alias(world.as_bolt, alias=catch_all)

    assert (before, with_catch_all, routes("sales@acme.example")) == ([], ["anybody@bolt.example"], [])


def test_a_row_whose_only_end_is_suspended_accepts_nothing_from_the_start(world, acme):
    suspend_mailbox(world.as_acme, mailbox=a_mailbox(world.as_acme, "anna@acme.example"))

    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")

    assert routes("sales@acme.example") == []


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        (("sales", ["x@ext.example"]), "invalid_address", "source"),
        (("@", ["x@ext.example"]), "invalid_domain", "source"),
        (("", ["x@ext.example"]), "invalid_address", "source"),
        (("sales@other.example", ["x@ext.example"]), "unknown_domain", "source"),
        (("*@other.example", ["x@ext.example"]), "unknown_domain", "source"),
        (("sales@acme.example", []), "targets_required", "targets"),
        (("sales@acme.example", ["x"]), "invalid_address", "targets"),
        (("sales@acme.example", ["x@ext.example, y@ext.example"]), "invalid_address", "targets"),
        (("sales@acme.example", ["x@localhost"]), "invalid_domain", "targets"),
        (("sales@acme.example", ["|cmd@ext.example"]), "invalid_address", "targets"),
        (("sales@acme.example", [f"root@{settings.MAILHOST_HOSTNAME}"]), "invalid_address", "targets"),
        (("sales@acme.example", ["sales@acme.example"]), "alias_loop", "targets"),
        (("sales@acme.example", ["sales+x@acme.example"]), "alias_loop", "targets"),
        (("sales@acme.example", [f"x{n}@ext.example" for n in range(101)]), "too_many_targets", "targets"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(world, acme, given, code, field):
    source, targets = given

    refused = refusal(create_alias, world.as_acme, source=source, targets=targets)

    assert (refused.code, refused.field) == (code, field)
    with tenant_scope(world.acme.path):
        assert not Alias.objects.exists()


def test_one_bad_target_among_good_ones_writes_none(world, acme):
    refusal(an_alias, world.as_acme, "sales@acme.example", "x@ext.example", "bad")

    assert routes("sales@acme.example") == []


def test_the_same_pair_twice_is_refused(world, acme):
    an_alias(world.as_acme, "sales@acme.example", "x@ext.example")

    refused = refusal(an_alias, world.as_acme, "sales@acme.example", "y@ext.example", "X@ext.example")

    assert refused.code == "taken"
    assert refused.message == "sales@acme.example leads to x@ext.example already."
    assert routes("sales@acme.example") == ["x@ext.example"]


def test_targets_are_counted_over_all_calls(world, acme):
    an_alias(world.as_acme, "sales@acme.example", *[f"x{n}@ext.example" for n in range(60)])

    refused = refusal(an_alias, world.as_acme, "sales@acme.example", *[f"y{n}@ext.example" for n in range(41)])

    assert refused.code == "too_many_targets"


def test_a_circle_is_refused_with_its_way(world, acme, bolt):
    an_alias(world.as_acme, "a@acme.example", "b@bolt.example")
    an_alias(world.as_bolt, "b@bolt.example", "c@acme.example")

    refused = refusal(an_alias, world.as_acme, "c@acme.example", "x@ext.example", "a+list@acme.example")

    assert refused.code == "alias_loop"
    assert refused.message.endswith("c@acme.example → a@acme.example → an address of another account → c@acme.example.")
    assert routes("c@acme.example") == []


def test_a_circle_names_no_address_of_another_account(world, acme, bolt):
    create_domain(world.as_acme, name="bolt.example")
    an_alias(world.as_bolt, "team@bolt.example", "secret@bolt.example")
    an_alias(world.as_bolt, "secret@bolt.example", "partner@acme.example")

    told = refusal(an_alias, world.as_acme, "partner@acme.example", "team@bolt.example")

    assert told.code == "alias_loop"
    assert "bolt.example" not in told.message


def test_a_circle_through_a_forwarding_mailbox_is_refused(world, acme):
    a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "team@acme.example", "anna@acme.example")

    assert refusal(an_alias, world.as_acme, "anna@acme.example", "team@acme.example").code == "alias_loop"


def test_a_circle_through_a_catch_all_is_refused(world, acme):
    an_alias(world.as_acme, "*@acme.example", "list@ext.example")

    refused = refusal(an_alias, world.as_acme, "*@acme.example", "nobody@acme.example")

    assert refused.code == "alias_loop"
    assert "*@acme.example → nobody@acme.example → *@acme.example" in refused.message


def test_a_catch_all_that_leads_to_what_is_gone_accepts_nothing(world, acme):
    team = an_alias(world.as_acme, "team@acme.example", "x@ext.example")[0]
    an_alias(world.as_acme, "*@acme.example", "team@acme.example")
    before = routes("@acme.example")

    delete_alias(world.as_acme, alias=team)

    # Now the catch-all would lead to itself.
    assert before == ["team@acme.example"]
    assert routes("@acme.example") == []


@pytest.mark.parametrize("comes", ["alias", "mailbox", "catch-all"])
def test_an_alias_to_a_name_with_a_detail_begins_when_the_name_comes(world, acme, comes):
    an_alias(world.as_acme, "news@acme.example", "sales+list@acme.example")
    an_alias(world.as_acme, "press@acme.example", "news+de@acme.example")
    before = routes("news@acme.example"), routes("press@acme.example")

    if comes == "mailbox":
        a_mailbox(world.as_acme, "sales@acme.example")
    else:
        an_alias(world.as_acme, {"alias": "sales", "catch-all": "*"}[comes] + "@acme.example", "x@ext.example")

    assert before == ([], [])
    assert routes("news@acme.example") == ["sales+list@acme.example"]
    assert routes("press@acme.example") == ["news+de@acme.example"]


def test_a_new_catch_all_reads_the_aliases_to_its_own_domain_alone(world, acme, bolt):
    with every_tenant("a test fills a table"):
        Alias.objects.bulk_create(
            Alias(domain=bolt, alias_email=f"a{n}@bolt.example", destination_email=f"b{n}@bolt.example")
            for n in range(300)
        )
    an_alias(world.as_acme, "news@acme.example", "nobody@acme.example")

    before = rows_read()
    an_alias(world.as_acme, "*@acme.example", "x@ext.example")
    read = rows_read() - before

    assert routes("news@acme.example") == ["nobody@acme.example"]
    assert read < 300


def rows_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        return sum(int(count) for _, count in cursor.fetchall())


def test_a_circle_through_an_alias_domain_is_refused(world, acme):
    verified_domain(world.as_acme, "acme-shop.example", alias_of=acme)
    an_alias(world.as_acme, "b@acme.example", "a@acme-shop.example")

    assert refusal(an_alias, world.as_acme, "a@acme.example", "b@acme.example").code == "alias_loop"


def test_a_chain_has_an_end(world, acme):
    for n in range(10):
        an_alias(world.as_acme, f"a{n}@acme.example", f"a{n + 1}@acme.example")

    refused = refusal(an_alias, world.as_acme, "start@acme.example", "a0@acme.example")

    assert refused.code == "alias_too_deep"


def test_one_message_does_not_become_thousands(world, acme):
    for n in range(6):
        an_alias(world.as_acme, f"list{n}@acme.example", *[f"x{n}-{m}@ext.example" for m in range(100)])

    refused = refusal(an_alias, world.as_acme, "all@acme.example", *[f"list{n}@acme.example" for n in range(6)])

    assert refused.code == "too_many_targets"


def test_an_unproven_domain_and_an_alias_domain_get_none(world, acme):
    create_domain(world.as_acme, name="unproven.example")
    verified_domain(world.as_acme, "acme-shop.example", alias_of=acme)

    codes = [
        refusal(an_alias, world.as_acme, f"sales@{name}", "x@ext.example").code
        for name in ("unproven.example", "acme-shop.example")
    ]

    assert codes == ["domain_not_verified", "alias_domain"]


def test_strangers_and_support_create_none(world, acme):
    with pytest.raises(NotPermitted):
        an_alias(actor_of(world.acme, Role.SUPPORT), "sales@acme.example", "x@ext.example")
    for source in ("sales@acme.example", "*@acme.example"):
        assert refusal(an_alias, world.as_bolt, source, "x@ext.example").code == "unknown_domain"
