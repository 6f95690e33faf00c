"""Every question a daemon asks stays one probe of one index, however full the tables are."""

import pytest
from django.db import connection

from mailboxes import lookups
from tests.contract.filled import APP_PASSWORDS_OF_ONE, DOMAINS, MAILBOXES_PER_DOMAIN, fill, selector_of

ASKED = {
    "address": "box7@domain7.example",
    "local": "box7",
    "domain": "domain7.example",
    "mail_root": "/mail",
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


@pytest.fixture
def filled(db):
    fill()


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
