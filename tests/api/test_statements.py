"""What a change asks of the database, the key's lookup included: as much in a full tenant as in an empty one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.apiside import make_cast
from tests.world import PASSWORD_HASH, a_mailbox, an_alias

pytestmark = pytest.mark.django_db

# Savepoints are where a transaction may go back to; they read and write nothing.
TRANSACTION = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")


@pytest.fixture
def acme():
    return make_cast().acme


def statements(caller, path: str, body) -> list[str]:
    caller.read("/me")
    with CaptureQueriesContext(connection) as asked:
        answer = caller.call("POST", path, body)
    assert answer.status_code == 201, answer.content
    return [query["sql"] for query in asked if not query["sql"].startswith(TRANSACTION)]


def mailbox(local: str) -> dict:
    return {"email": f"{local}@acme.example", "password_hash": PASSWORD_HASH, "storage_quota": 5}


def test_a_new_mailbox_costs_the_same_however_many_there_are(acme):
    caller = acme.caller()

    first = statements(caller, "/mailboxes", mailbox("first"))
    for number in range(10):
        a_mailbox(acme.actor, f"box{number}@acme.example")
    later = statements(caller, "/mailboxes", mailbox("later"))

    assert len(first) == len(later), "\n".join(later)
    assert len(later) <= 12, "\n".join(later)


def test_a_new_domain_costs_the_same_however_many_there_are(acme):
    caller = acme.caller()

    first = statements(caller, "/domains", {"name": "first.example"})
    for number in range(5):
        caller.call("POST", "/domains", {"name": f"more{number}.example"})
    later = statements(caller, "/domains", {"name": "later.example"})

    assert len(first) == len(later), "\n".join(later)
    assert len(later) <= 9, "\n".join(later)


READS = {
    "/mailboxes/anna@acme.example": 2,
    "/mailboxes": 3,
    "/mailboxes?q=anna&status=active": 3,
    "/domains/acme.example": 2,
    "/domains": 2,
    "/domains/acme.example/records": 3,
    "/aliases/sales@acme.example": 3,
    "/aliases": 3,
    "/operations": 2,
    "/api-keys": 2,
    "/me": 4,
    "/usage": 3,
    "/audit-events": 2,
}


@pytest.mark.parametrize("path", READS)
def test_a_read_costs_the_same_however_many_there_are(acme, path):
    caller = acme.caller()
    caller.read("/me")
    counts = []
    for round_ in range(2):
        with CaptureQueriesContext(connection) as asked:
            caller.read(path)
        counts.append(len(asked))
        for number in range(5):
            a_mailbox(acme.actor, f"box{round_}{number}@acme.example")
            an_alias(acme.actor, f"alias{round_}{number}@acme.example", "anna@acme.example")

    assert counts[0] == counts[1]
    assert counts[0] <= READS[path] <= 4


def alias(local: str, *targets: str) -> dict:
    return {"source": f"{local}@acme.example", "targets": list(targets)}


@pytest.mark.parametrize(
    "targets",
    [
        ["anna@acme.example"],
        ["x@partner.example"],
        ["anna@acme.example", "anna@bolt.example", "sales@acme.example", "x@partner.example"],
    ],
    ids=["to a mailbox", "to outside", "to all kinds"],
)
def test_a_new_alias_costs_the_same_however_many_there_are(acme, targets):
    caller = acme.caller()

    first = statements(caller, "/aliases", alias("first", *targets))
    for number in range(5):
        an_alias(acme.actor, f"alias{number}@acme.example", "anna@acme.example", "y@partner.example")
    later = statements(caller, "/aliases", alias("later", *targets))

    assert len(first) == len(later), "\n".join(later)
    assert len(later) <= 12, "\n".join(later)


def test_another_target_of_an_alias_costs_no_more(acme):
    caller = acme.caller()

    asked = statements(caller, "/aliases", alias("sales", "z@partner.example"))

    assert len(asked) <= 12, "\n".join(asked)
