"""Every change of a brand's host name: named and proven by its tenant, held to its proof for as long as it is used."""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.mail import send_later
from mailhost.operation import operation
from mailhost.scope import every_tenant
from mailhost.waiting import waiting
from tenants.brand_hosts import HostProof, look_for_host, normalise_host, refuse_without_proof
from tenants.brand_operations import own_brand, own_tenant, saved
from tenants.brands import pointing
from tenants.models import Brand, Member, Role, Tenant
from tenants.permissions import SYSTEM

LABEL = "proof of host names"
CHECKED_EVERY = timedelta(days=1)
# One look may take DNS seconds; the others are due at the next run.
MOST_AT_ONCE = 100


def grace() -> timedelta:
    """Return how long a host name is used without its proof."""
    return timedelta(days=settings.MAILHOST_PROOF_GRACE_DAYS)


@operation("brands.update")
def set_brand_host(actor: Actor, *, host_name: str) -> Brand:
    """Name the host at which people of this brand sign in, or none (""). It is used once `verify_brand_host` has seen
    it in DNS. Raises Refused: no_brand, invalid_host, own_host."""
    wanted = normalise_host(host_name) if host_name.strip() else None
    brand = own_brand(own_tenant(actor))
    if wanted != brand.host_name:
        brand.host_name, brand.host_verified_at, brand.host_lapsed_at = wanted, None, None
        brand.challenge = secrets.token_hex(16) if wanted else ""
    return saved(brand, ["host_name", "host_verified_at", "host_lapsed_at", "challenge"])


@operation("brands.update")
def verify_brand_host(actor: Actor) -> Brand:
    """Look in DNS whether the host name is this tenant's and leads here; from then on people may use it.

    Whoever used it before gives way where their own proof is gone.

    Raises Refused: no_brand, no_host, dns_unavailable, no_proof, leads_elsewhere, taken.
    """
    looked_at = own_brand(Tenant(pk=actor.tenant_id))
    if not looked_at.host_name:
        raise Refused("no_host", "host_name", _("Name the host first."))
    # Before the lock: DNS may take seconds.
    with waiting():
        refuse_without_proof(looked_at)
        _take_over(looked_at)
    brand = own_brand(own_tenant(actor))
    if brand.challenge != looked_at.challenge:
        raise Refused("no_host", "host_name", _("The host name was changed meanwhile. Check again."))
    brand.host_verified_at = brand.host_checked_at = timezone.now()
    brand.host_lapsed_at = None
    try:
        with transaction.atomic():
            return saved(brand, ["host_verified_at", "host_checked_at", "host_lapsed_at"])
    except IntegrityError as error:
        raise Refused("taken", "host_name", _("Another account uses this host name already.")) from error


def hosts_due(now: datetime) -> list[Brand]:
    """Return brands whose host name is in use and was not looked at for a day, or has lost its proof."""
    with every_tenant("the clock runs for every tenant alike"):
        used = Brand.objects.select_related("tenant").filter(live_host__isnull=False, tenant__deleted_at=None)
        rows = used.exclude(host_checked_at__gt=now - CHECKED_EVERY, host_lapsed_at=None)
        return list(rows.order_by("host_checked_at", "pk")[:MOST_AT_ONCE])


def follow_host(brand: Brand, *, now: datetime) -> None:
    """Look at the proof of a host name in use, and do what follows. Silence of DNS changes nothing, but it counts as a
    look: a hundred host names of which DNS tells nothing must not keep the others from theirs."""
    actor = _system(brand.tenant)
    match look_for_host(brand):
        case HostProof.STANDS if brand.host_lapsed_at is not None:
            restore_brand_host(actor, brand=brand)
        case HostProof.LACKING if brand.host_lapsed_at is None:
            lapse_brand_host(actor, brand=brand, now=now)
        case HostProof.LACKING if now - brand.host_lapsed_at >= grace():
            withdraw_brand_host(actor, brand=brand, reason="grace")
    with every_tenant("the clock runs for every tenant alike"):
        Brand.objects.filter(pk=brand.pk).update(host_checked_at=now)


@operation("brands.lapse_host")
def lapse_brand_host(actor: Actor, *, brand: Brand, now: datetime) -> Brand:
    """Note that a host name's proof is gone: links in mails leave it at once, people use it until the grace ends."""
    brand = _still(actor, brand)
    if brand.live_host and brand.host_lapsed_at is None:
        brand.host_lapsed_at = now
        brand.save(update_fields=["host_lapsed_at", "updated_at"])
        _tell(brand, "lapsed", until=now + grace())
    return brand


@operation("brands.restore_host")
def restore_brand_host(actor: Actor, *, brand: Brand) -> Brand:
    """Note that the proof is back."""
    brand = _still(actor, brand)
    if brand.live_host and brand.host_lapsed_at is not None:
        brand.host_lapsed_at = None
        brand.save(update_fields=["host_lapsed_at", "updated_at"])
        _tell(brand, "restored")
    return brand


@operation("brands.withdraw_host")
def withdraw_brand_host(actor: Actor, *, brand: Brand, reason: str) -> Brand:
    """Stop using a host name: nobody signs in there any more, and somebody else may prove it. Its tenant may, too."""
    brand = _still(actor, brand)
    if brand.live_host:
        brand.host_verified_at = brand.host_lapsed_at = None
        saved(brand, ["host_verified_at", "host_lapsed_at"])
        _tell(brand, reason)
    return brand


def _take_over(proven: Brand) -> None:
    """Have another tenant that uses the host name give way, if its proof is gone: whoever has shown proof of it now
    speaks for the name. While both have proof, the first keeps it."""
    with every_tenant("another tenant may use the host name that was proven"):
        holder = Brand.objects.select_related("tenant").filter(live_host=proven.host_name).exclude(pk=proven.pk).first()
    if holder is not None and (holder.host_lapsed_at is not None or look_for_host(holder) is HostProof.LACKING):
        withdraw_brand_host(_system(holder.tenant), brand=holder, reason="taken")


def _system(tenant: Tenant) -> Actor:
    return Actor(tenant_id=tenant.pk, tenant_path=tenant.path, permissions=SYSTEM, role="system", label=LABEL)


def _still(actor: Actor, brand: Brand) -> Brand:
    """Return the brand, fresh, its tenant locked, as long as it names the same host. Raises Refused: changed."""
    row = own_brand(own_tenant(actor))
    if row.challenge != brand.challenge:
        raise Refused("changed", "host_name", _("The host name was changed meanwhile. Check again."))
    return row


def _tell(brand: Brand, event: str, **more: datetime) -> None:
    """Mail what became of a host name to those who answer for the tenant."""
    leaders = Member.objects.filter(tenant=brand.tenant_id, role__in=(Role.OWNER, Role.ADMIN), user__is_active=True)
    told = {"brand": brand, "event": event, "wanted": pointing(brand), **more}
    for email, language in sorted(leaders.values_list("user__email", "user__language")):
        send_later("tenants/mail/brand_host.txt", email, told, language=language)
