"""What the palette finds, for whom, and what it asks the database."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.operations import create_user
from domains.models import Domain
from mailboxes.models import Alias
from mailhost.palette import found
from mailhost.scope import tenant_scope
from tenants.models import Role
from tests.webside import plain_static, signed_in  # noqa: F401  fixtures
from tests.world import World, a_mailbox, an_alias, verified_domain


@pytest.fixture
def filled(world: World) -> World:
    verified_domain(world.as_acme, "acme.example")
    verified_domain(world.as_acme, "acht-bäcker.example")
    verified_domain(world.as_bolt, "acid.example")
    for name in ("anna", "andrea", "ben"):
        a_mailbox(world.as_acme, f"{name}@acme.example")
    a_mailbox(world.as_bolt, "anton@acid.example")
    an_alias(world.as_acme, "angebote@acme.example", "anna@acme.example", "ben@acme.example")
    an_alias(world.as_acme, "*@acme.example", "anna@acme.example")
    an_alias(world.as_bolt, "anfrage@acid.example", "anton@acid.example")
    return world


def labels(world: World, tenant, words: str, role: str = Role.OWNER) -> dict[str, list[str]]:
    with tenant_scope(tenant.path):
        actor = replace(world.actor(tenant, role), tenant_kind=tenant.kind)
        return {group.title: [hit.label for hit in group.hits] for group in found(actor, words)}


def test_an_address_is_found_by_how_it_begins(filled):
    seen = labels(filled, filled.acme, "An")

    assert seen["Mailboxes"] == ["andrea@acme.example", "anna@acme.example"]
    assert seen["Aliases"] == ["angebote@acme.example"]
    assert "Domains" not in seen


def test_a_catch_all_is_found_as_it_is_written(filled):
    assert labels(filled, filled.acme, "*@acme")["Aliases"] == ["*@acme.example"]


def test_a_domain_is_found_under_both_its_names(filled):
    assert labels(filled, filled.acme, "ac")["Domains"] == ["acme.example"]
    assert labels(filled, filled.acme, "acht-bäcker.example")["Domains"] == ["acht-bäcker.example"]
    assert labels(filled, filled.acme, "xn--acht")["Domains"] == ["acht-bäcker.example"]


def test_a_reseller_finds_what_is_below_it_and_its_customers(filled):
    seen = labels(filled, filled.rita, "a")

    assert seen["Domains"] == ["acid.example", "acme.example"]
    assert seen["Mailboxes"] == ["andrea@acme.example", "anna@acme.example", "anton@acid.example"]
    assert seen["Aliases"] == ["anfrage@acid.example", "angebote@acme.example"]
    assert seen["Customers"] == ["Acme"]


def test_customers_find_neither_each_other_nor_who_is_above(filled):
    everything = [labels(filled, filled.bolt, words) for words in ("a", "r", "acme", "anna")]

    found_names = {label for seen in everything for group in seen.values() for label in group}
    assert "anton@acid.example" in found_names
    assert not {name for name in found_names if "acme.example" in name or name in ("Acme", "Rita")}


def test_only_what_the_role_may_open_is_offered(filled):
    owner, billing = (labels(filled, filled.acme, "", role) for role in (Role.OWNER, Role.BILLING))

    assert "Create a mailbox" in owner["Do"]
    assert "Mailboxes" in owner["Go to"]
    assert billing["Do"] == ["Change your password, passkeys and codes"]
    assert billing["Go to"] == ["Overview", "Usage", "Audit log"]
    assert labels(filled, filled.acme, "anna", Role.BILLING) == {}


@pytest.mark.parametrize("words", ["mailb", "BOX", "a mail"])
def test_pages_and_acts_are_found_by_any_word_of_theirs(filled, words):
    seen = labels(filled, filled.acme, words)

    assert ("Create a mailbox" in seen.get("Do", [])) == (words != "BOX")


@pytest.mark.parametrize("words", ["%", "_", "'", '"', "\\", "\x00", "🙂", "a" * 500])
def test_odd_words_find_nothing_and_break_nothing(filled, words):
    seen = labels(filled, filled.acme, words)

    assert seen == {}


def test_it_asks_as_often_for_many_rows_as_for_few(filled):
    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            labels(filled, filled.acme, "a")
        return [query["sql"] for query in asked]

    few = statements()
    with tenant_scope(filled.acme.path):
        home = Domain.objects.get(domain_name="acme.example")
        Alias.objects.bulk_create(
            Alias(domain=home, alias_email=f"a{number}@acme.example", destination_email="x@elsewhere.example")
            for number in range(200)
        )
    many = statements()

    assert len(many) == len(few) <= 6
    # An index finds what begins so; LIKE BINARY would read every row.
    assert not [sql for sql in many if "LIKE" in sql]


def test_it_is_a_page_and_for_htmx_a_list_of_options(filled, plain_static):  # noqa: F811  the fixture of that name
    member = create_user(
        filled.as_operator, tenant=filled.acme, email="o@acme.example", role=Role.OWNER, password="a lamp by the river"
    )
    client = signed_in(member.user)

    page = client.get("/search/", {"q": "anna"}).content.decode()
    options = client.get("/search/", {"q": "anna"}, headers={"HX-Request": "true"}).content.decode()
    nothing = client.get("/search/", {"q": "<b>zz"}, headers={"HX-Request": "true"}).content.decode()

    assert "<h1>Search</h1>" in page
    assert 'value="anna"' in page
    assert options.count('role="option"') == 1
    assert "<html" not in options
    assert "Nothing begins with “&lt;b&gt;zz”." in nothing
