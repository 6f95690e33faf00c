"""What happens to tenants by the clock, and after a purge has begun."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.scope import every_tenant
from tenants import host_operations, messages, purge, usage
from tenants.deletion_operations import purge_tenant
from tenants.models import Tenant
from tenants.permissions import SYSTEM

log = structlog.get_logger(__name__)

LABEL = "the purge of deleted accounts"


def purge_deleted() -> None:
    """Begin the purge of every tenant whose grace period is over."""
    over = timezone.now() - timedelta(days=settings.MAILHOST_GRACE_DAYS)
    with every_tenant("the clock runs for every tenant alike"):
        roots = Tenant.objects.filter(deleted_with_id=F("pk"), deleted_at__lte=over, purged_at=None)
        due = list(roots.select_related("parent").order_by("pk"))
    for tenant in due:
        above = tenant.parent
        actor = Actor(tenant_id=above.pk, tenant_path=above.path, permissions=SYSTEM, role="system", label=LABEL)
        purge_tenant(actor, tenant=tenant)


def check_brand_hosts() -> None:
    """Hold host names that are in use to their proof: each is looked at once a day."""
    now = timezone.now()
    for brand in host_operations.hosts_due(now):
        try:
            host_operations.follow_host(brand, now=now)
        except Refused as refused:
            # Changed, or gone, meanwhile.
            log.info("brand_host_not_followed", brand=brand.pk, code=refused.code)


def finish_purge(tenant_id: int) -> None:
    """Remove what is left of a tenant whose purge has begun."""
    with every_tenant("a task finds its tenant by id"):
        tenant = Tenant.objects.get(pk=tenant_id)
    purge.finish(tenant)


def store_sent_messages() -> None:
    """Bring what was sent from Redis, where it is counted, to the tables."""
    messages.store(timezone.now())


def count_usage() -> None:
    """Bring what Dovecot counted to the tenants' pages, and mend what does not agree with the tables."""
    usage.count_stored()
    usage.recount()
