import json
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from mailboxes import app_password_operations
from mailboxes.app_password_operations import (
    create_app_password,
    end_expired,
    revoke_app_password,
    update_app_password,
)
from mailboxes.models import AppPassword
from mailboxes.operations import change_password, create_mailbox, delete_mailbox
from mailhost.errors import NotPermitted, Refused
from mailhost.models import Job
from mailhost.scope import every_tenant
from tenants.models import Role
from tests.world import a_mailbox, fresh


@pytest.fixture
def anna(world, acme):
    return a_mailbox(world.as_acme, "anna@acme.example")


def made(world, mailbox, **fields) -> AppPassword:
    return create_app_password(
        world.as_acme, mailbox=mailbox, **{"name": "Phone", "protocols": ["imap", "smtp"], **fields}
    )[0]


def ended() -> list[str]:
    return [job.arguments["address_mask"] for job in Job.objects.filter(task="mailboxes.tasks.end_sessions")]


def test_its_text_is_told_once_and_stored_nowhere(world, anna):
    row, text = create_app_password(
        world.as_acme, mailbox=anna, name=" Phone ", protocols=["smtp", "imap"], networks=["192.0.2.0/24"]
    )

    assert (row.name, row.protocols, row.networks, row.expires_at) == ("Phone", ["imap", "smtp"], "192.0.2.0/24", None)
    secret = text.removeprefix(f"app-{row.selector}-")
    with every_tenant("a test looks for the secret"):
        stored = json.dumps([list(model.objects.values()) for model in (AppPassword, Event, Job)], default=str)
    assert secret not in stored
    assert row.digest.startswith("{SHA256}")


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"name": "  "}, "invalid_name", "name"),
        ({"name": "x" * 81}, "invalid_name", "name"),
        ({"name": "two\nlines"}, "invalid_name", "name"),
        ({"protocols": []}, "invalid_protocols", "protocols"),
        ({"networks": ["everywhere"]}, "invalid_networks", "networks"),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "invalid_expiry", "expires_at"),
    ],
)
def test_what_cannot_be_is_refused_by_field(world, anna, fields, code, field):
    with pytest.raises(Refused) as refused:
        made(world, anna, **fields)

    assert (refused.value.code, refused.value.field) == (code, field)
    with every_tenant("a test counts"):
        assert not AppPassword.objects.exists()


def test_there_are_no_more_than_a_hundred_at_once(world, anna, monkeypatch):
    monkeypatch.setattr(app_password_operations, "MAX_OF_MAILBOX", 2)
    first, _ = made(world, anna), made(world, anna)

    with pytest.raises(Refused, match="Revoke those nobody uses") as refused:
        made(world, anna)
    revoke_app_password(world.as_acme, app_password=first)

    assert refused.value.code == "too_many"
    assert made(world, anna)


ACTS = {
    "create": lambda actor, mailbox, row: create_app_password(actor, mailbox=mailbox, name="x", protocols=["imap"]),
    "update": lambda actor, mailbox, row: update_app_password(actor, app_password=row, name="Mine"),
    "revoke": lambda actor, mailbox, row: revoke_app_password(actor, app_password=row),
}


@pytest.mark.parametrize("act", ACTS)
def test_strangers_find_nothing(world, anna, act):
    row = made(world, anna)

    with pytest.raises(Refused) as refused:
        ACTS[act](world.as_bolt, anna, row)

    assert refused.value.code == "not_found"
    assert fresh(row).name == "Phone"


def test_who_may_only_read_makes_none(world, anna):
    with pytest.raises(NotPermitted):
        create_app_password(world.actor(world.acme, Role.READ_ONLY), mailbox=anna, name="x", protocols=["imap"])


def test_a_deleted_mailbox_gets_none(world, anna):
    delete_mailbox(world.as_acme, mailbox=anna)

    with pytest.raises(Refused) as refused:
        made(world, anna)

    assert refused.value.code == "not_found"


def test_a_change_leaves_what_is_not_named(world, anna):
    soon = timezone.now() + timedelta(days=1)
    row = made(world, anna, networks=["192.0.2.7"], expires_at=soon)

    update_app_password(world.as_acme, app_password=row, name="Old phone")
    named = fresh(row)
    update_app_password(world.as_acme, app_password=row, networks=[], never_expires=True)
    opened = fresh(row)

    assert (named.name, named.networks, named.expires_at) == ("Old phone", "192.0.2.7/32", soon)
    assert (opened.name, opened.networks, opened.expires_at) == ("Old phone", None, None)


def test_revoking_ends_the_sessions_it_may_have_opened(world, anna):
    row = made(world, anna)

    revoke_app_password(world.as_acme, app_password=row)

    assert ended() == ["anna@acme.example"]
    with pytest.raises(Refused) as again:
        revoke_app_password(world.as_acme, app_password=row)
    assert again.value.code == "not_found"


def test_the_sessions_of_an_expired_one_are_ended_once(world, anna):
    soon = timezone.now() + timedelta(minutes=1)
    made(world, anna, expires_at=soon)
    made(world, a_mailbox(world.as_acme, "bert@acme.example"))

    with every_tenant("what the clock does"):
        end_expired(soon - timedelta(seconds=1))
        before = ended()
        end_expired(soon)
        end_expired(soon + timedelta(hours=1))

    assert before == []
    assert ended() == ["anna@acme.example"]


def test_no_mailbox_gets_a_password_of_this_form(world, acme, anna):
    text = "app-7kq2m9xvhw-aaaaaa-bbbbbb-cccccc-dddddd"

    for act in (
        lambda: change_password(world.as_acme, mailbox=anna, password=text),
        lambda: create_mailbox(world.as_acme, address="new@acme.example", password=text, storage_quota_mb=1),
    ):
        with pytest.raises(Refused, match="form of an app password") as refused:
            act()
        assert (refused.value.code, refused.value.field) == ("weak_password", "password")
