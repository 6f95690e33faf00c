"""Every question a daemon asks stays one probe of one index, however full the tables are."""

import itertools
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from domains.models import Domain
from mailboxes import lookups
from mailboxes.models import Alias
from mailhost.scope import every_tenant
from tenants.models import Allowance, Kind, Tenant
from tests.contract.filled import APP_PASSWORDS_OF_ONE, CLOSED, DOMAINS, MAILBOXES_PER_DOMAIN, fill, selector_of

ASKED = {
    "address": "box7@domain7.example",
    "local": "box7",
    "domain": "domain7.example",
    "overdraft_mb": "100",
    "selector": selector_of("box7@domain7.example"),
}
PRESENT = {
    "domains": {"address": "domain7.example"},
    "passdb": {"service": "imap"},
}
ABSENT = {**ASKED, "address": "nobody@domain7.example", "local": "nobody", "selector": "0000000000"}
# One row that is found, and at most one step beyond it to see that there is no other.
MOST_ROWS_READ = 2

PROBES = [lookup for lookup in lookups.LOOKUPS if lookup.is_probe and lookup.table]


@pytest.fixture(scope="module")
def tables(django_db_setup, django_db_blocker) -> Iterator[None]:
    """The filled tables, once for all these tests, in a transaction that is taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        fill()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def filled(tables) -> Iterator[None]:
    """The filled tables; what a test adds is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def ask(lookup: lookups.Lookup, values: dict[str, str]) -> str:
    return lookup.filled(**{"service": "imap", **values, **PRESENT.get(lookup.name, {})})


def explained(sql: str) -> list[dict]:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + sql.replace("%", "%%"))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def rows_read(sql: str) -> tuple[list, int]:
    """Return the answer and how many rows the storage engine was asked for."""
    with connection.cursor() as cursor:
        before = _handler_reads(cursor)
        cursor.execute(sql.replace("%", "%%"))
        answer = cursor.fetchall()
        # Reading the counters counts as well, the same each time.
        counted = _handler_reads(cursor)
        return answer, counted - before - (_handler_reads(cursor) - counted)


def _handler_reads(cursor) -> int:
    cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
    return sum(int(count) for _, count in cursor.fetchall())


@pytest.mark.parametrize("lookup", PROBES, ids=lambda lookup: lookup.name)
def test_no_scan_no_temporary_table_no_filesort(filled, lookup):
    plan = explained(ask(lookup, ASKED))

    assert len(plan) == (2 if lookup.joined else 1)
    for step in plan:
        assert step["type"] in {"const", "ref", "eq_ref"}
        assert int(step["rows"]) <= MOST_ROWS_READ
        assert "temporary" not in (step["Extra"] or "").lower()
        assert "filesort" not in (step["Extra"] or "").lower()


@pytest.mark.parametrize("lookup", PROBES, ids=lambda lookup: lookup.name)
def test_a_question_reads_the_rows_of_its_answer_only(filled, lookup):
    answer, read = rows_read(ask(lookup, ASKED))
    nothing, read_in_vain = rows_read(lookup.filled(**{"service": "imap", **ABSENT}))

    assert len(answer) == 1
    assert read <= MOST_ROWS_READ
    assert not nothing
    assert read_in_vain <= (2 if lookup.joined else 1)


def test_an_app_password_costs_the_same_beside_hundreds_of_others(filled):
    lookup = lookups.named("app_passdb")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.email, COUNT(*) FROM mail_app_passwords a JOIN mail_mailboxes m ON m.id = a.mailbox_id"
            " GROUP BY m.email ORDER BY 2 DESC LIMIT 1"
        )
        address, count = cursor.fetchone()

    one, read = rows_read(ask(lookup, ASKED))
    of_many = {**ASKED, "address": address, "selector": selector_of(address, APP_PASSWORDS_OF_ONE - 1)}
    other, read_of_many = rows_read(ask(lookup, of_many))

    assert (count, len(one), len(other)) == (APP_PASSWORDS_OF_ONE, 1, 1)
    assert read_of_many == read


def test_a_source_is_found_by_itself_or_by_its_catch_all_in_a_row_of_each(filled):
    sources = lookups.named("sources")
    with every_tenant("a test writes a catch-all"):
        home = Domain.objects.get(domain_name="domain7.example")
        Alias.objects.create(
            domain=home,
            alias_email="@domain7.example",
            destination_email="box7@domain7.example",
            is_routed=True,
            is_active=True,
        )

    closed, read = rows_read(ask(sources, {**ASKED, "local": CLOSED}))
    caught, read_of_catch_all = rows_read(ask(sources, ABSENT))
    nobody, read_in_vain = rows_read(ask(sources, {**ABSENT, "domain": "domain8.example"}))

    assert (closed, caught, nobody) == (
        (("550 5.2.1 This mailbox is disabled",),),
        (("recipient_accepted",),),
        ((None,),),
    )
    assert max(read, read_of_catch_all, read_in_vain) <= MOST_ROWS_READ + 1
    assert {step["type"] for step in explained(ask(sources, ASKED))} <= {"ref", None}


