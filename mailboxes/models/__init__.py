"""The tables of this app, in rooms by what they are about; everything else imports them from here."""

from mailboxes.models.aliases import Alias, KeptAlias, Route
from mailboxes.models.imports import Import
from mailboxes.models.mailboxes import FormerAddress, Mailbox, homes
from mailboxes.models.use import AppPassword, LastLogin, QuotaUsage, SignIn

__all__ = [
    "Alias",
    "AppPassword",
    "FormerAddress",
    "Import",
    "KeptAlias",
    "LastLogin",
    "Mailbox",
    "QuotaUsage",
    "Route",
    "SignIn",
    "homes",
]
