import pytest

from mailboxes.operations import change_password, delete_mailbox
from mailboxes.passwords import verify
from mailhost.errors import Refused
from mailhost.models import Job
from tenants.models import Role
from tests.world import PASSWORD, a_mailbox, actor_of, fresh


@pytest.fixture
def anna(world, acme):
    return a_mailbox(world.as_acme, "anna@acme.example")


def test_the_new_one_counts_at_once_and_sessions_end(world, anna):
    change_password(actor_of(world.acme, Role.SUPPORT), mailbox=anna, password=PASSWORD)

    stored = fresh(anna).password_hash
    assert verify(PASSWORD, stored)
    assert not verify("correct horse battery staple", stored)
    job = Job.objects.get(task="mailboxes.tasks.end_sessions")
    assert job.arguments == {"address_mask": "anna@acme.example"}


def test_a_weak_one_changes_nothing(world, anna):
    with pytest.raises(Refused) as refused:
        change_password(world.as_acme, mailbox=anna, password="anna")

    assert (refused.value.code, refused.value.field) == ("weak_password", "password")
    assert fresh(anna).password_hash == anna.password_hash


def test_strangers_and_the_deleted_have_none(world, anna):
    with pytest.raises(Refused) as strangers:
        change_password(world.as_bolt, mailbox=anna, password=PASSWORD)
    delete_mailbox(world.as_acme, mailbox=anna)
    with pytest.raises(Refused) as deleted:
        change_password(world.as_acme, mailbox=anna, password=PASSWORD)

    assert (strangers.value.code, deleted.value.code) == ("not_found", "not_found")
