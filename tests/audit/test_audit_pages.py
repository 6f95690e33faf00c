"""The audit log as pages."""

import json
import re
from pathlib import Path

import pytest

from audit.templatetags.acts import ACTS
from domains.operations import create_domain, set_domain_enabled
from mailboxes.operations import change_password
from tenants.models import Role
from tenants.operations import suspend_tenant
from tests.routes.cast import a_member
from tests.webside import signed_in
from tests.world import PASSWORD, a_mailbox, verified_domain

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]


@pytest.fixture
def anna(world):
    return signed_in(a_member(world.acme, Role.OWNER).user)


def page(client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_act_has_words():
    root = Path(__file__).parents[2]
    files = [path for path in root.glob("*/**/*.py") if path.parts[len(root.parts)] not in {".venv", "tests", "var"}]

    acts = {act for path in files for act in re.findall(r'^ *@operation\(\s*"([^"]+)"', path.read_text(), re.M)}

    assert len(acts) > 70
    assert acts - ACTS.keys() == set()


def test_one_searches_by_act_person_and_thing(world, anna):
    create_domain(world.as_acme, name="acme.example")
    create_domain(world.as_acme, name="shop.example")

    for words, shown in (("domains.create", 2), ("shop", 1), ("owner@acme", 2), ("nothing", 0)):
        assert page(anna, f"/audit/?q={words}").count("Domain added") == shown, words


def test_one_searches_by_day(world, anna):
    create_domain(world.as_acme, name="acme.example")

    assert "Nothing matches" in page(anna, "/audit/?since=2099-01-01")
    assert "Nothing matches" in page(anna, "/audit/?until=2020-01-01")
    assert "Domain added" in page(anna, "/audit/?since=2020-01-01&until=2099-01-01")
    assert "Enter a valid date" in page(anna, "/audit/?since=yesterday")


def test_an_event_shows_before_and_after_in_words(world, anna):
    domain = verified_domain(world.as_acme, "acme.example")
    set_domain_enabled(world.as_acme, domain=domain, enabled=False)

    link = page(anna, "/audit/").split('<th scope="row"><a href="')[1].split('"')[0]
    shown = page(anna, link)

    assert '<th scope="row">Enabled</th><td data-label="Before">yes</td><td data-label="After">no</td>' in shown
    assert "<code>domains.set_enabled</code>" in shown


def test_no_page_shows_a_secret(world, anna):
    verified_domain(world.as_acme, "acme.example")
    mailbox = a_mailbox(world.as_acme, "anna@acme.example")
    change_password(world.as_acme, mailbox=mailbox, password=PASSWORD)

    link = page(anna, "/audit/").split('<th scope="row"><a href="')[1].split('"')[0]

    assert "(secret)" in page(anna, link)
    assert "$argon2" not in page(anna, link)


def test_a_customer_reads_that_the_provider_acted_and_not_who(world, anna):
    suspend_tenant(world.as_rita, tenant=world.acme, blocks=["sending"], reason="unpaid")

    shown = page(anna, "/audit/")

    assert "your provider" in shown
    assert "rita" not in shown.lower()
    assert "owner@rita.example" in page(signed_in(a_member(world.rita, Role.OWNER).user), "/audit/")


def test_nor_does_the_overview_name_them(world, anna):
    suspend_tenant(world.as_rita, tenant=world.acme, blocks=["sending"], reason="unpaid")
    create_domain(world.as_acme, name="acme.example")

    shown = page(anna, "/")

    assert ("by your provider, just now" in shown, "by owner@acme.example, just now" in shown) == (True, True)
    assert "rita" not in shown.lower()


def test_nor_can_their_name_be_guessed_by_searching_for_it(world, anna):
    suspend_tenant(world.as_rita, tenant=world.acme, blocks=["sending"], reason="unpaid")

    for words in ("owner@rita.example", "rita", "RITA"):
        assert "Nothing matches" in page(anna, f"/audit/?q={words}"), words
        assert anna.get(f"/audit/export.json?q={words}").getvalue() == b"[\n]\n"
    assert "Customer suspended" in page(anna, "/audit/?q=suspend")
    assert "Customer suspended" in page(signed_in(a_member(world.rita, Role.OWNER).user), "/audit/?q=rita")


def test_the_files_have_what_the_page_was_narrowed_to(world, anna):
    create_domain(world.as_acme, name="acme.example")
    create_domain(world.as_acme, name="shop.example")

    assert "/audit/export.csv?q=shop" in page(anna, "/audit/?q=shop&cursor=x")
    answer = anna.get("/audit/export.json?q=shop")

    assert [event["object"] for event in json.loads(answer.getvalue())] == ["shop.example"]
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-')
    csv = anna.get("/audit/export.csv?q=shop").getvalue().decode()
    assert len(csv.splitlines()) == 2
