"""Lists: stable pages, honest cursors, and the same few queries however long they are."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.invitation_operations import invite_member
from accounts.models import User
from accounts.operations import add_member
from dns.tasks import refresh_records
from domains.models import Domain
from mailhost.api.schema import document
from mailhost.scope import every_tenant
from tenants.models import Kind, Role
from tenants.operations import create_tenant
from tests.apiside import ROOT, Caller, assert_problem, make_cast, make_key
from tests.world import a_mailbox, actor_of, an_alias, verified_domain

pytestmark = pytest.mark.django_db

NAMES = [f"name{number:02}.example" for number in range(7)]
MAX_QUERIES = 4


@pytest.fixture
def cast():
    return make_cast()


def add_domains(customer, names) -> None:
    """Add claims, which is what a domain is before its proof; no DNS work is wanted here."""
    with every_tenant("a test fills a list"):
        Domain.objects.bulk_create(Domain(tenant=customer.tenant, domain_name=name) for name in names)


def walk(caller: Caller, path: str) -> list[dict]:
    """Return all rows of a list, page by page, by the cursors."""
    page = caller.read(path)
    rows = page["data"]
    while page["has_more"]:
        page = caller.read(f"{path}&after={page['next_cursor']}")
        rows += page["data"]
    assert page["next_cursor"] is None
    return rows


def test_empty_list_has_no_more(cast):
    with every_tenant("a test empties a list"):
        Domain.objects.filter(pk=cast.bolt.domain.pk).update(deleted_at="2026-01-01T00:00Z")

    answer = cast.bolt.caller().read("/domains")

    assert answer == {"object": "list", "data": [], "has_more": False, "next_cursor": None}


@pytest.mark.parametrize("limit", [1, 2, 3, 8, 9])
def test_pages_hold_every_row_once_in_order(cast, limit):
    add_domains(cast.acme, NAMES)

    names = [row["name"] for row in walk(cast.acme.caller(), f"/domains?limit={limit}")]

    assert names == ["acme.example", *NAMES]


def test_every_list_is_the_same_in_pages_as_in_one(cast, subtests):
    fill(cast)
    rita = Caller(make_key(cast.rita))

    for path in ("/domains", "/mailboxes", "/aliases", "/tenants", "/api-keys"):
        with subtests.test(path):
            whole = rita.read(f"{path}?limit=200")["data"]
            paged = walk(rita, f"{path}?limit=2")

            # The key's own use is noted while the pages are read.
            assert [row["id"] for row in paged] == [row["id"] for row in whole]
            assert len(whole) > 6


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "-name"])
def test_tenants_are_the_same_in_pages_as_in_one_by_each_order(cast, sort):
    fill(cast)
    rita = Caller(make_key(cast.rita))

    whole = rita.read(f"/tenants?sort={sort}&limit=200")["data"]

    assert walk(rita, f"/tenants?sort={sort}&limit=2") == whole


def test_page_has_as_many_rows_as_asked_and_fifty_unless_asked(cast):
    add_domains(cast.acme, [f"many{number:03}.example" for number in range(250)])
    caller = cast.acme.caller()

    assert len(caller.read("/domains")["data"]) == 50
    assert len(caller.read("/domains?limit=200")["data"]) == 200
    assert len(caller.read("/domains?limit=3")["data"]) == 3


def test_rows_added_and_deleted_between_pages_move_nothing(cast):
    add_domains(cast.acme, NAMES)
    caller = cast.acme.caller()
    first = caller.read("/domains?limit=4")

    add_domains(cast.acme, ["aaa.example", "zzz.example"])
    with every_tenant("a test deletes what the cursor stands on"):
        Domain.objects.filter(domain_name=first["data"][-1]["name"]).update(deleted_at="2026-01-01T00:00Z")
    second = caller.read(f"/domains?limit=50&after={first['next_cursor']}")

    assert [row["name"] for row in first["data"]] == ["acme.example", *NAMES[:3]]
    assert [row["name"] for row in second["data"]] == [*NAMES[3:], "zzz.example"]


def test_link_header_leads_to_the_next_page(cast):
    add_domains(cast.acme, NAMES)
    caller = cast.acme.caller()

    answer = caller.call("GET", "/domains?limit=5")

    url, relation = answer.headers["Link"].split("; ")
    assert relation == 'rel="next"'
    following = caller.get(url.strip("<>").removeprefix("http://testserver")).json()
    assert [row["name"] for row in following["data"]] == NAMES[4:]
    assert "Link" not in caller.call("GET", "/domains?limit=100").headers


def test_cursor_of_another_list_is_refused(cast):
    add_domains(cast.acme, NAMES)
    an_alias(cast.acme.actor, "info@acme.example", "anna@acme.example")
    caller = cast.acme.caller()
    cursor = caller.read("/aliases?limit=1")["next_cursor"]

    assert_problem(caller.call("GET", f"/domains?after={cursor}"), 400, "invalid_parameter")


def test_changed_cursor_is_refused(cast):
    add_domains(cast.acme, NAMES)
    caller = cast.acme.caller()
    cursor = caller.read("/domains?limit=1")["next_cursor"]

    for changed in (cursor[:-1], cursor + "A", "A" + cursor, cursor.swapcase(), cursor[::-1]):
        assert_problem(caller.call("GET", f"/domains?after={changed}"), 400, "invalid_parameter")


def test_strangers_cursor_shows_only_what_is_ones_own(cast):
    add_domains(cast.acme, NAMES)
    add_domains(cast.bolt, ["other.example"])
    cursor = cast.acme.caller().read("/domains?limit=2")["next_cursor"]

    rows = cast.bolt.caller().read(f"/domains?after={cursor}")["data"]

    assert [row["name"] for row in rows] == ["other.example"]


def test_reseller_sees_the_lists_of_all_its_customers(cast):
    rita = Caller(make_key(cast.rita))

    assert [row["name"] for row in rita.read("/domains")["data"]] == ["acme.example", "bolt.example"]
    assert [row["email"] for row in rita.read("/mailboxes")["data"]] == ["anna@acme.example", "anna@bolt.example"]
    assert [row["name"] for row in rita.read("/tenants")["data"]] == ["Acme", "Bolt", "Rita"]
    assert [row["source"] for row in rita.read("/aliases")["data"]] == ["sales@acme.example", "sales@bolt.example"]


def test_lists_narrow_to_a_domain_by_name_or_id(cast):
    other = verified_domain(cast.acme.actor, "other.example")
    a_mailbox(cast.acme.actor, "otto@other.example")
    an_alias(cast.acme.actor, "info@other.example", "otto@other.example")
    caller = cast.acme.caller()

    for reference in ("other.example", "OTHER.example.", f"dom_{other.uid}"):
        assert [row["email"] for row in caller.read(f"/mailboxes?domain={reference}")["data"]] == ["otto@other.example"]
        assert [row["source"] for row in caller.read(f"/aliases?domain={reference}")["data"]] == ["info@other.example"]


@pytest.mark.parametrize("domain", ["bolt.example", "nobody.example", "%00", "dom_" + "0" * 20, ""])
def test_list_of_a_strangers_domain_is_empty_like_that_of_none(cast, domain):
    assert cast.acme.caller().read(f"/mailboxes?domain={domain}")["data"] == []


def test_every_list_takes_what_all_lists_take(cast, subtests):
    described = document()["paths"]
    for path in (path for path, methods in described.items() if is_list(methods.get("get"))):
        taken = {one["name"] for one in described[path]["get"]["parameters"] if one["in"] == "query"}
        with subtests.test(path):
            assert {"limit", "after", "include", "sort", "q"} <= taken


def test_no_list_fails_over_letters_that_its_columns_do_not_hold(cast, subtests):
    rita = Caller(make_key(cast.rita))
    ids = {"domain": "acme.example", "mailbox": "anna@acme.example"}
    rita.call("POST", "/webhook-endpoints", {"url": "https://hooks.elsewhere.example/in"})
    ids["webhook"] = rita.read("/webhook-endpoints")["data"][0]["id"]
    for path, methods in document()["paths"].items():
        if is_list(methods.get("get")):
            for parameter in methods["get"]["parameters"]:
                if parameter["in"] == "query" and parameter["schema"].get("type") == "string":
                    with subtests.test(path, parameter=parameter["name"]):
                        address = path.removeprefix(ROOT).format(**ids)
                        answer = rita.call("GET", f"{address}?{parameter['name']}=%C3%BC%F0%9F%93%AE%00x")
                        assert answer.status_code in {200, 400}, answer.content


def is_list(operation) -> bool:
    answer = (operation or {"responses": {}})["responses"].get("200", {}).get("content", {}).get("application/json", {})
    return answer.get("schema", {}).get("$ref", "").endswith("List")


@pytest.mark.parametrize("path", ["/domains/acme.example/checks", "/domains/acme.example/dkim-keys"])
def test_the_lists_of_a_domain_go_by_pages_and_either_way(cast, path):
    caller = cast.acme.caller()

    for sort in ("newest", "-newest"):
        assert caller.read(f"{path}?limit=1&include=total&sort={sort}")["total"] >= 0


def test_people_and_keys_are_found_by_words(cast):
    caller = cast.acme.caller()
    owner = User.objects.create(email="owner@acme.example", name="Otto")
    add_member(cast.acme.actor, tenant=cast.acme.tenant, user=owner, role=Role.OWNER)
    invite_member(cast.acme.actor, tenant=cast.acme.tenant, email="new@partner.example", role=Role.SUPPORT)

    found = [
        [row["email"] for row in caller.read(f"/members{query}")["data"]]
        for query in ("?q=owner@&role=owner&sort=-email", "?q=nobody", "?role=support")
    ]
    invited = [row["email"] for row in caller.read("/invitations?q=PARTNER&sort=email")["data"]]
    keys = [row["name"] for row in caller.read("/api-keys?q=admin&sort=name")["data"]]

    assert found == [["owner@acme.example"], [], []]
    assert invited == ["new@partner.example"]
    assert keys == ["admin key"]
    assert caller.read("/api-keys?q=nothing")["data"] == []


def test_alias_domains_are_found_by_their_main_domain(cast):
    verified_domain(cast.acme.actor, "acme2.example", cast.acme.domain)
    caller = cast.acme.caller()

    for reference in ("acme.example", f"dom_{cast.acme.domain.uid}"):
        assert [row["name"] for row in caller.read(f"/domains?alias_of={reference}")["data"]] == ["acme2.example"]
    assert caller.read("/domains?alias_of=acme2.example")["data"] == []
    assert cast.bolt.caller().read("/domains?alias_of=acme.example")["data"] == []


LISTS = [
    "/domains",
    "/mailboxes",
    "/mailboxes?domain=acme.example",
    "/aliases",
    "/aliases?domain=acme.example",
    "/tenants",
    "/api-keys",
    "/domains/acme.example/records",
]


@pytest.mark.parametrize("path", LISTS)
def test_list_costs_at_most_four_queries_however_long_it_is(cast, path):
    caller = Caller(make_key(cast.rita))

    short = queries_of(caller, path)
    fill(cast)
    long = queries_of(caller, path)

    assert len(long) <= len(short) <= MAX_QUERIES, "\n".join(long)
    assert len(caller.read(path)["data"]) >= 5 or "records" in path


@pytest.mark.parametrize(
    "path",
    ["/me", "/server-info", "/domains/acme.example", "/mailboxes/anna@acme.example", "/aliases/sales@acme.example"],
)
def test_one_object_costs_at_most_four_queries(cast, path):
    queries = queries_of(cast.acme.caller(), path)

    assert len(queries) <= MAX_QUERIES, "\n".join(queries)


def queries_of(caller: Caller, path: str) -> list[str]:
    """Return what a request asks the database, the key's lookup included; its use is noted once a minute only."""
    caller.read("/me")
    with CaptureQueriesContext(connection) as captured:
        caller.read(path)
    return [query["sql"] for query in captured]


