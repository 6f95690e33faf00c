"""Links that make one profile with one fresh app password in it."""

from django.db import models

from mailboxes.models import Mailbox
from mailhost.scope import TenantOwned


class ProfileLink(TenantOwned):
    """A link that its receiver may use once, soon. The database keeps a digest of what stands in it."""

    tenant_path = "mailbox__domain__tenant__path"
    domain_path = "mailbox__domain"
    secret = frozenset({"digest"})

    mailbox = models.ForeignKey(Mailbox, models.CASCADE, related_name="profile_links")
    digest = models.CharField(max_length=64, unique=True, db_collation="ascii_bin")
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "client_profile_links"

    def __str__(self) -> str:
        return f"profile of {self.mailbox}"
