"""The tenancy rule: a tenant-owned row can be read only inside a scope, and the scope adds the filter.

A door enters its tenant with `tenant_scope`; work for the whole installation says why with `every_tenant`.
A query that nobody scoped raises `NoScope`. Raw SQL and cursors are not filtered: whoever writes them adds the
condition (`tenants.effective.subtree`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from django.db import models

from mailhost.recorded import Recorded


class NoScope(RuntimeError):
    """A tenant-owned table was asked without saying for whom."""


@dataclass(frozen=True)
class Scope:
    """A subtree of tenants: `path` of its root ("/1/5/"), or "" for every tenant, with the reason. With `domains`,
    what lies in these alone."""

    path: str
    reason: str = ""
    domains: frozenset[int] | None = None


_current: ContextVar[Scope | None] = ContextVar("mailhost_scope", default=None)


@contextmanager
def _enter(scope: Scope) -> Iterator[None]:
    token = _current.set(scope)
    try:
        yield
    finally:
        _current.reset(token)


def tenant_scope(path: str, domains: frozenset[int] | None = None):
    """Enter the subtree whose root has this path, or of it what lies in these domains.

    Raises ValueError when it is not a tenant's path.
    """
    if len(path) < 3 or not (path.startswith("/") and path.endswith("/")):
        raise ValueError(f"not the path of a tenant: {path!r}")
    return _enter(Scope(path, domains=domains))


def every_tenant(reason: str):
    """Enter all tenants at once. `reason` says in words why this work may."""
    if not reason:
        raise ValueError("every_tenant needs a reason")
    return _enter(Scope("", reason))


def set_scope(path: str | None, domains: frozenset[int] | None = None):
    """Set the scope of this context until `reset_scope`; for a middleware, which has no `with` of its own."""
    return _current.set(Scope(path, domains=domains) if path else None)


def reset_scope(token) -> None:
    _current.reset(token)


def current_scope(asker: str = "This query") -> Scope:
    scope = _current.get()
    if scope is None:
        raise NoScope(f"{asker} is outside every tenant. Enter tenant_scope(...) or every_tenant('why').")
    return scope


def subtree(field: str, path: str) -> models.Q:
    """The rows whose tenant lies at or below `path`: one index range, because "0" follows "/" in ASCII."""
    return models.Q(**{f"{field}__gte": path, f"{field}__lt": path[:-1] + "0"})


class TenantQuerySet(models.QuerySet):
    """Querysets of tenant-owned models add their named filters to this."""


class TenantManager(models.Manager):
    """Filters by the scope; raises NoScope outside of one."""

    def get_queryset(self) -> models.QuerySet:
        scope = current_scope(f"A query on {self.model.__name__}")
        rows = super().get_queryset()
        if not scope.path:
            return rows
        rows = rows.filter(subtree(self.model.tenant_path, scope.path))
        if scope.domains is not None and self.model.domain_path:
            rows = rows.filter(**{f"{self.model.domain_path}__in": scope.domains})
        return rows if self.model.outlives_tenant else rows.filter(**{self.model.deletion_field(): None})

    @classmethod
    def with_methods_of(cls, queryset: type[models.QuerySet]) -> Self:
        return cls.from_queryset(queryset)()


class TenantOwned(Recorded):
    """A row that belongs to a tenant. `tenant_path` is the lookup that leads to the tenant's path, `domain_path` the
    one that leads to the domain it lies in, if any.

    What a deleted tenant owns does not exist for anybody until that is restored; `outlives_tenant` says that it does.
    """

    tenant_path: ClassVar[str]
    domain_path: ClassVar[str] = ""
    outlives_tenant: ClassVar[bool] = False
    objects: Any = TenantManager()

    class Meta:
        abstract = True

    @classmethod
    def deletion_field(cls) -> str:
        """Return the lookup that leads to when the tenant was deleted."""
        return cls.tenant_path.removesuffix("path") + "deleted_at"
