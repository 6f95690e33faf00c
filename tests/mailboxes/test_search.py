"""Searching a list of mailboxes: addresses that begin so first, then those that hold it anywhere; no gap between."""

import re

import pytest
from django.db import connection

from accounts.models import User
from mailboxes.listing import STATUSES, beginning_first, mailbox_keys, matching
from mailboxes.models import Mailbox
from mailboxes.operations import update_mailbox
from mailhost.scope import every_tenant, tenant_scope
from tenants.models import Member, Role
from tests.apiside import make_cast
from tests.webside import signed_in
from tests.world import a_mailbox, verified_domain

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]

ADDRESSES = ("hannah", "anna", "aanna", "annabel", "ben")
FOUND_IN_THE_MIDST = ["aanna", "anna", "annabel", "ben", "hannah"]
FOUND = ["anna", "annabel", "aanna", "ben", "hannah"]


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def people(cast):
    rows = {name: a_mailbox(cast.acme.actor, f"{name}@acme.example") for name in ADDRESSES if name != "anna"}
    update_mailbox(cast.acme.actor, mailbox=rows["ben"], display_name="Ben Hanna")
    return rows


def names(addresses: list[str]) -> list[str]:
    return [address.partition("@")[0] for address in addresses]


def test_pages_of_a_search_go_from_what_begins_so_to_what_holds_it(cast, people):
    caller = cast.acme.caller()

    pages, path = [], "/mailboxes?q=ANNA&limit=1"
    while True:
        page = caller.read(path)
        pages += [row["email"] for row in page["data"]]
        if not page["has_more"]:
            break
        path = f"/mailboxes?q=ANNA&limit=1&after={page['next_cursor']}"

    assert names(pages) == FOUND


def test_a_search_in_another_order_keeps_to_that_order(cast, people):
    caller = cast.acme.caller()

    found = [row["email"] for row in caller.read("/mailboxes?q=anna&sort=-email")["data"]]

    assert names(found) == sorted(FOUND, reverse=True)


def test_the_whole_count_is_told_with_a_search(cast, people):
    assert cast.acme.caller().read("/mailboxes?q=anna&limit=2&include=total")["total"] == len(FOUND)


@pytest.fixture
def page(world):
    """Reads a page of the panel's list, and returns whom it shows and where it leads."""
    verified_domain(world.as_acme, "acme.example")
    for name in ADDRESSES:
        a_mailbox(world.as_acme, f"{name}@acme.example")
    user = User.objects.create(email="owner@acme.example")
    with every_tenant("the tests' cast"):
        Member.objects.create(tenant=world.acme, user=user, role=Role.OWNER)
    browser = signed_in(user)

    def read(query: str):
        text = browser.get(f"/mailboxes/{query}").content.decode()
        links = {rel: re.search(rf'rel="{rel}" href="([^"]+)"', text) for rel in ("next", "prev")}
        shown = re.findall(r'<th scope="row"><a href="/mailboxes/[^>]*>([^<@]+)@', text)
        return shown, {rel: link[1].replace("&amp;", "&") for rel, link in links.items() if link}

    return read


def test_pages_of_the_panel_lead_on_and_back_over_the_border(page, monkeypatch):
    monkeypatch.setattr("mailhost.web.paging.page_of.__defaults__", ("", 2))

    first, links = page("?q=anna")
    second, links = page(links["next"])
    again, _ = page(links["prev"])

    assert (first, second, again) == (["anna", "annabel"], ["aanna", "hannah"], ["anna", "annabel"])


def test_a_whole_address_finds_that_mailbox_alone(page):
    assert page("?q=anna@acme.example")[0] == ["anna"]
    assert page("?q=nna@acme.example")[0] == ["aanna", "anna"]


@pytest.mark.parametrize("status", STATUSES)
def test_a_state_is_a_range_of_an_index_in_the_order_of_addresses(cast, people, status):
    with tenant_scope(cast.acme.actor.tenant_path):
        rows = mailbox_keys(of_tenant=cast.acme.actor.tenant_id).filter(**STATUSES[status]).order_by("email")
        sql, values = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        forced = sql.replace("FROM `mail_mailboxes`", "FROM `mail_mailboxes` FORCE INDEX (mailbox_by_standing)")
        cursor.execute(f"EXPLAIN {forced}", values)
        plan = {row[2]: row for row in cursor.fetchall()}["mail_mailboxes"]

    assert plan[5] == "mailbox_by_standing"
    assert "filesort" not in plan[9]


def test_what_begins_so_is_a_range_of_an_index(cast, people):
    with tenant_scope(cast.acme.actor.tenant_path):
        rows = matching(mailbox_keys(of_tenant=cast.acme.actor.tenant_id), "anna")
        sql, values = beginning_first(rows, "anna").first.order_by("email").query.sql_with_params()
    with connection.cursor() as cursor:
        forced = sql.replace("FROM `mail_mailboxes`", "FROM `mail_mailboxes` FORCE INDEX (mailbox_by_address)")
        cursor.execute(f"EXPLAIN {forced}", values)
        plan = {row[2]: row for row in cursor.fetchall()}["mail_mailboxes"]

    assert (plan[3], plan[5]) == ("range", "mailbox_by_address")
    assert "filesort" not in plan[9]
    assert Mailbox._meta.db_table in sql


@pytest.mark.parametrize(
    ("narrowed", "index", "found"),
    [
        (lambda _customer: {}, "mailbox_by_address", FOUND_IN_THE_MIDST),
        (lambda _customer: STATUSES["suspended"], "mailbox_by_standing", []),
        (lambda customer: {"domain": customer.domain}, "mailbox_list_of_domain", FOUND_IN_THE_MIDST),
    ],
    ids=["all", "in-a-state", "of-a-domain"],
)
def test_what_stands_in_the_midst_is_looked_for_within_an_index(cast, people, narrowed, index, found):
    with tenant_scope(cast.acme.actor.tenant_path):
        keys = mailbox_keys(of_tenant=cast.acme.actor.tenant_id).filter(**narrowed(cast.acme))
        others = beginning_first(matching(keys, "nna"), "nna").others
        rows = others.order_by("email")
        sql, values = rows.query.sql_with_params()
        addresses = [row["email"] for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", values)
        plan = {row[2]: row for row in cursor.fetchall()}["mail_mailboxes"]

    assert names(addresses) == found
    assert plan[5] == index
    assert "Using index condition" in plan[9]
    assert "filesort" not in plan[9]


@pytest.mark.django_db(transaction=True)
def test_a_search_for_a_beginning_reads_its_page_and_not_the_rest(cast):
    with every_tenant("a test fills a list"):
        Mailbox.objects.bulk_create(
            Mailbox(domain=cast.acme.domain, email=f"{name}@acme.example", password_hash="{PLAIN}x", storage_quota=1)
            for number in range(300)
            for name in (f"anna{number:03}", f"other{number:03}")
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE mail_mailboxes")
        cursor.fetchall()
    caller = cast.acme.caller()
    path = "/mailboxes?q=anna&limit=10"
    caller.read(path)

    before = rows_read()
    page = caller.read(path)

    assert len(page["data"]) == 10
    # Each of the eleven is met once to be shown and once to see that the page is full, and read as a whole then.
    assert rows_read() - before < 100


def rows_read() -> int:
    """Return how many rows this connection has walked over until now, along indexes or without."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%%next'")
        return sum(int(count) for _, count in cursor.fetchall())
