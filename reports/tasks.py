"""Background work on reports: safe to run twice."""

import structlog
from django.conf import settings
from django.utils import timezone

from domains.models import Domain
from mailhost.scope import every_tenant
from reports import operations
from reports.mailbox import Unreachable

log = structlog.get_logger(__name__)


def read_mailbox() -> None:
    """Take in new reports, where the installation has a mailbox for them."""
    if not settings.MAILHOST_REPORTS_LOGIN:
        return
    with every_tenant("reports of all domains come to one mailbox"):
        try:
            went = operations.read_mailbox(timezone.now())
        except Unreachable as unreachable:
            log.warning("reports_mailbox_unreachable", reason=str(unreachable))
            return
    if any(went.values()):
        log.info("reports_read", **went)


def name_sources(domain_id: int) -> None:
    """Look up the names of addresses that send in a domain's name."""
    with every_tenant("a task knows a domain by its id alone"):
        domain = Domain.objects.live().filter(pk=domain_id).first()
        if domain is not None:
            operations.name_sources(domain, timezone.now())


def forget_old() -> None:
    with every_tenant("old reports of all domains"):
        operations.forget_old(timezone.now())
