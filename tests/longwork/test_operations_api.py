"""Long work over REST: 202, where it stands, and what came of it."""

import pytest
from django.utils import timezone

from longwork.models import LongWork
from mailboxes.models import Mailbox
from mailhost.scope import every_tenant
from tenants.models import Allowance, Role
from tenants.plan_operations import assign_plan, change_plan, create_plan
from tests.apiside import Caller, assert_problem, make_cast, make_key
from tests.longwork.test_works import work_off
from tests.world import PASSWORD, PASSWORD_HASH, actor_of

pytestmark = pytest.mark.django_db

NEW_ALIAS = {"source": "a@acme.example", "targets": ["anna@acme.example"]}
ASYNC = {"prefer": "respond-async"}


@pytest.fixture
def cast():
    return make_cast()


def item(local: str, **more) -> dict:
    return {"email": f"{local}@acme.example", "password_hash": PASSWORD_HASH, "storage_quota": 5} | more


def batch(caller: Caller, *items: dict, mode: str = "partial", headers=ASYNC, query: str = ""):
    return caller.call("POST", f"/mailboxes/batch{query}", {"mode": mode, "items": list(items)}, headers=headers)


def addresses() -> set[str]:
    with every_tenant("a test counts"):
        return set(Mailbox.objects.live().values_list("email", flat=True))


def test_a_batch_is_answered_at_once_and_done_afterwards(cast):
    caller = cast.acme.caller()
    answer = batch(caller, *[item(f"box{number}") for number in range(250)], item("anna"), item("x", storage_quota=0))
    body = answer.json()

    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/v1/operations/{body['id']}"
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert (body["object"], body["state"], body["kind"]) == ("operation", "queued", "mailboxes.create")
    assert (body["progress"], body["result"], body["errors"]) == ({"done": 0, "total": 252}, None, [])
    assert addresses() == {"anna@acme.example", "anna@bolt.example"}

    work_off(2)
    assert caller.read(f"/operations/{body['id']}")["progress"] == {"done": 100, "total": 252}
    work_off()
    done = caller.read(f"/operations/{body['id']}")

    assert (done["state"], done["result"]["created"], done["result"]["refused"]) == ("succeeded", 250, 2)
    assert [row["status"] for row in done["result"]["data"]] == [201] * 250 + [422] * 2
    assert [(error["row"], error["pointer"]) for error in done["errors"]] == [
        (250, "#/email"), (251, "#/storage_quota"),
    ]  # fmt: skip
    assert len(addresses()) == 252


def test_all_or_none_is_all_or_none_afterwards(cast):
    caller = cast.acme.caller()
    body = batch(caller, item("otto"), item("anna"), mode="atomic").json()

    work_off()

    done = caller.read(f"/operations/{body['id']}")
    assert (done["state"], done["problem"]["code"], done["problem"]["status"]) == ("failed", "validation_failed", 422)
    assert [error["pointer"] for error in done["problem"]["errors"]] == ["#/items/1/email"]
    assert "otto@acme.example" not in addresses()


def test_a_thousand_passwords_are_hashed_in_parts(cast):
    caller = cast.acme.caller()
    plain = {"password": PASSWORD, "password_hash": None}
    items = [{name: value for name, value in (item(f"p{n}") | plain).items() if value} for n in range(101)]

    assert batch(caller, *items, headers={}).status_code == 422
    body = batch(caller, *items).json()
    with every_tenant("a test looks at the row"):
        assert PASSWORD not in LongWork.objects.get().sealed_arguments
    work_off()

    assert caller.read(f"/operations/{body['id']}")["result"]["created"] == 101


def test_a_rehearsal_is_answered_when_it_is_through(cast):
    answer = batch(cast.acme.caller(), item("otto"), query="?dry_run=true")

    assert (answer.status_code, answer.json()["created"]) == (200, 1)
    assert "otto@acme.example" not in addresses()


def test_the_same_idempotency_key_starts_no_second_work(cast):
    caller, headers = cast.acme.caller(), ASYNC | {"idempotency-key": "import-1"}

    first = batch(caller, item("otto"), headers=headers)
    again = batch(caller, item("otto"), headers=headers)

    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert again.headers["Location"] == first.headers["Location"]
    with every_tenant("a test counts"):
        assert LongWork.objects.count() == 1


