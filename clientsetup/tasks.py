"""What happens by the clock."""

from django.utils import timezone

from clientsetup import operations
from mailhost.scope import every_tenant


def forget_old_links() -> int:
    """Delete links whose time is over. Returns how many."""
    with every_tenant("links of every mailbox whose hour is over"):
        return operations.forget_old_links(timezone.now())
