"""Where mailbox users are signed in to their own site; ended sessions stay a while as the list of sign-ins."""

from django.db import models

from mailboxes.models import Mailbox
from mailhost.fields import UidField
from mailhost.scope import TenantOwned


class MailboxSession(TenantOwned):
    """A sign-in of a mailbox user. No row of `django_session` and no person stands behind it, so it opens nothing
    of the panel. `mark` follows from the password's hash: whoever changes the password ends the session."""

    tenant_path = "mailbox__domain__tenant__path"
    secret = frozenset({"digest", "mark"})

    uid = UidField()
    mailbox = models.ForeignKey(Mailbox, models.CASCADE, related_name="site_sessions")
    digest = models.CharField(max_length=64, unique=True, db_collation="ascii_bin")
    mark = models.CharField(max_length=64, db_collation="ascii_bin")
    address = models.CharField(max_length=45)
    user_agent = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["mailbox", "created_at"], name="session_of_mailbox")]

    def __str__(self) -> str:
        return f"{self.mailbox} from {self.address}"
