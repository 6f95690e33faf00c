"""Telling an endpoint: signed, again and again over a day, and noted."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from accounts.actors import system_actor
from webhooks.models import Delivery, Endpoint, State
from webhooks.operations import switch_off
from webhooks.resting import SLOW_MILLISECONDS, rest, rests_until
from webhooks.sending import Answer, post
from webhooks.signing import decrypt, signature

# Seconds after the first attempt at which the others are made.
ATTEMPTS_AT = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
# How long a delivery waits whose tenant may not sign in: a suspension stops what would be told, and loses nothing.
PAUSE = timedelta(minutes=10)
# What has waited so long for an endpoint that is left alone is given up, as if it had been tried.
DAY = timedelta(seconds=ATTEMPTS_AT[-1])
GONE = gettext_noop("It answered 410 Gone.")


def deliver(delivery: Delivery, now: datetime) -> None:
    """Make one attempt that is due, and note how it went. The caller holds the row's lock."""
    endpoint = delivery.endpoint
    if delivery.state != State.PENDING or delivery.due_at > now:
        return
    if not endpoint.is_enabled:
        _finish(delivery, State.FAILED, now)
        return
    if not endpoint.tenant.may_sign_in:
        _put_off(delivery, now + PAUSE)
        return
    if until := rests_until(endpoint, now):
        if delivery.created_at <= now - DAY:
            _finish(delivery, State.FAILED, now)
        else:
            _put_off(delivery, until)
        return
    answer = post(endpoint.url, delivery.message.body.encode(), headers(delivery, now))
    if answer.milliseconds >= SLOW_MILLISECONDS:
        rest(endpoint, now)
    delivery.attempts += 1
    delivery.log = [*delivery.log, _noted(answer, now)]
    if answer.is_success:
        _finish(delivery, State.DELIVERED, now)
    elif answer.is_gone:
        disable(endpoint, GONE)
        _finish(delivery, State.FAILED, now)
    elif delivery.attempts >= len(ATTEMPTS_AT):
        _finish(delivery, State.FAILED, now)
    else:
        gap = ATTEMPTS_AT[delivery.attempts] - ATTEMPTS_AT[delivery.attempts - 1]
        _put_off(delivery, now + timedelta(seconds=gap))


def headers(delivery: Delivery, now: datetime) -> dict[str, str]:
    """Return what Standard Webhooks sends beside the body; in a rotation, a signature by each secret."""
    endpoint, message = delivery.endpoint, delivery.message
    message_id, timestamp = f"msg_{message.uid}", int(now.timestamp())
    stored = [endpoint.signing_secret]
    if endpoint.former_secret and endpoint.former_until and endpoint.former_until > now:
        stored.append(endpoint.former_secret)
    return {
        "Content-Type": "application/json",
        "User-Agent": "Mailhost-Webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(decrypt(one), message_id, timestamp, message.body) for one in stored),
    }


def disable(endpoint: Endpoint, reason: str) -> None:
    switch_off(system_actor(endpoint.tenant, "the deliveries of webhooks"), endpoint=endpoint, reason=reason)
    endpoint.refresh_from_db()


def _put_off(delivery: Delivery, until: datetime) -> None:
    delivery.due_at = until
    delivery.save(update_fields=["attempts", "log", "due_at"])


def _noted(answer: Answer, now: datetime) -> dict[str, str | int]:
    at = now.isoformat().replace("+00:00", "Z")
    return {"at": at, "status": answer.status, "ms": answer.milliseconds, "detail": answer.detail}


def _finish(delivery: Delivery, state: str, now: datetime) -> None:
    delivery.state, delivery.finished_at = state, now
    delivery.save(update_fields=["state", "finished_at", "attempts", "log"])
