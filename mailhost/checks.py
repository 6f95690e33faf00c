"""What is looked at before anything starts (`manage.py check`)."""

import os
from ipaddress import ip_address
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.checks import Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from mailhost import failpoints
from mailhost.recorded import Recorded, looks_secret
from mailhost.scope import TenantOwned
from mailhost.vault import from_setting

# Rows of the installation, not of a tenant: people, sessions, background work, and what daemons write by address.
NOT_TENANT_OWNED = {
    "accounts.User",
    "billing.ClosedDay",
    "api.IdempotencyKey",
    "dns.HostRecord",
    "dns.HostState",
    "dns.PublishingIntent",
    "dns.Signer",
    "dns.SigningChange",
    "dns.SigningGeneration",
    "dns.ZoneHold",
    "mailhost.Job",
    "mailboxes.FormerAddress",
    "mailboxes.LastLogin",
    "mailboxes.QuotaUsage",
    "mailboxes.Route",
    "reports.SetAside",
}
# A selector, an id and two dots go before it.
LONGEST_DKIM_ZONE = 253 - 25
OURS = {
    "mailhost",
    "api",
    "tenants",
    "audit",
    "accounts",
    "domains",
    "mailboxes",
    "dns",
    "selfservice",
    "clientsetup",
    "reports",
    "webhooks",
    "billing",
    "longwork",
}


@register()
def every_model_states_its_tenant(app_configs, **_kwargs):
    """A model of ours is TenantOwned or stands on the short list of those that are not."""
    for model in apps.get_models():
        if model._meta.app_label not in OURS or model._meta.label in NOT_TENANT_OWNED:
            continue
        if not issubclass(model, TenantOwned) or not hasattr(model, "tenant_path"):
            yield Error(f"{model._meta.label} does not say whose its rows are.", obj=model, id="mailhost.E001")


@register()
def every_secret_column_is_named(app_configs, **_kwargs):
    """A column that bears a secret's name is masked in the audit record, or says that it holds none."""
    for model in apps.get_models():
        if model._meta.app_label in OURS and issubclass(model, Recorded):
            for field in model._meta.concrete_fields:
                if looks_secret(field.name) and field.name not in model.secret | model.unrecorded:
                    yield Error(f"{model._meta.label} does not name {field.name} in `secret`.", id="mailhost.E003")


@register()
def masked_columns_exist(app_configs, **_kwargs):
    """What `secret` and `unrecorded` name are columns: a misspelt name masks nothing."""
    for model in apps.get_models():
        if model._meta.app_label in OURS and issubclass(model, Recorded):
            columns = {field.name for field in model._meta.get_fields()}
            for name in sorted((model.secret | model.unrecorded) - columns):
                yield Error(f"{model._meta.label} has no column {name}.", obj=model, id="mailhost.E004")


@register()
def our_dns_app_is_ours(app_configs, **_kwargs):
    """dnspython has a package `dns` too; the app must be the project's own folder."""
    if Path(apps.get_app_config("dns").path) != Path(settings.BASE_DIR) / "dns":
        yield Error("The app dns is not the project's own folder.", id="mailhost.E002")


@register()
def a_zone_for_keys_can_be_written(app_configs, **_kwargs):
    """MAILHOST_DKIM_ZONE without what opens it would leave every new domain waiting for its first key."""
    if settings.MAILHOST_DKIM_NEW_DOMAINS not in {"cname", "txt"}:
        yield Error("MAILHOST_DKIM_NEW_DOMAINS must be cname or txt.", id="mailhost.E006")
    if not settings.MAILHOST_DKIM_ZONE:
        return
    if len(settings.MAILHOST_DKIM_ZONE) > LONGEST_DKIM_ZONE:
        yield Error("MAILHOST_DKIM_ZONE is too long: names of keys are made below it.", id="mailhost.E006")
    for name in ("MAILHOST_DKIM_ZONE_SERVER", "MAILHOST_DKIM_ZONE_KEY_NAME", "MAILHOST_DKIM_ZONE_KEY_SECRET"):
        if not getattr(settings, name):
            yield Error(f"{name} is empty, and MAILHOST_DKIM_ZONE needs it.", id="mailhost.E006")


@register()
def addresses_are_addresses(app_configs, **_kwargs):
    """MAILHOST_ADDRESSES become records of the host's, so each must be one."""
    for text in settings.MAILHOST_ADDRESSES:
        try:
            ip_address(text.strip())
        except ValueError:
            yield Error(f"MAILHOST_ADDRESSES: {text!r} is no IP address.", id="mailhost.E005")


@register(Tags.security, deploy=True)
def what_is_sealed_can_be_sealed(app_configs, **_kwargs):
    """Without these keys no domain gets a signing key, no table is imported, and no long work begins."""
    for name in ("MAILHOST_DKIM_KEYS", "MAILHOST_VAULT_KEYS"):
        try:
            from_setting(name).seal("")
        except ImproperlyConfigured as error:
            yield Error(str(error), id="mailhost.E007")


@register(Tags.security, deploy=True)
def nobody_stops_processes(app_configs, **_kwargs):
    """The places at which tests stop a process must not exist in production."""
    if failpoints.VARIABLE in os.environ:
        yield Error(f"{failpoints.VARIABLE} is set: it is for tests alone.", id="mailhost.E005")
