"""Rows whose INSERT is written once: what stands in the table, and in the row, is what saving gives."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from domains.models import Domain
from mailboxes.models import Mailbox
from mailhost.inserts import insert, insert_all
from mailhost.scope import tenant_scope

pytestmark = pytest.mark.django_db

# What is another for each row.
OWN = {"_state", "id", "uid", "email", "live_email", "created_at", "updated_at"}


def a_row(domain: Domain, name: str) -> Mailbox:
    return Mailbox(domain=domain, email=f"{name}@acme.example", password_hash="{PLAIN}x", storage_quota=5)


def test_a_row_is_as_if_it_were_saved(world, acme):
    saved, inserted = a_row(acme, "saved"), a_row(acme, "inserted")

    saved.save(force_insert=True)
    insert(inserted)

    with tenant_scope(world.acme.path):
        read = Mailbox.objects.get(email="inserted@acme.example")
    assert {name: value for name, value in vars(inserted).items() if name not in OWN} == {
        name: value for name, value in vars(saved).items() if name not in OWN
    }
    assert inserted == read
    assert (inserted.live_email, inserted.quota_rule, inserted.tenant_id) == (
        read.email,
        read.quota_rule,
        world.acme.pk,
    )
    assert not inserted._state.adding


def test_it_is_one_statement(acme):
    insert(a_row(acme, "first"))

    with CaptureQueriesContext(connection) as asked:
        insert(a_row(acme, "second"))

    assert len(asked) == 1


def test_many_rows_are_as_one_each(world, acme):
    alone, together = a_row(acme, "alone"), [a_row(acme, name) for name in ("ben", "ada", "carla")]

    insert(alone)
    with CaptureQueriesContext(connection) as asked:
        insert_all(together)

    with tenant_scope(world.acme.path):
        read = {row.pk: row for row in Mailbox.objects.filter(pk__in=[row.pk for row in together])}
    assert len(asked) == 1
    for row in together:
        assert {name: value for name, value in vars(row).items() if name not in OWN} == {
            name: value for name, value in vars(alone).items() if name not in OWN
        }
        assert (row.email, row.live_email) == (read[row.pk].email, read[row.pk].live_email)


def test_what_is_there_already_is_refused(acme):
    insert(a_row(acme, "anna"))

    with pytest.raises(IntegrityError), transaction.atomic():
        insert(a_row(acme, "anna"))