def test_aliases_verification_check_and_publishing_can_be_long(cast):
    caller = cast.acme.caller()
    posts = {
        "/aliases/batch": {
            "mode": "partial",
            "items": [{"source": "a@acme.example", "targets": ["anna@acme.example"]}],
        },
        "/domains/acme.example/verify": "",
        "/domains/acme.example/check": "",
        "/domains/acme.example/publish": "",
    }
    ids = []
    for path, body in posts.items():
        answer = caller.call("POST", path, body, headers=ASYNC)
        assert answer.status_code == 202, answer.content
        ids.append(answer.json()["id"])

    work_off()

    aliases, verify, check, publish = (caller.read(f"/operations/{one}") for one in ids)
    assert aliases["result"]["data"][0]["object"]["source"] == "a@acme.example"
    assert verify["problem"]["errors"][0]["code"] == "already_verified"
    assert (check["state"], check["result"]["object"]) == ("succeeded", "list")
    assert publish["problem"]["errors"][0]["code"] == "not_connected"


def test_a_plan_is_upgraded_for_all_who_have_it(cast):
    actor = actor_of(cast.rita)
    plan = create_plan(actor, name="Basic", limits={"mailboxes": 10})
    for customer in (cast.acme, cast.bolt):
        assign_plan(actor, tenant=customer.tenant, plan=plan)
    change_plan(actor, plan=plan, limits={"mailboxes": 20})
    caller = Caller(make_key(cast.rita))
    body = caller.call("POST", f"/plans/pln_{plan.uid}/upgrade", {}, headers=ASYNC).json()

    work_off()

    done = caller.read(f"/operations/{body['id']}")
    assert set(done["result"]["tenant_ids"]) == {f"ten_{one.tenant.uid}" for one in (cast.acme, cast.bolt)}
    with every_tenant("a test looks at the limits"):
        assert {Allowance.objects.get(pk=one.tenant.pk).mailboxes for one in (cast.acme, cast.bolt)} == {20}


def test_who_sees_what(cast):
    owner, writer = cast.acme.caller(), Caller(make_key(cast.acme.tenant, Role.BILLING))
    body = batch(owner, item("otto")).json()
    path = f"/operations/{body['id']}"

    for reader in (cast.acme.caller(Role.READ_ONLY), Caller(make_key(cast.rita))):
        assert reader.read(path)["id"] == body["id"]
        assert [row["id"] for row in reader.read("/operations")["data"]] == [body["id"]]
    # A key that may not read operations reads those that it has started: none.
    for stranger in (cast.bolt.caller(), writer):
        assert_problem(stranger.call("GET", path), 404, "not_found")
        assert stranger.read("/operations")["data"] == []


def test_the_list_leaves_to_one_operation_what_came_of_each_row(cast):
    caller = cast.acme.caller()
    path = f"/operations/{batch(caller, item('otto'), mode='partial').json()['id']}"
    work_off()

    [listed], one = caller.read("/operations")["data"], caller.read(path)

    assert one["result"]["data"]
    assert listed == {name: value for name, value in one.items() if name not in ("errors", "result")}


def test_the_list_has_filters_and_the_newest_first(cast):
    caller = cast.acme.caller()
    first, second = (batch(caller, item(name)).json()["id"] for name in ("a", "b"))
    assert caller.call("POST", f"/operations/{first}/cancel").json()["state"] == "canceled"
    work_off()

    assert [row["id"] for row in caller.read("/operations")["data"]] == [second, first]
    assert [row["id"] for row in caller.read("/operations?state=canceled")["data"]] == [first]
    for other in ("plans.upgrade", "größer"):
        assert caller.read(f"/operations?kind={other}")["data"] == []
    answer = caller.call("POST", f"/operations/{second}/cancel")
    assert assert_problem(answer, 422, "validation_failed")["errors"][0]["code"] == "finished"
    assert addresses() >= {"b@acme.example"}
    assert "a@acme.example" not in addresses()


def test_reading_one_waits_for_its_end_no_longer_than_asked(cast):
    caller = cast.acme.caller()
    path = f"/operations/{batch(caller, item('otto')).json()['id']}"
    begun = timezone.now()

    waiting = caller.call("GET", path, headers={"prefer": "wait=1"}).json()

    assert waiting["state"] == "queued"
    assert 1 <= (timezone.now() - begun).total_seconds() < 5
    work_off()
    assert caller.call("GET", path, headers={"prefer": "wait=10"}).json()["state"] == "succeeded"
