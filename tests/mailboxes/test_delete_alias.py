import pytest

from mailboxes.alias_operations import delete_alias, set_alias_enabled
from mailhost.errors import Refused
from tests.world import a_mailbox, an_alias, fresh, routes, senders, verified_domain


@pytest.fixture
def sales(world, acme):
    a_mailbox(world.as_acme, "anna@acme.example")
    return an_alias(world.as_acme, "sales@acme.example", "anna@acme.example", "x@ext.example")


def test_one_target_goes_and_the_others_stay(world, sales):
    delete_alias(world.as_acme, alias=sales[0])

    assert routes("sales@acme.example") == ["x@ext.example"]
    assert senders("sales@acme.example") == []


def test_an_alias_that_led_there_accepts_nothing_any_more(world, sales, bolt):
    an_alias(world.as_bolt, "friend@bolt.example", "sales@acme.example")
    delete_alias(world.as_acme, alias=sales[0])
    one_left = routes("friend@bolt.example")

    delete_alias(world.as_acme, alias=sales[1])

    assert one_left == ["sales@acme.example"]
    assert routes("friend@bolt.example") == []


def test_the_alias_domain_forgets_it_too(world, sales, acme):
    verified_domain(world.as_acme, "acme-shop.example", alias_of=acme)
    before = routes("sales@acme-shop.example")

    for row in sales:
        delete_alias(world.as_acme, alias=row)

    assert before == ["anna@acme.example", "x@ext.example"]
    assert routes("sales@acme-shop.example") == []


def test_one_target_is_switched_off_and_on(world, sales, acme):
    verified_domain(world.as_acme, "acme-shop.example", alias_of=acme)

    off = set_alias_enabled(world.as_acme, alias=sales[0], enabled=False)
    answers = [routes("sales@acme.example"), routes("sales@acme-shop.example"), senders("sales@acme.example")]
    on = set_alias_enabled(world.as_acme, alias=off, enabled=True)

    assert (off.is_active, off.is_routed, off.may_send_as) == (False, False, False)
    assert answers == [["x@ext.example"], ["x@ext.example"], []]
    assert (on.is_active, on.is_routed, on.may_send_as) == (True, True, True)
    assert routes("sales@acme-shop.example") == ["anna@acme.example", "x@ext.example"]


def test_what_is_so_already_is_refused(world, sales):
    with pytest.raises(Refused) as refused:
        set_alias_enabled(world.as_acme, alias=sales[0], enabled=True)

    assert (refused.value.code, refused.value.field) == ("unchanged", "enabled")


def test_a_mailboxs_own_row_is_no_alias(world, sales):
    own = fresh(fresh(sales[0]).target_mailbox).own_row

    for act, arguments in ((delete_alias, {}), (set_alias_enabled, {"enabled": False})):
        with pytest.raises(Refused) as refused:
            act(world.as_acme, alias=own, **arguments)
        assert refused.value.code == "not_found"
    assert routes("anna@acme.example") == ["anna@acme.example"]


def test_a_stranger_finds_no_alias(world, sales):
    for act, arguments in ((delete_alias, {}), (set_alias_enabled, {"enabled": False})):
        with pytest.raises(Refused) as refused:
            act(world.as_bolt, alias=sales[0], **arguments)
        assert refused.value.code == "not_found"
