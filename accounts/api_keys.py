"""Sign-in to the API: `Authorization: Bearer mh_live_…`."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from accounts import keys
from accounts.actors import actor_of_key
from accounts.key_rules import is_from
from accounts.models import ApiKey
from mailhost.actor import Actor
from mailhost.errors import Suspended
from mailhost.scope import every_tenant
from tenants.rates import RatesAlong
from tenants.suspension import notice

# The last use is shown, so it is kept; a write for each request would cost more than it tells.
LAST_USE_STEP = timedelta(minutes=1)
# Compared with when there is no such key, so that an unknown prefix takes as long as a wrong secret.
NO_DIGEST = keys.digest("")

RATES = RatesAlong(Coalesce("bound_to__path", "tenant__path"), rate="api_requests_per_minute")


class ApiKeyAuthentication(BaseAuthentication):
    """Makes a key an actor. Malformed, unknown, revoked, expired, from a foreign network, and of a deleted tenant:
    one answer, 401. Only who has a key that would open hears that its tenant is suspended, and why: 403."""

    def authenticate(self, request) -> tuple[Actor, ApiKey] | None:
        """Return (actor, key), None without the header. Raises AuthenticationFailed, Suspended."""
        header = get_authorization_header(request)
        if not header:
            return None
        key = find_key(header)
        now, address = timezone.now(), request.META.get("REMOTE_ADDR", "")
        if key is None or not is_open(key, address, now):
            raise AuthenticationFailed
        for tenant in (key.tenant, key.root):
            if not tenant.may_sign_in:
                raise Suspended(notice(tenant))
        note_use(key, address, now)
        return actor_of_key(key, address=address), key

    def authenticate_header(self, request) -> str:
        return 'Bearer realm="mailhost"'


def find_key(header: bytes) -> ApiKey | None:
    """Return the key with this secret, its tenants beside it: one query by an indexed column."""
    scheme, _, text = header.partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    read = keys.read(text.strip().decode("ascii", errors="replace"))
    if read is None:
        return None
    prefix, secret = read
    with every_tenant("a key is found before its tenant is known"):
        rows = ApiKey.objects.select_related("tenant", "bound_to", "made_by").annotate(rates=RATES)
        key = rows.filter(prefix=prefix).first()
    return key if keys.matches(secret, key.digest if key else NO_DIGEST) else None


def is_open(key: ApiKey, address: str, now: datetime) -> bool:
    """Whether the key opens the API now, to a request from this address, unless its tenant is suspended."""
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        return False
    tenants_are_there = all(one.deleted_at is None for one in (key.tenant, key.root))
    # A customer may have moved to another reseller since.
    is_in_place = key.root.path.startswith(key.tenant.path)
    if key.made_by is not None:
        is_in_place = is_in_place and key.tenant.path.startswith(key.made_by.path)
    return tenants_are_there and is_in_place and is_from(address, key.networks)


def note_use(key: ApiKey, address: str, now: datetime) -> None:
    """Write when and from where the key was used, at most once a minute, whichever process is first."""
    if key.last_used_at is not None and now - key.last_used_at < LAST_USE_STEP:
        return
    with every_tenant("a key notes its own use"):
        older = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USE_STEP)
        ApiKey.objects.filter(older, pk=key.pk).update(last_used_at=now, last_used_address=address)
