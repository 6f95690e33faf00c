"""The page that explains an address: both questions, asked by their address alone."""

import pytest

from tests.mailboxes.test_mailbox_list_page import browser_of
from tests.world import a_mailbox, an_alias, verified_domain

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]


@pytest.fixture
def anna(world):
    verified_domain(world.as_acme, "acme.example")
    a_mailbox(world.as_acme, "anna@acme.example")
    an_alias(world.as_acme, "office@acme.example", "anna@acme.example")
    return browser_of(world.acme)


def test_who_gets_mail_is_told_step_by_step(anna):
    page = anna.get("/explain/?recipient=office@acme.example").content.decode()

    assert "<code>250 2.1.5</code>" in page
    assert "Step by step" in page
    assert "anna@acme.example" in page


def test_who_may_send_is_told(anna):
    page = anna.get("/explain/?sender=office@acme.example&login=anna@acme.example").content.decode()

    assert "Step by step" in page
    assert ">Accepted</span>" in page


@pytest.mark.parametrize("query", ["recipient=", "recipient=nonsense", "sender=a@acme.example", "login=x"])
def test_a_question_that_is_none_is_refused_under_its_field(anna, query):
    answer = anna.get(f"/explain/?{query}")

    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
