"""Background work for the installation itself."""

import structlog
from django.utils import timezone

from dns import host_operations
from health.host_keys import digests_of_keys

log = structlog.get_logger(__name__)


def look_at_own_host() -> None:
    """See whether the mail host's own records are as other servers want them."""
    if host_operations.look_at_own_host(timezone.now(), digests_of_keys()) is None:
        log.info("host_not_looked_at", reason="DNS did not tell")
