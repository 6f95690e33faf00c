"""What limits, features and kinds of tenants are called on pages."""

from django.utils.translation import gettext_lazy as _

from tenants.limits import SUB_RESELLERS

LIMIT_LABELS = {
    "domains": _("Domains"),
    "mailboxes": _("Mailboxes"),
    "aliases": _("Aliases"),
    "storage_mb": _("Storage"),
    "members": _("Members"),
    "sub_tenants": _("Accounts below"),
    "messages_per_hour": _("Messages an hour"),
    "messages_per_day": _("Messages a day"),
    "api_requests_per_minute": _("API requests a minute"),
}
FEATURE_LABELS = {SUB_RESELLERS: _("Resellers of its own below it")}
KIND_LABELS = {"operator": _("Operator"), "reseller": _("Reseller"), "customer": _("Customer")}
