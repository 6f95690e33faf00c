"""Django's admin, for operators alone: it looks at rows, and changes none.

Changes go through operations, which know the rules and write the record; so every row is shown for reading only.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path

from accounts.models import ApiKey, Impersonation, User
from accounts.web.sign_in import sign_out
from mailhost.models import Job
from tenants.models import Kind, Member, Role, Tenant

LEADERS = {Role.OWNER, Role.ADMIN}


class OperatorSite(admin.AdminSite):
    """Behind the panel's own sign-in, with its second factor and its limits."""

    site_header = site_title = "Mailhost"
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        actor = getattr(request, "actor", None)
        return (
            actor is not None
            and actor.tenant_kind == Kind.OPERATOR
            and actor.role in LEADERS
            and actor.impersonator_id is None
        )

    def admin_view(self, view: Callable, cacheable: bool = False) -> Callable:
        """Refuse whoever is signed in and no operator; nobody at all is led to the panel's sign-in before."""
        shown = super().admin_view(view, cacheable)

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_permission(request):
                raise PermissionDenied("The admin is the operator's alone.")
            return shown(request, *args, **kwargs)

        return guarded

    def get_urls(self) -> list:
        """Lists and rows, and nothing that changes any: no sign-in, no form of its own."""
        urls = [
            path("", self.admin_view(self.index), name="index"),
            path("logout/", sign_out, name="logout"),
            path("password/", self.admin_view(to_password), name="password_change"),
            path("jsi18n/", self.admin_view(self.i18n_javascript, cacheable=True), name="jsi18n"),
            path("<slug:app_label>/", self.admin_view(self.app_index), name="app_list"),
        ]
        for model, rows in self._registry.items():
            place, name = f"{model._meta.app_label}/{model._meta.model_name}", model._meta.model_name
            prefix = f"{model._meta.app_label}_{name}"
            urls += [
                path(f"{place}/", self.admin_view(rows.changelist_view), name=f"{prefix}_changelist"),
                path(f"{place}/<int:object_id>/", self.admin_view(self._of_number(rows)), name=f"{prefix}_change"),
            ]
        return urls

    def _of_number(self, rows: admin.ModelAdmin) -> Callable:
        def shown(request: HttpRequest, object_id: int) -> HttpResponse:
            return rows.change_view(request, str(object_id))

        return shown


class ReadOnly(admin.ModelAdmin):
    """Shows rows to whoever may see the site."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return site.has_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return site.has_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class People(ReadOnly):
    list_display = ("email", "name", "is_active", "last_login", "created_at")
    search_fields = ("email", "name")
    exclude = ("password",)


class Sessions(ReadOnly):
    list_display = ("user", "ip", "created_at", "last_seen_at")
    list_select_related = ("user",)
    exclude = ("session_key", "data")


class Tenants(ReadOnly):
    list_display = ("name", "kind", "path", "may_sign_in", "may_send", "may_receive", "deleted_at")
    list_filter = ("kind",)
    search_fields = ("name",)


class Members(ReadOnly):
    list_display = ("user", "tenant", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "tenant")


class Impersonations(ReadOnly):
    list_display = ("impersonator", "user", "tenant", "reason", "started_at", "ends_at", "ended_at")
    list_select_related = ("impersonator", "user", "tenant")


class Keys(ReadOnly):
    list_display = ("name", "tenant", "prefix", "last_used_at", "revoked_at")
    list_select_related = ("tenant",)
    exclude = ("digest",)


class Jobs(ReadOnly):
    list_display = ("task", "queue", "attempts", "due_at", "finished_at", "discarded_by", "error")
    list_filter = ("queue", "task")
    # What a mail says is not for this list.
    exclude = ("arguments",)


def to_password(request: HttpRequest, **_of_site: Any) -> HttpResponse:
    return redirect("account_change_password")


site = OperatorSite()
for model, rows in (
    (User, People),
    (UserSession, Sessions),
    (Tenant, Tenants),
    (Member, Members),
    (Impersonation, Impersonations),
    (ApiKey, Keys),
    (Job, Jobs),
):
    site.register(model, rows)