def fill(cast) -> None:
    """Give Acme, Bolt and Rita some more of everything."""
    add_domains(cast.acme, NAMES)
    add_domains(cast.bolt, [f"bolt-{name}" for name in NAMES])
    for customer, name in ((cast.acme, "acme.example"), (cast.bolt, "bolt.example")):
        for number in range(5):
            a_mailbox(customer.actor, f"box{number}@{name}")
            an_alias(customer.actor, f"alias{number}@{name}", f"box{number}@{name}", "far@partner.example")
            make_key(customer.tenant)
    for number in range(5):
        create_tenant(actor_of(cast.rita), parent=cast.rita, kind=Kind.CUSTOMER, name=f"Customer {number}")


OF_A_TENANT = ("/domains", "/mailboxes", "/aliases", "/members", "/invitations", "/api-keys", "/webhook-endpoints")


def test_lists_of_everything_below_are_narrowed_to_one_tenant(cast):
    hook = {"url": "https://hooks.elsewhere.example/in", "description": "Billing"}
    for customer in (cast.acme, cast.bolt):
        person = User.objects.create(email=f"person@{customer.domain.domain_name}")
        add_member(customer.actor, tenant=customer.tenant, user=person, role=Role.SUPPORT)
        invite_member(customer.actor, email="new@elsewhere.example", role=Role.SUPPORT)
        customer.caller().call("POST", "/webhook-endpoints", hook)
    rita, acme = Caller(make_key(cast.rita)), f"ten_{cast.acme.tenant.uid}"

    for path in OF_A_TENANT:
        everything, narrowed = (
            [row["id"] for row in rita.read(f"{path}{query}")["data"]] for query in ("", f"?tenant={acme}")
        )
        assert narrowed == [row["id"] for row in cast.acme.caller().read(path)["data"]]
        assert set(narrowed) < set(everything)
        assert cast.bolt.caller().read(f"{path}?tenant={acme}")["data"] == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/webhook-endpoints", "bill"),
        ("/mailboxes/anna@acme.example/app-passwords", "PHON"),
        ("/domains/acme.example/denied-addresses", "Spam"),
        ("/domains/acme.example/records", "v=DMARC1"),
    ],
)
def test_shorter_lists_are_searched_too(cast, path, words):
    caller = cast.acme.caller()
    caller.call("POST", "/webhook-endpoints", {"url": "https://hooks.elsewhere.example/in", "description": "Billing"})
    caller.call("POST", "/mailboxes/anna@acme.example/app-passwords", {"name": "Phone"})
    caller.call("POST", "/domains/acme.example/denied-addresses", {"address": "spam"})
    refresh_records(cast.acme.domain.pk)

    assert len(caller.read(f"{path}?q={words}")["data"]) == 1
    assert caller.read(f"{path}?q=nothing-like-it-ü")["data"] == []
