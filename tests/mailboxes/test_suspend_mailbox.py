import pytest

from mailboxes.alias_operations import set_alias_enabled
from mailboxes.operations import delete_mailbox, restore_mailbox, resume_mailbox, suspend_mailbox, update_mailbox
from mailhost.errors import Refused
from mailhost.models import Job
from tests.world import a_mailbox, an_alias, fresh, routes, senders

FLAGS = ("is_active", "may_receive", "may_smtp", "may_imap", "may_pop3", "may_sieve")


@pytest.fixture
def anna(world, acme):
    return a_mailbox(world.as_acme, "anna@acme.example")


def test_every_door_closes_and_opens_again(world, anna):
    suspended = suspend_mailbox(world.as_acme, mailbox=anna)
    resumed = resume_mailbox(world.as_acme, mailbox=suspended)

    assert not any(getattr(suspended, flag) for flag in FLAGS)
    assert all(getattr(resumed, flag) for flag in FLAGS)
    job = Job.objects.get(task="mailboxes.tasks.end_sessions")
    assert job.arguments == {"address_mask": "anna@acme.example"}


def test_the_catch_all_does_not_get_its_mail(world, anna):
    an_alias(world.as_acme, "*@acme.example", "boss@ext.example")

    suspend_mailbox(world.as_acme, mailbox=anna)

    row = fresh(anna.own_row)
    assert (row.is_routed, row.is_active, row.may_send_as) == (True, False, False)


def test_it_forwards_nothing(world, anna):
    an_alias(world.as_acme, "anna@acme.example", "anna@ext.example")

    suspend_mailbox(world.as_acme, mailbox=anna)

    assert routes("anna@acme.example") == ["anna@acme.example"]


def test_an_alias_goes_on_for_its_other_targets(world, anna):
    a_mailbox(world.as_acme, "bert@acme.example")
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example", "bert@acme.example")

    suspend_mailbox(world.as_acme, mailbox=anna)

    assert routes("sales@acme.example") == senders("sales@acme.example") == ["bert@acme.example"]


def test_a_chain_that_ends_there_accepts_nothing(world, anna, bolt):
    an_alias(world.as_acme, "team@acme.example", "anna@acme.example")
    an_alias(world.as_acme, "sales@acme.example", "team@acme.example")
    an_alias(world.as_bolt, "friend@bolt.example", "sales@acme.example")

    suspend_mailbox(world.as_acme, mailbox=anna)
    closed = routes("team@acme.example") + routes("sales@acme.example") + routes("friend@bolt.example")
    resume_mailbox(world.as_acme, mailbox=anna)

    assert closed == []
    assert routes("friend@bolt.example") == ["sales@acme.example"]
    assert routes("sales@acme.example") == ["team@acme.example"]


@pytest.mark.parametrize(("act", "state"), [(resume_mailbox, "open"), (suspend_mailbox, "suspended")])
def test_what_is_so_already_is_refused(world, anna, act, state):
    if state == "suspended":
        suspend_mailbox(world.as_acme, mailbox=anna)

    with pytest.raises(Refused, match=f"is {state} already") as refused:
        act(world.as_acme, mailbox=anna)

    assert refused.value.code == "unchanged"


def test_a_stranger_finds_no_mailbox(world, anna):
    with pytest.raises(Refused) as refused:
        suspend_mailbox(world.as_bolt, mailbox=anna)

    assert refused.value.code == "not_found"
    assert fresh(anna).is_active


def test_one_that_only_forwards_keeps_its_address_from_the_catch_all_too(world, anna):
    an_alias(world.as_acme, "*@acme.example", "boss@ext.example")
    an_alias(world.as_acme, "anna@acme.example", "anna@ext.example")
    update_mailbox(world.as_acme, mailbox=anna, keeps_copy=False)
    before = routes("anna@acme.example")

    suspend_mailbox(world.as_acme, mailbox=anna)

    assert before == ["anna@ext.example"]
    assert routes("anna@acme.example") == ["anna@acme.example"]


@pytest.mark.parametrize("act", ["switch_off", "suspend", "delete", "suspend_behind_an_alias"])
def test_one_that_only_forwards_keeps_its_mail_while_nobody_takes_it(world, anna, bolt, act):
    bert = a_mailbox(world.as_bolt, "bert@bolt.example")
    team = an_alias(world.as_bolt, "team@bolt.example", "bert@bolt.example")[0]
    an_alias(world.as_acme, "*@acme.example", "boss@ext.example")
    target = team if act == "suspend_behind_an_alias" else bert
    forward = an_alias(world.as_acme, "anna@acme.example", str(getattr(target, "alias_email", target)))[0]
    update_mailbox(world.as_acme, mailbox=anna, keeps_copy=False)
    before = routes("anna@acme.example")

    if act == "switch_off":
        set_alias_enabled(world.as_acme, alias=forward, enabled=False)
    elif act == "delete":
        delete_mailbox(world.as_bolt, mailbox=bert)
    else:
        suspend_mailbox(world.as_bolt, mailbox=bert)
    meanwhile = routes("anna@acme.example"), fresh(anna.own_row).is_active
    if act == "switch_off":
        set_alias_enabled(world.as_acme, alias=forward, enabled=True)
    elif act == "delete":
        restore_mailbox(world.as_bolt, mailbox=bert)
    else:
        resume_mailbox(world.as_bolt, mailbox=bert)

    assert before == routes("anna@acme.example") == [forward.destination_email]
    assert meanwhile == (["anna@acme.example"], True)


def test_a_forward_to_a_neighbour_rests_with_it(world, anna):
    a_mailbox(world.as_acme, "bert@acme.example")
    an_alias(world.as_acme, "anna@acme.example", "bert@acme.example")

    suspend_mailbox(world.as_acme, mailbox=anna)

    assert routes("anna@acme.example") == ["anna@acme.example"]
