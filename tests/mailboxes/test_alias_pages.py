"""The pages of aliases: what is warned of while one is typed, what their list marks."""

import pytest

from mailboxes.models import Alias
from mailhost.scope import every_tenant
from tests.mailboxes.test_mailbox_list_page import browser_of
from tests.world import a_mailbox, an_alias, verified_domain

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]


@pytest.fixture
def anna(world):
    verified_domain(world.as_acme, "acme.example")
    a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "a@acme.example", "b@acme.example")
    return browser_of(world.acme)


def check(browser, local: str, targets: str) -> str:
    query = {"local_part": local, "domain": "acme.example", "targets": targets}
    return browser.get("/aliases/check/", query).content.decode()


@pytest.mark.parametrize(
    ("local", "targets", "words"),
    [
        ("team", "anna@acme.example", "nothing goes in circles"),
        ("team", "anna@acme.example friend@partner.example", "friend@partner.example lies outside your domains"),
        ("b", "a@acme.example", "circle"),
        ("b", "b@acme.example", "cannot lead to itself"),
        ("a", "b@acme.example", "leads to b@acme.example already"),
        ("team", "nonsense", "has no domain"),
    ],
)
def test_what_would_come_of_it_is_said_and_nothing_is_made(anna, local, targets, words):
    answer = check(anna, local, targets)

    assert words in answer
    with every_tenant("a test counts"):
        assert Alias.objects.written().count() == 1


def test_nothing_is_said_of_what_is_not_written_yet(anna):
    assert 'class="note' not in check(anna, "", "anna@acme.example")


def test_targets_outside_and_those_without_delivery_are_marked(world, anna):
    an_alias(world.as_acme, "press@acme.example", "agency@partner.example")

    page = anna.get("/aliases/").content.decode()

    assert page.count("outside your domains") == 1
    # b@acme.example is nobody's.
    assert 'href="/explain/?recipient=b%40acme.example"' in page


def test_a_mailboxs_own_page_names_what_leads_to_it(world, anna):
    [row] = an_alias(world.as_acme, "press@acme.example", "anna@acme.example")
    with every_tenant("a test names a row"):
        uid = row.target_mailbox.uid

    page = anna.get(f"/mailboxes/{uid}/aliases/").content.decode()

    assert "press@acme.example" in page
    assert page.count("May send") == 2


def test_a_removed_target_is_brought_back_once_and_as_it_was(world, anna):
    an_alias(world.as_acme, "*@acme.example", "anna@acme.example")
    with every_tenant("a test names a row"):
        uid = Alias.objects.written().get(alias_email="@acme.example").uid
    anna.post(f"/aliases/{uid}/disable/")
    removed = anna.post(f"/aliases/{uid}/delete/", follow=True).content.decode()

    back = anna.post("/aliases/undo/", follow=True).content.decode()
    again = anna.post("/aliases/undo/", follow=True).content.decode()

    assert 'action="/aliases/undo/"' in removed
    assert "leads to anna@acme.example again." in back
    assert "There is nothing left to undo." in again
    with every_tenant("a test looks at the row"):
        row = Alias.objects.written().get(alias_email="@acme.example")
    assert (row.destination_email, row.is_enabled) == ("anna@acme.example", False)
