"""A message on its way: signed, tried again for a day, stopped, sent again."""

from datetime import timedelta

import pytest
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from mailhost.background import WEBHOOK_QUEUE
from mailhost.models import Job
from mailhost.scope import every_tenant, tenant_scope
from tenants.operations import resume_tenant, suspend_tenant
from tests.world import a_mailbox, fresh
from webhooks import delivery as deliveries
from webhooks.delivery import ATTEMPTS_AT
from webhooks.models import Delivery, Endpoint, Message
from webhooks.operations import create_endpoint, redeliver, rotate_secret, send_test, update_endpoint
from webhooks.resting import REST
from webhooks.tasks import deliver, send_due


@pytest.fixture
def hook(world, acme, receiver) -> tuple[Endpoint, str]:
    return create_endpoint(world.as_acme, url=receiver.url)


def sent() -> Delivery:
    with every_tenant("a test reads the newest delivery"):
        return Delivery.objects.listed().first()


def attempt(delivery: Delivery, now=None) -> Delivery:
    with every_tenant("what a task does"):
        row = Delivery.objects.listed().get(pk=delivery.pk)
        deliveries.deliver(row, now or timezone.now())
    return sent()


def test_it_arrives_signed_as_standard_webhooks_says(world, hook, receiver):
    _, secret = hook
    a_mailbox(world.as_acme, "anna@acme.example")

    deliver(sent().pk)

    headers, body = receiver.received[0]
    payload = Webhook(secret).verify(body, headers)
    assert (payload["type"], payload["data"]["name"]) == ("mailbox.created", "anna@acme.example")
    assert headers["webhook-id"] == f"msg_{sent().message.uid}"
    assert (sent().state, sent().attempts, sent().log[0]["status"]) == ("delivered", 1, 200)
    assert sent().log[0]["at"].endswith("Z")
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace("anna", "otto"), headers)


def test_a_delivered_one_is_not_sent_twice(world, hook, receiver):
    a_mailbox(world.as_acme, "anna@acme.example")

    for _ in range(3):
        deliver(sent().pk)

    assert len(receiver.received) == 1


def test_both_secrets_sign_for_a_day_after_a_rotation(world, hook, receiver):
    endpoint, former = hook
    _, secret = rotate_secret(world.as_acme, endpoint=endpoint)
    first = send_test(world.as_acme, endpoint=endpoint)

    attempt(first)
    later = send_test(world.as_acme, endpoint=endpoint)
    with every_tenant("a test lets a day pass"):
        Endpoint.objects.update(former_until=timezone.now() - timedelta(seconds=1))
    attempt(later)

    for known in (former, secret):
        Webhook(known).verify(receiver.received[0][1], receiver.received[0][0])
    Webhook(secret).verify(receiver.received[1][1], receiver.received[1][0])
    with pytest.raises(WebhookVerificationError):
        Webhook(former).verify(receiver.received[1][1], receiver.received[1][0])


def test_it_is_tried_again_for_a_day_and_then_given_up(world, hook, receiver):
    receiver.status = 503
    began = timezone.now()
    delivery = send_test(world.as_acme, endpoint=hook[0])
    times = []

    now = began + timedelta(seconds=1)
    while sent().state == "pending":
        attempt(delivery, now)
        times.append(round((now - began).total_seconds()) - 1)
        now = max(now, sent().due_at)

    assert tuple(times) == ATTEMPTS_AT
    assert times[-1] == 24 * 3600
    assert (sent().state, sent().attempts) == ("failed", 10)
    assert [one["status"] for one in sent().log] == [503] * 10
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1


def test_before_it_is_due_it_is_not_tried(world, hook, receiver):
    receiver.status = 500
    delivery = send_test(world.as_acme, endpoint=hook[0])
    attempt(delivery)

    attempt(delivery)

    assert len(receiver.received) == 1


def test_410_switches_the_endpoint_off(world, hook, receiver):
    receiver.status = 410

    attempt(send_test(world.as_acme, endpoint=hook[0]))
    a_mailbox(world.as_acme, "anna@acme.example")

    endpoint = fresh(hook[0])
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "It answered 410 Gone.")
    assert (sent().message.type, sent().state) == ("webhook.test", "failed")


def test_a_redirect_is_not_followed(world, hook, receiver):
    receiver.status, receiver.location = 307, receiver.url + "&again=1"

    attempt(send_test(world.as_acme, endpoint=hook[0]))

    assert len(receiver.received) == 1
    assert (sent().state, sent().log[0]["status"]) == ("pending", 307)


def test_a_suspended_tenant_is_told_later(world, hook, receiver):
    delivery = send_test(world.as_acme, endpoint=hook[0])
    suspend_tenant(world.as_operator, tenant=world.acme, reason="unpaid")
    attempt(delivery)
    meanwhile = len(receiver.received), fresh(delivery).state, fresh(delivery).attempts
    resume_tenant(world.as_operator, tenant=world.acme)

    attempt(delivery, timezone.now() + timedelta(minutes=11))

    assert meanwhile == (0, "pending", 0)
    assert (len(receiver.received), fresh(delivery).state) == (1, "delivered")


