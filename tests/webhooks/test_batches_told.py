"""What is told, and recorded, of many things made at once: of each that was made, and in as many statements."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.lines import line_of
from audit.models import Event
from mailhost.models import Job
from mailhost.scope import every_tenant
from tests.apiside import Caller, make_cast, make_key
from tests.world import PASSWORD_HASH, an_alias
from webhooks.models import Delivery, Message
from webhooks.operations import create_endpoint
from webhooks.outbox import ANNOUNCE, DELIVER
from webhooks.tasks import announce

pytestmark = pytest.mark.django_db

CREATED = {"mailboxes": "mailbox.created", "aliases": "alias.created"}


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def listening(cast):
    """The cast, where an endpoint of Acme's is told of mailboxes and aliases."""
    types = [*CREATED.values(), "alias.updated", "alias.deleted"]
    create_endpoint(cast.acme.actor, url="https://hooks.elsewhere.example/in", types=types)
    return cast


def item(kind: str, local: str, domain: str = "acme.example") -> dict:
    address = f"{local}@{domain}"
    if kind == "mailboxes":
        return {"email": address, "password_hash": PASSWORD_HASH, "storage_quota": 1}
    return {"source": address, "targets": ["x@partner.example", "y@partner.example"]}


def post(caller, kind: str, *locals_: str, mode: str = "partial", query: str = ""):
    body = {"mode": mode, "items": [item(kind, local) for local in locals_]}
    return caller.call("POST", f"/{kind}/batch{query}", body)


def told() -> list[tuple[str, dict]]:
    with every_tenant("a test reads the outbox"):
        rows = Delivery.objects.select_related("message").order_by("pk")
        return [(row.message.type, json.loads(row.message.body)["data"]) for row in rows]


def recorded(**conditions) -> Event:
    with every_tenant("a test reads the record"):
        return Event.objects.select_related("actor_tenant").filter(**conditions).latest("pk")


@pytest.mark.parametrize("kind", CREATED)
def test_each_that_was_made_is_told_once_and_no_other(listening, kind):
    answer = post(listening.acme.caller(), kind, "otto", "|cmd", "otto", "ada").json()

    assert [row["status"] for row in answer["data"]] == [201, 422, 422, 201]
    made = [row["object"] for row in answer["data"] if row["status"] == 201]
    assert [(event_type, data["id"], data["name"]) for event_type, data in told()] == [
        (CREATED[kind], one["id"], one["email" if kind == "mailboxes" else "source"]) for one in made
    ]
    assert Job.objects.filter(task=DELIVER).count() == 2


@pytest.mark.parametrize("kind", CREATED)
@pytest.mark.parametrize(("mode", "query"), [("atomic", ""), ("partial", "?dry_run=true")], ids=["atomic", "dry_run"])
def test_what_was_not_made_is_told_to_nobody(listening, kind, mode, query):
    post(listening.acme.caller(), kind, "otto", "|cmd", mode=mode, query=query)

    with every_tenant("a test reads the outbox"):
        assert not Message.objects.exists()
    assert not Job.objects.filter(task__in=[DELIVER, ANNOUNCE]).exists()


@pytest.mark.parametrize("kind", CREATED)
def test_a_batch_of_which_nothing_was_made_is_not_recorded(cast, kind):
    post(cast.acme.caller(), kind, "|cmd")

    with every_tenant("a test reads the record"):
        assert not Event.objects.filter(action=f"{kind}.create", object="").exists()


@pytest.mark.parametrize("kind", CREATED)
def test_hundreds_are_told_in_as_many_statements_as_dozens(listening, kind):
    caller = listening.acme.caller()
    # A tenant's first event begins its chain, a first request may find caches empty.
    post(caller, kind, "first")
    counts = []

    for number in (30, 300):
        with CaptureQueriesContext(connection) as asked:
            post(caller, kind, *(f"b{number}-{place}" for place in range(number)))
        counts.append(len(asked))

    assert counts[0] == counts[1] <= 31
    assert len(told()) == 331


def test_of_many_deliveries_one_job_wakes_a_worker_for_each(listening):
    post(listening.acme.caller(), "mailboxes", *(f"box{number}" for number in range(30)))
    [waiting] = Job.objects.filter(task=ANNOUNCE)

    announce(**waiting.arguments)

    with every_tenant("a test reads the outbox"):
        ids = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    jobs = Job.objects.filter(task=DELIVER).order_by("pk")
    assert [job.arguments["delivery_id"] for job in jobs] == ids
    assert len(ids) == 30


@pytest.mark.parametrize("kind", CREATED)
def test_the_record_of_a_batch_counts_what_was_made_and_names_some_of_it(cast, kind):
    column = "email" if kind == "mailboxes" else "alias_email"
    answer = post(cast.acme.caller(), kind, *(f"box{number:02}" for number in range(60))).json()

    event = recorded(action=f"{kind}.create")
    rows_of_one = 1 if kind == "mailboxes" else 2
    assert event.details == {"is_atomic": False, "count": 60 * rows_of_one}
    assert event.object_uid == answer["data"][0]["object"]["id"].partition("_")[2]
    assert event.object.startswith("box00@acme.example")
    assert len(event.after) == 50
    assert event.after[-1][column] == f"box{50 // rows_of_one - 1:02}@acme.example"
    assert PASSWORD_HASH not in json.dumps(event.after)


def test_of_a_batch_for_several_customers_each_reads_its_own(cast):
    items = [item("mailboxes", "otto", domain) for domain in ("bolt.example", "acme.example")]

    Caller(make_key(cast.rita)).call("POST", "/mailboxes/batch", {"mode": "atomic", "items": items})

    for side, name in ((cast.acme, "otto@acme.example"), (cast.bolt, "otto@bolt.example")):
        event = recorded(action="mailboxes.create", tenant=side.tenant)
        assert (event.object, [row["email"] for row in event.after]) == (name, [name])


def test_an_alias_that_is_changed_or_deleted_as_a_whole_is_told_and_recorded_by_its_name(listening):
    caller = listening.acme.caller()
    alias = an_alias(listening.acme.actor, "info@acme.example", "x@partner.example", "y@partner.example")[0]

    caller.call("PATCH", "/aliases/info@acme.example", {"targets": ["x@partner.example", "w@partner.example"]})
    changed = recorded(action="aliases.update")
    caller.call("DELETE", "/aliases/info@acme.example")
    deleted = recorded(action="aliases.delete")

    assert [(event_type, data["id"], data["name"]) for event_type, data in told()] == [
        (event_type, f"als_{alias.uid}", "info@acme.example")
        for event_type in ("alias.created", "alias.updated", "alias.deleted")
    ]
    assert targets(changed.before) == ["x@partner.example", "y@partner.example"]
    assert targets(changed.after) == targets(deleted.before) == ["x@partner.example", "w@partner.example"]
    assert deleted.after is None
    assert deleted.object.startswith("info@acme.example")
    # A page shows of several rows which they were, and no table of columns.
    assert line_of(deleted, listening.acme.actor).changes == []


def targets(rows: list[dict]) -> list[str]:
    return [row["destination_email"] for row in rows]
