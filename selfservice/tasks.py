"""What happens by the clock."""

from datetime import timedelta

from django.utils import timezone

from mailhost.scope import every_tenant
from selfservice.models import MailboxSession

KEPT = timedelta(days=90)


def forget_old_sessions() -> int:
    """Delete sign-ins that are no longer shown. Returns how many."""
    with every_tenant("old sign-ins of every mailbox"):
        return MailboxSession.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
