import pytest

from mailboxes.alias_operations import delete_alias
from mailboxes.operations import update_mailbox
from mailhost.errors import Refused
from mailhost.models import Job
from tests.world import a_mailbox, an_alias, fresh, routes, senders


@pytest.fixture
def anna(world, acme):
    return a_mailbox(world.as_acme, "anna@acme.example")


def test_what_is_not_given_stays(world, anna):
    update_mailbox(world.as_acme, mailbox=anna, display_name="Anna", storage_quota_mb=200)

    row = fresh(anna)
    assert (row.display_name, row.storage_quota, row.imap_enabled, row.is_active) == ("Anna", 200, True, True)


@pytest.mark.parametrize(
    ("switch", "flag"),
    [
        ("receives_enabled", "may_receive"),
        ("sends_enabled", "may_smtp"),
        ("imap_enabled", "may_imap"),
        ("pop3_enabled", "may_pop3"),
        ("managesieve_enabled", "may_sieve"),
    ],
)
def test_each_switch_closes_its_own_door(world, anna, switch, flag):
    flags = ["is_active", "may_receive", "may_smtp", "may_imap", "may_pop3", "may_sieve"]

    row = update_mailbox(world.as_acme, mailbox=anna, **{switch: False})
    closed = [name for name in flags if not getattr(row, name)]
    row = update_mailbox(world.as_acme, mailbox=row, **{switch: True})

    assert closed == [flag]
    assert all(getattr(row, name) for name in flags)


def test_one_who_may_not_send_sends_as_nobody(world, anna):
    an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")

    update_mailbox(world.as_acme, mailbox=anna, sends_enabled=False)

    assert senders("anna@acme.example") == senders("sales@acme.example") == []
    assert routes("sales@acme.example") == ["anna@acme.example"]


def test_one_who_takes_no_mail_keeps_the_address_from_the_catch_all(world, anna):
    an_alias(world.as_acme, "*@acme.example", "boss@ext.example")

    update_mailbox(world.as_acme, mailbox=anna, receives_enabled=False)

    assert routes("anna@acme.example") == ["anna@acme.example"]


def test_only_a_closed_door_ends_sessions(world, anna):
    update_mailbox(world.as_acme, mailbox=anna, storage_quota_mb=300, sends_enabled=False)
    before = Job.objects.filter(task="mailboxes.tasks.end_sessions").count()

    update_mailbox(world.as_acme, mailbox=anna, imap_enabled=False)

    assert before == 0
    assert Job.objects.filter(task="mailboxes.tasks.end_sessions").count() == 1


def test_a_mailbox_that_forwards_need_not_keep_a_copy(world, anna):
    an_alias(world.as_acme, "anna@acme.example", "anna@ext.example")
    both = routes("anna@acme.example")

    update_mailbox(world.as_acme, mailbox=anna, keeps_copy=False)
    only_forward = routes("anna@acme.example")
    sender = senders("anna@acme.example")

    assert both == ["anna@acme.example", "anna@ext.example"]
    assert only_forward == ["anna@ext.example"]
    assert sender == ["anna@acme.example"]


def test_mail_stays_again_when_the_last_forward_goes(world, anna):
    forward = an_alias(world.as_acme, "anna@acme.example", "anna@ext.example")[0]
    update_mailbox(world.as_acme, mailbox=anna, keeps_copy=False)

    delete_alias(world.as_acme, alias=forward)

    assert routes("anna@acme.example") == ["anna@acme.example"]


def test_mail_that_goes_nowhere_is_refused(world, anna):
    with pytest.raises(Refused) as refused:
        update_mailbox(world.as_acme, mailbox=anna, keeps_copy=False)

    assert (refused.value.code, refused.value.field) == ("no_forward", "keeps_copy")


@pytest.mark.parametrize(
    ("changes", "field"), [({"storage_quota_mb": 0}, "storage_quota_mb"), ({"display_name": "a\0"}, "display_name")]
)
def test_what_is_wrong_is_named(world, anna, changes, field):
    with pytest.raises(Refused) as refused:
        update_mailbox(world.as_acme, mailbox=anna, **changes)

    assert refused.value.field == field


def test_a_stranger_finds_no_mailbox(world, anna):
    with pytest.raises(Refused) as refused:
        update_mailbox(world.as_bolt, mailbox=anna, display_name="Bob")

    assert refused.value.code == "not_found"
