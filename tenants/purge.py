"""The end of a deleted tenant: its mail, its rows and its people's accounts go; the audit trail stays.

Every model that belongs to tenants is asked, so one that is new is not forgotten. What has no tenant column (mail
folders, Dovecot's figures, people) is removed by those who keep it. Each step may be repeated.
"""

from collections.abc import Iterable

from django.apps import apps
from django.db import transaction
from django.db.models import Model
from django.utils.module_loading import import_string

from mailhost.scope import TenantOwned, every_tenant, subtree
from tenants.models import Allowance, Member, Tenant

# By name, because these stand above this app. Before the rows are gone: (path of the tenant).
REMOVE_MAIL = "mailboxes.purge.remove_mail"
# After: (ids of people who were members).
REMOVE_PEOPLE = "accounts.purge.remove_people"
WANT_TABLES = "dns.operations.want_tables"


def finish(tenant: Tenant) -> None:
    """Remove everything of a purged tenant and of everybody below it. Raises what a step raises: it is tried again."""
    with every_tenant("a purge finds what is hidden from everybody"):
        below = Tenant.objects.filter(subtree("path", tenant.path))
        if below.filter(purged_at=None).exists():
            raise RuntimeError(f"{tenant.path} is not to be purged")
        import_string(REMOVE_MAIL)(tenant.path)
        with transaction.atomic():
            people = list(Member.objects.filter(subtree("tenant__path", tenant.path)).values_list("user_id", flat=True))
            for model in deletion_order():
                _remove_rows(model, tenant.path)
            import_string(REMOVE_PEOPLE)(people)
            below.update(plan_version=None, suspension_note="")
            # Last: as long as it stands the purge is not finished.
            Allowance.objects.filter(subtree("path", tenant.path)).delete()
            import_string(WANT_TABLES)()


def deletion_order() -> list[type[TenantOwned]]:
    """Return the models whose rows go with their tenant, each before those that its rows point at."""
    waiting = [model for model in apps.get_models() if issubclass(model, TenantOwned) and not model.outlives_tenant]
    ordered: list[type[TenantOwned]] = []
    while waiting:
        pointed_at = {target for model in waiting for target in _targets(model) if target is not model}
        free = [model for model in waiting if model not in pointed_at]
        if not free:
            raise RuntimeError(f"rows of these models point at each other: {waiting}")
        ordered += free
        waiting = [model for model in waiting if model in pointed_at]
    return ordered


def _targets(model: type[Model]) -> Iterable[type[Model]]:
    return [field.related_model for field in model._meta.concrete_fields if field.is_relation]


def _remove_rows(model: type[TenantOwned], path: str) -> None:
    rows = model._base_manager.filter(subtree(model.tenant_path, path))
    for field in model._meta.concrete_fields:
        if field.is_relation and field.related_model is model:
            # The database checks row by row, and would keep the one for the other's sake.
            rows.update(**{field.name: None})
    rows.delete()
