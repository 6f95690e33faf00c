"""Queries that are written once: whoever asks gets the rows in their own scope, and no others."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailboxes.listing import keys_of
from mailboxes.models import Mailbox
from mailboxes.shown import shown_mailboxes
from mailhost.prepared import Prepared
from mailhost.scope import NoScope, every_tenant, tenant_scope
from tests.world import a_mailbox, verified_domain

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(world) -> Mailbox:
    verified_domain(world.as_acme, "acme.example")
    return a_mailbox(world.as_acme, "anna@acme.example")


@pytest.fixture
def ben(world) -> Mailbox:
    verified_domain(world.as_bolt, "bolt.example")
    return a_mailbox(world.as_bolt, "ben@bolt.example")


def emails(*rows: Mailbox) -> list[str]:
    return sorted(row.email for row in shown_mailboxes(pk__in=tuple(row.pk for row in rows)))


def test_the_same_query_shows_each_tenant_its_own_rows(world, anna, ben):
    with tenant_scope(world.acme.path):
        of_acme = emails(anna, ben)
    with tenant_scope(world.bolt.path):
        of_bolt = emails(anna, ben)
    with every_tenant("the test sees both"):
        of_all = emails(anna, ben)

    assert (of_acme, of_bolt, of_all) == ([anna.email], [ben.email], [anna.email, ben.email])


def test_outside_of_every_scope_nothing_is_asked(anna):
    with pytest.raises(NoScope):
        shown_mailboxes(pk=anna.pk)


def test_a_key_of_some_domains_sees_those_alone(world, anna):
    verified_domain(world.as_acme, "other.example")
    other = a_mailbox(world.as_acme, "anna@other.example")

    with tenant_scope(world.acme.path, frozenset({other.domain_id})):
        assert emails(anna, other) == [other.email]


def test_what_is_written_once_says_what_the_query_itself_says(world, anna):
    carla = a_mailbox(world.as_acme, "carla@acme.example")

    with tenant_scope(world.acme.path):
        rows = shown_mailboxes(pk__in=(carla.pk, anna.pk, 0))
        [by_name] = shown_mailboxes(email=anna.email)
        expected = [tuple(row) for row in shown_mailboxes.make(pk__in=(anna.pk,))]

    assert {row.email for row in rows} == {carla.email, anna.email}
    assert [tuple(by_name)] == expected


def test_keys_and_their_whole_rows_are_read_in_one_statement(world, anna, ben):
    carla = a_mailbox(world.as_acme, "carla@acme.example")
    pairs = Prepared(lambda most: keys_of(None).order_by("email")[:most], whole=shown_mailboxes)

    with tenant_scope(world.acme.path):
        with CaptureQueriesContext(connection) as asked:
            found = pairs(5)
        alone = {row.pk: row for row in shown_mailboxes(pk__in=(anna.pk, ben.pk, carla.pk))}

    assert len(asked.captured_queries) == 1
    assert sorted((key["email"], row) for key, row in found) == [
        (anna.email, alone[anna.pk]),
        (carla.email, alone[carla.pk]),
    ]


def test_a_key_of_some_domains_reads_whole_rows_of_those_alone(world, anna):
    verified_domain(world.as_acme, "other.example")
    other = a_mailbox(world.as_acme, "anna@other.example")
    pairs = Prepared(lambda most: keys_of(None).order_by("email")[:most], whole=shown_mailboxes)

    with tenant_scope(world.acme.path, frozenset({other.domain_id})):
        [(key, row)] = pairs(5)

    assert (key["pk"], row.email) == (other.pk, other.email)


def test_a_deleted_mailbox_is_shown_no_more(world, anna):
    with tenant_scope(world.acme.path):
        assert emails(anna) == [anna.email]
        Mailbox.objects.filter(pk=anna.pk).update(deleted_at=anna.created_at)
        assert emails(anna) == []


def test_nothing_wanted_asks_nothing(world):
    with tenant_scope(world.acme.path), CaptureQueriesContext(connection) as asked:
        assert shown_mailboxes(pk__in=()) == []

    assert not asked.captured_queries


def test_words_are_looked_for_as_they_are_in_the_midst_too(world, anna):
    verified = verified_domain(world.as_acme, "other.example")
    odd = a_mailbox(world.as_acme, f"50_a@{verified.domain_name}")
    within = Prepared(lambda words: Mailbox.objects.filter(email__contains=words).order_by("pk"))

    with tenant_scope(world.acme.path):
        assert within(words="nna@") == [anna]
        assert within(words="_") == [odd]
        assert within(words="%") == []


def test_a_query_of_rows_gives_what_it_gives_itself(world, anna):
    rows = Prepared(lambda email: Mailbox.objects.listed().filter(email=email))

    with tenant_scope(world.acme.path):
        [row] = rows(email=anna.email)
        [expected] = Mailbox.objects.listed().filter(email=anna.email)

    def said(one: Mailbox) -> dict:
        return {name: value for name, value in vars(one).items() if name not in ("_state", "as_read")}

    assert said(row) == said(expected)
    assert (row.domain, row.domain.domain_name) == (expected.domain, "acme.example")
    assert tuple(row.as_read[1]) == tuple(expected.as_read[1])
    assert not row._state.adding


def test_a_query_that_changes_its_value_is_refused(world):
    small = Prepared(lambda words: Mailbox.objects.filter(email=words.lower()).values_list("pk"))

    with tenant_scope(world.acme.path), pytest.raises(TypeError):
        small(words="Anna")
