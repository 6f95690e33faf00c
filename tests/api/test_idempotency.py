"""A POST that is sent again under its Idempotency-Key is answered again, not done again."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import ApiKey
from domains.models import Domain
from mailhost.api import idempotency
from mailhost.api.models import IdempotencyKey
from mailhost.scope import every_tenant
from tests.apiside import Caller, assert_problem, make_cast

pytestmark = pytest.mark.django_db(transaction=True)

NEW = {"name": "new.example"}


@pytest.fixture
def acme():
    return make_cast().acme


def post(caller: Caller, body=NEW, key: str = "order-4711", path: str = "/domains"):
    return caller.call("POST", path, body, headers={"idempotency-key": key})


def count(name: str = "new.example") -> int:
    with every_tenant("a test counts"):
        return Domain.objects.filter(domain_name=name).count()


def test_the_second_time_the_first_answer_comes_back_and_says_so(acme):
    first, second = post(acme.caller()), post(acme.caller())

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    for name in ("Location", "ETag"):
        assert second.headers[name] == first.headers[name]
    assert count() == 1


def test_an_answer_without_a_body_is_replayed_without_one(acme):
    body, path = {"password": "Grün-Kaffee-17-Lampe"}, "/mailboxes/anna@acme.example/password"

    answers = [post(acme.caller(), body, path=path) for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    assert answers[1].headers["Idempotency-Replayed"] == "true"


def test_without_a_key_it_is_done_again(acme):
    acme.caller().call("POST", "/domains", NEW)

    assert_problem(acme.caller().call("POST", "/domains", NEW), 422, "validation_failed")


@pytest.mark.parametrize(
    ("body", "path"), [({"name": "other.example"}, "/domains"), (NEW, "/domains?dry_run=false"), (NEW, "/tenants")]
)
def test_a_key_of_another_request_is_refused(acme, body, path):
    caller = acme.caller("owner")
    post(caller)

    answer = post(caller, body, path=path)

    if path == "/tenants":
        # A customer may create no tenants, and is told that first.
        assert_problem(answer, 403, "not_permitted")
    else:
        assert_problem(answer, 422, "idempotency_key_reused")
    assert count("other.example") == 0


def test_the_same_name_under_another_api_key_is_another_key(acme):
    first = post(acme.caller())

    second = post(acme.caller("mail_manager"), {"name": "other.example"})

    assert (first.status_code, second.status_code) == (201, 201)


def test_what_was_refused_is_not_kept_so_that_it_can_be_mended(acme):
    assert_problem(post(acme.caller(), {"name": "no dots"}), 422, "validation_failed")

    assert post(acme.caller()).status_code == 201


@pytest.mark.parametrize("path", ["/domains", "/domains?dry_run=true"])
@pytest.mark.parametrize("name", ["", "x" * 256, "two words", "ümlaut"])
def test_what_is_no_key_is_refused(acme, name, path):
    assert_problem(post(acme.caller(), key=name, path=path), 400, "malformed_request")


def test_while_the_first_is_in_flight_the_second_gets_409_at_once(acme):
    caller = acme.caller()
    caller.read("/me")
    answers = []

    with transaction.atomic():
        row = IdempotencyKey.objects.create(
            api_key_id=key_of(acme).pk, name="order-4711", fingerprint="x", created_at=timezone.now()
        )
        assert row.pk
        thread = threading.Thread(target=lambda: (answers.append(post(caller)), connection.close()))
        began = timezone.now()
        thread.start()
        thread.join(20)
        waited = timezone.now() - began
        transaction.set_rollback(True)

    assert_problem(answers[0], 409, "request_in_flight")
    assert answers[0].headers["Retry-After"] == "1"
    assert waited < timedelta(seconds=4)
    assert post(caller).status_code == 201


def test_of_eight_at_once_one_is_done(acme):
    caller, answers, barrier = acme.caller(), [], threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        answers.append(post(Caller(caller.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer "))))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1


def test_a_crash_leaves_neither_the_change_nor_the_key(acme, monkeypatch):
    caller = acme.caller()
    caller.raise_request_exception = False

    def crash(*_):
        raise RuntimeError("power is gone")

    with monkeypatch.context() as broken:
        broken.setattr(idempotency, "_keep", crash)
        assert_problem(post(caller), 500, "internal_error")

    assert count() == 0
    assert not IdempotencyKey.objects.exists()
    assert post(caller).status_code == 201


def test_after_a_day_the_key_is_free(acme):
    post(acme.caller())
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))

    assert post(acme.caller(), {"name": "other.example"}).status_code == 201


def test_old_rows_are_forgotten_and_young_ones_kept(acme):
    post(acme.caller(), key="young")
    post(acme.caller(), {"name": "other.example"}, key="old")
    IdempotencyKey.objects.filter(name="old").update(created_at=timezone.now() - timedelta(hours=25))

    assert idempotency.forget() == 1
    assert list(IdempotencyKey.objects.values_list("name", flat=True)) == ["young"]


def test_a_secret_that_is_shown_once_is_replayed_and_yet_stored_nowhere(acme):
    body = {"name": "shop", "scopes": ["domains:read"]}

    first, second = (post(acme.caller(), body, path="/api-keys") for _ in range(2))

    assert second.json()["key"] == first.json()["key"]
    row = IdempotencyKey.objects.get()
    assert first.json()["key"] not in f"{row.answer}{row.headers}"
    assert "shop" not in row.answer


def key_of(customer) -> ApiKey:
    with every_tenant("a test reads a key"):
        return ApiKey.objects.filter(tenant=customer.tenant).latest("pk")
