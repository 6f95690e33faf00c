"""Every change of a webhook endpoint."""

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.scope import every_tenant
from tenants.locks import share_tenants
from webhooks import events, outbox
from webhooks.models import Delivery, Endpoint
from webhooks.resting import wake
from webhooks.sending import check_url
from webhooks.signing import encrypt, new_secret

MAX_DESCRIPTION = 120
# Kept in English, and said on pages in the language of who reads.
BY_HAND = gettext_noop("It was switched off.")
MAX_OF_TENANT = 50
# As long as the former secret signs beside the new one.
ROTATION = timedelta(hours=24)


@operation("webhooks.create")
def create_endpoint(
    actor: Actor, *, url: str, types: Sequence[str] = (), description: str = ""
) -> tuple[Endpoint, str]:
    """Return a new endpoint of the actor's tenant and its signing secret, shown once. Without types it is told
    everything that happens to the tenant and those below it.

    Raises Refused: invalid_url, invalid_types, invalid_description, too_many.
    """
    share_tenants([actor.tenant_id])
    if Endpoint.objects.filter(tenant_id=actor.tenant_id).count() >= MAX_OF_TENANT:
        raise Refused(
            "too_many",
            "",
            _("There are %(max_of_tenant)s endpoints. Delete those that nobody needs.")
            % {"max_of_tenant": MAX_OF_TENANT},
        )
    secret = new_secret()
    endpoint = Endpoint.objects.create(
        tenant_id=actor.tenant_id,
        url=check_url(url),
        types=check_types(types),
        description=check_description(description),
        signing_secret=encrypt(secret),
    )
    return endpoint, secret


@operation("webhooks.update")
def update_endpoint(
    actor: Actor,
    *,
    endpoint: Endpoint,
    url: str | None = None,
    types: Sequence[str] | None = None,
    description: str | None = None,
    enabled: bool | None = None,
) -> Endpoint:
    """Change what is given and leave the rest.

    Raises Refused: not_found, invalid_url, invalid_types, invalid_description.
    """
    row = lock_endpoint(actor, endpoint)
    if url is not None:
        row.url = check_url(url)
    if types is not None:
        row.types = check_types(types)
    if description is not None:
        row.description = check_description(description)
    if enabled is not None:
        row.is_enabled, row.disabled_reason = enabled, "" if enabled else BY_HAND
    row.save()
    wake(row)
    return row


@operation("webhooks.update")
def switch_off(actor: Actor, *, endpoint: Endpoint, reason: str) -> Endpoint:
    """Tell an endpoint nothing more, because of what it answered. Raises Refused: not_found."""
    row = lock_endpoint(actor, endpoint)
    row.is_enabled, row.disabled_reason = False, reason
    row.save(update_fields=["is_enabled", "disabled_reason", "updated_at"])
    return row


@operation("webhooks.rotate_secret")
def rotate_secret(actor: Actor, *, endpoint: Endpoint) -> tuple[Endpoint, str]:
    """Return the endpoint and its new secret; the former one signs beside it for a day. Raises Refused: not_found."""
    row = lock_endpoint(actor, endpoint)
    secret = new_secret()
    row.former_secret, row.former_until = row.signing_secret, timezone.now() + ROTATION
    row.signing_secret = encrypt(secret)
    row.save()
    return row, secret


@operation("webhooks.delete")
def delete_endpoint(actor: Actor, *, endpoint: Endpoint) -> None:
    """Tell an endpoint nothing more, and forget what it was told. Raises Refused: not_found."""
    lock_endpoint(actor, endpoint).delete()


@operation("webhooks.test")
def send_test(actor: Actor, *, endpoint: Endpoint) -> Delivery:
    """Send an endpoint a message of the type webhook.test. Raises Refused: not_found, disabled."""
    row = lock_endpoint(actor, endpoint)
    _refuse_disabled(row)
    wake(row)
    now = timezone.now()
    return outbox.send([outbox.test_message(row, events.TEST, now)], [row], now)[0]


@operation("webhooks.redeliver")
def redeliver(actor: Actor, *, delivery: Delivery) -> Delivery:
    """Send a message again, under the same id, as a delivery of its own. Raises Refused: not_found, disabled."""
    row = lock_endpoint(actor, delivery.endpoint)
    _refuse_disabled(row)
    wake(row)
    return outbox.send([delivery.message], [row], timezone.now())[0]


def check_types(types: Sequence[str]) -> list[str]:
    """Return the types, each once. Raises Refused("invalid_types")."""
    unknown = sorted(set(types) - set(events.TYPES))
    if unknown:
        raise Refused("invalid_types", "types", _("There is no event %(unknown)s.") % {"unknown": unknown[0]})
    return sorted(set(types))


def check_description(description: str) -> str:
    if len(description) > MAX_DESCRIPTION or not description.isprintable():
        raise Refused(
            "invalid_description",
            "description",
            _("Use at most %(max_description)s printable characters.") % {"max_description": MAX_DESCRIPTION},
        )
    return description


def lock_endpoint(actor: Actor, endpoint: Endpoint) -> Endpoint:
    """Return the endpoint, fresh, in scope and locked. Raises Refused("not_found")."""
    share_tenants({actor.tenant_id, endpoint.tenant_id})
    row = None
    if Endpoint.objects.filter(pk=endpoint.pk).exists():
        with every_tenant("the actor's scope has just shown it, and would lock its tenant's row too"):
            row = Endpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
    if row is None:
        raise Refused("not_found", "", _("This endpoint does not exist."))
    return row


def _refuse_disabled(endpoint: Endpoint) -> None:
    if not endpoint.is_enabled:
        raise Refused("disabled", "", _("This endpoint is switched off. Switch it on first."))