def test_a_detail_is_asked_about_in_a_row_of_its_domain_and_one_of_its_name(filled):
    details = lookups.named("details")
    asked = {**ASKED, "local": "box7+news"}
    with every_tenant("a test switches a domain"):
        Domain.objects.filter(domain_name="domain7.example").update(plus_addressing=False)

    refused, read = rows_read(ask(details, asked))
    exact, read_of_exact = rows_read(ask(details, ASKED))
    taken, read_of_taken = rows_read(ask(details, {**asked, "domain": "domain8.example"}))
    foreign, read_in_vain = rows_read(ask(details, {**asked, "domain": "elsewhere.example"}))

    assert (refused, exact, taken, foreign) == (
        (("550 5.1.1 There is no such address here",),),
        (("DUNNO",),),
        (("DUNNO",),),
        (),
    )
    assert max(read, read_of_exact, read_of_taken, read_in_vain) <= MOST_ROWS_READ
    assert {step["type"] for step in explained(ask(details, ASKED))} <= {"const", None}


def test_what_tenants_may_send_is_read_in_a_row_of_each(filled):
    with every_tenant("a test makes tenants"):
        [operator] = Tenant.objects.all()
        others = [Tenant.objects.create(path=f"/1/{n}/", kind=Kind.CUSTOMER, name=f"C{n}") for n in range(200)]
        Allowance.objects.bulk_create(Allowance(tenant=one, path=one.path) for one in others)
    asked = [operator.pk, others[7].pk, others[90].pk]

    pace = lookups.named("pace").filled(tenants=",".join(map(str, asked)))
    [step] = explained(pace)
    answer, read = rows_read(pace)

    assert (step["type"], step["key"]) == ("range", "PRIMARY")
    assert "temporary" not in (step["Extra"] or "")
    assert "filesort" not in (step["Extra"] or "")
    assert [tenant for tenant, *_ in answer] == sorted(asked)
    assert read <= len(asked) + 1


def test_the_list_of_all_mailboxes_is_read_from_an_index_as_it_stands(filled):
    [step] = explained(lookups.named("iterate").filled())

    assert (step["type"], step["Extra"]) == ("index", "Using where; Using index")


def test_no_question_of_a_daemon_is_left_out_here():
    beside_the_probes = {lookup.name for lookup in lookups.LOOKUPS} - {lookup.name for lookup in PROBES}

    # All but `alive`, which reads no table, have a test of their own above.
    assert beside_the_probes == {"details", "sources", "weighed", "pace", "iterate", "alive"}


def test_the_way_to_the_mailbox_that_fills_up_reads_a_few_rows_for_each_step(filled):
    weighed = lookups.named("weighed")
    steps = ["@domain7.example", "sales@domain7.example", "box7@domain7.example"]
    with every_tenant("a test writes aliases"):
        home = Domain.objects.get(domain_name="domain7.example")
        Alias.objects.bulk_create(
            Alias(domain=home, alias_email=source, destination_email=target, is_routed=True)
            for source, target in itertools.pairwise(steps)
        )

    answer, read = rows_read(ask(weighed, {**ABSENT, "service": "quota-status"}))
    nothing, read_for_others = rows_read(ask(weighed, {**ABSENT, "service": "lmtp"}))

    assert [user for user, *_ in answer] == ["box7@domain7.example"]
    # Of each step its row, a look for another target, and what the recursion writes down and reads again.
    assert read <= 15 * len(steps)
    # One look into the index, before it is clear that nobody asks.
    assert nothing == ()
    assert read_for_others <= 1


@pytest.mark.parametrize("name", lookups.GIVEN)
def test_the_given_queries_are_probes_too(filled, name):
    asked = "domain7.example" if name == "virtual_mailbox_domains" else ASKED["address"]
    sql = lookups.GIVEN[name].replace("%s", asked).replace("%u", asked).replace("%d", "d").replace("%n", "n")

    plan = explained(sql)
    answer, read = rows_read(sql)

    assert [step["type"] for step in plan] in (["const"], ["ref"])
    assert len(answer) == 1
    assert read <= MOST_ROWS_READ


def test_the_filled_tables_are_large_enough_to_mean_something(filled):
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM mail_mailboxes")
        assert cursor.fetchone() == (DOMAINS * MAILBOXES_PER_DOMAIN,)
