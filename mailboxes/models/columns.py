"""Columns that mailboxes and aliases have in common."""

from django.db import models

# What would make one value two for a daemon, or a command, or a file name.
UNSAFE = r"[[:cntrl:][:space:]|,/:]"


class OwnerField(models.ForeignKey):
    """The tenant of the row's domain, so that what a tenant has is one range of an index. Written with the row; a
    foreign key on (domain, tenant) holds the two together."""

    def pre_save(self, instance, add):
        setattr(instance, self.attname, instance.domain.tenant_id)
        return super().pre_save(instance, add)

    def deconstruct(self):
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.ForeignKey", arguments, options