def test_the_clock_finds_what_is_due_or_was_lost(world, hook, receiver):
    receiver.status = 500
    delivery = attempt(send_test(world.as_acme, endpoint=hook[0]))
    Job.objects.all().delete()

    send_due()
    early = Job.objects.count()
    with every_tenant("a test lets time pass"):
        Delivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    send_due()

    assert early == 0
    assert Job.objects.get(task="webhooks.tasks.deliver").arguments == {"delivery_id": delivery.pk}


def test_what_waits_for_a_worker_is_announced_once_however_long_that_takes(world, hook):
    send_test(world.as_acme, endpoint=hook[0])
    with every_tenant("a test lets time pass"):
        Delivery.objects.update(due_at=timezone.now() - timedelta(minutes=5))

    for _ in range(3):
        send_due()

    assert Job.objects.filter(task="webhooks.tasks.deliver").count() == 1


def test_messages_are_kept_for_thirty_days_and_forgotten_by_and_by(world, hook, monkeypatch):
    for _ in range(3):
        send_test(world.as_acme, endpoint=hook[0])
    with every_tenant("a test lets time pass"):
        of_yesterday, *old = Message.objects.order_by("-pk").values_list("pk", flat=True)
        Message.objects.filter(pk__in=old).update(created_at=timezone.now() - timedelta(days=31))
    monkeypatch.setattr("webhooks.tasks.MOST_AT_ONCE", 1)
    left = []

    for _ in range(3):
        send_due()
        with every_tenant("a test counts"):
            left.append((Message.objects.count(), Delivery.objects.count()))

    assert left == [(2, 2), (1, 1), (1, 1)]
    with every_tenant("a test counts"):
        assert Message.objects.get().pk == of_yesterday


def test_sent_again_it_keeps_its_id_and_is_a_delivery_of_its_own(world, hook, receiver):
    first = send_test(world.as_acme, endpoint=hook[0])
    attempt(first)

    with tenant_scope(world.acme.path):
        again = redeliver(world.as_acme, delivery=Delivery.objects.listed().get(pk=first.pk))
    attempt(again)

    assert again.pk != first.pk
    assert receiver.received[0][0]["webhook-id"] == receiver.received[1][0]["webhook-id"]
    assert receiver.received[0][1] == receiver.received[1][1]


def test_an_endpoint_that_keeps_a_worker_waiting_is_left_alone_for_a_while(world, hook, receiver, monkeypatch):
    monkeypatch.setattr(deliveries, "SLOW_MILLISECONDS", 0)
    receiver.status = 503
    first, second = (send_test(world.as_acme, endpoint=hook[0]) for _ in range(2))
    began = timezone.now()

    attempt(first, began)
    attempt(second, began)
    meanwhile = len(receiver.received), fresh(second).state, fresh(second).attempts, fresh(second).due_at
    receiver.status = 200
    attempt(second, fresh(second).due_at)

    assert meanwhile == (1, "pending", 0, began + REST)
    assert (len(receiver.received), fresh(second).state) == (2, "delivered")


def test_what_has_waited_a_day_for_such_a_one_is_given_up(world, hook, receiver, monkeypatch):
    monkeypatch.setattr(deliveries, "SLOW_MILLISECONDS", 0)
    receiver.status = 503
    first, second = (send_test(world.as_acme, endpoint=hook[0]) for _ in range(2))
    a_day_later = timezone.now() + timedelta(days=1)

    attempt(first, a_day_later)
    attempt(second, a_day_later)

    assert (len(receiver.received), fresh(second).state) == (1, "failed")


@pytest.mark.parametrize("act", ["change", "test", "again"])
def test_whoever_does_something_about_it_need_not_wait(world, hook, receiver, monkeypatch, act):
    monkeypatch.setattr(deliveries, "SLOW_MILLISECONDS", 0)
    first, waiting = (send_test(world.as_acme, endpoint=hook[0]) for _ in range(2))
    attempt(first)

    match act:
        case "change":
            update_endpoint(world.as_acme, endpoint=hook[0], description="mended")
        case "test":
            send_test(world.as_acme, endpoint=hook[0])
        case "again":
            with tenant_scope(world.acme.path):
                redeliver(world.as_acme, delivery=Delivery.objects.listed().get(pk=first.pk))
    attempt(waiting)

    assert (len(receiver.received), fresh(waiting).state) == (2, "delivered")


def test_another_endpoint_is_told_meanwhile(world, hook, receiver, monkeypatch):
    monkeypatch.setattr(deliveries, "SLOW_MILLISECONDS", 0)
    other, _ = create_endpoint(world.as_acme, url=receiver.url)

    for endpoint in (hook[0], other):
        attempt(send_test(world.as_acme, endpoint=endpoint))

    assert len(receiver.received) == 2


def test_webhooks_keep_no_other_work_waiting(world, hook):
    send_test(world.as_acme, endpoint=hook[0])

    assert Job.objects.get(task="webhooks.tasks.deliver").queue == WEBHOOK_QUEUE
