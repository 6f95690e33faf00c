"""Mailboxes and aliases over REST."""

from datetime import datetime
from typing import Literal

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailboxes.addresses import display_address
from mailboxes.alias_groups import AliasGroup, group_with, groups_of, sources
from mailboxes.alias_operations import create_alias, delete_alias, set_alias_enabled
from mailboxes.expansion import MAX_TARGETS
from mailboxes.models import Mailbox
from mailboxes.operations import (
    change_password,
    create_mailbox,
    delete_mailbox,
    restore_mailbox,
    resume_mailbox,
    suspend_mailbox,
    update_mailbox,
)
from mailboxes.references import (
    ALIAS_PREFIX,
    MAILBOX_PREFIX,
    find_alias,
    find_deleted_mailbox,
    find_mailbox,
    in_domain,
    listed_mailboxes,
)
from mailhost.api.endpoint import Endpoint, created, gone
from mailhost.api.pagination import CursorList
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, Nothing, ObjectName, PublicId, Shape, Switch, Text, Whole

MB = 1024 * 1024
# What an operation calls otherwise than the API does.
BODY_NAMES = {"address": "email", "storage_quota_mb": "storage_quota"}
DOMAIN_FILTER = OpenApiParameter("domain", str, description="Only those of this domain: `dom_…` or its name.")


class MailboxAnswer(Answer):
    """A mailbox. `status` is `suspended` by its own switch, `inactive` while its domain is unproven or switched
    off, or its tenant suspended. Sizes are in MB."""

    id = PublicId(MAILBOX_PREFIX)
    object = ObjectName("mailbox")
    email = serializers.CharField()
    email_unicode = serializers.SerializerMethodField()
    domain = serializers.CharField(source="domain.domain_name")
    display_name = serializers.CharField()
    storage_quota = serializers.IntegerField(help_text="MB")
    usage_mb = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    receives_enabled = serializers.BooleanField()
    sends_enabled = serializers.BooleanField()
    imap_enabled = serializers.BooleanField()
    pop3_enabled = serializers.BooleanField()
    managesieve_enabled = serializers.BooleanField()
    keeps_copy = serializers.BooleanField(source="own_row.is_enabled", help_text="Forwarded mail stays here too.")
    last_login_at = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_email_unicode(self, mailbox: Mailbox) -> str:
        return display_address(mailbox.email)

    def get_usage_mb(self, mailbox: Mailbox) -> float:
        return round(mailbox.used_bytes / MB, 2)

    def get_status(self, mailbox: Mailbox) -> Literal["active", "suspended", "inactive"]:
        if not mailbox.is_enabled:
            return "suspended"
        return "active" if mailbox.is_active else "inactive"

    def get_last_login_at(self, mailbox: Mailbox) -> datetime | None:
        login = getattr(mailbox, "last_login", None)
        return login.at if login else None


class NewMailbox(Shape):
    """Either `password`, or `password_hash` as another system stored it."""

    email = Text()
    password = Text(required=False, write_only=True)
    password_hash = Text(required=False, write_only=True)
    storage_quota = Whole(help_text="MB")
    display_name = Text(required=False, allow_blank=True)


class MailboxChange(Shape):
    storage_quota = Whole(required=False, help_text="MB")
    display_name = Text(required=False, allow_blank=True)
    receives_enabled = Switch(required=False)
    sends_enabled = Switch(required=False)
    imap_enabled = Switch(required=False)
    pop3_enabled = Switch(required=False)
    managesieve_enabled = Switch(required=False)
    keeps_copy = Switch(required=False)


class NewPassword(Shape):
    password = Text(write_only=True)


class Mailboxes(Endpoint):
    """The mailboxes of a tenant and of every tenant below it."""

    actions = {"GET": "mailboxes.list", "POST": create_mailbox.action}
    filters = CursorList.parameters | {"domain"}
    body_names = BODY_NAMES

    @describe("list_mailboxes", "List mailboxes", answer=MailboxAnswer, lists=True, filters=[DOMAIN_FILTER])
    def get(self, request: Request) -> Response:
        return self.page(in_domain(listed_mailboxes(), request.query_params.get("domain")), MailboxAnswer)

    @describe("create_mailbox", "Create a mailbox", body=NewMailbox, answer=MailboxAnswer, status=201, changes=True)
    def post(self, request: Request) -> Response:
        fields = self.body(NewMailbox)
        mailbox = create_mailbox(
            request.actor,
            address=fields.pop("email"),
            storage_quota_mb=fields.pop("storage_quota"),
            **fields,
        )
        return created(_shown(mailbox), "api-mailbox")


class OneMailbox(Endpoint):
    """One mailbox, by id or address."""

    actions = {"GET": "mailboxes.list", "PATCH": update_mailbox.action, "DELETE": delete_mailbox.action}
    body_names = BODY_NAMES

    @describe("get_mailbox", "Show a mailbox", answer=MailboxAnswer, names_object=True)
    def get(self, request: Request, mailbox: str) -> Response:
        return Response(MailboxAnswer(find_mailbox(mailbox)).data)

    @describe(
        "update_mailbox",
        "Change a mailbox",
        body=MailboxChange,
        answer=MailboxAnswer,
        names_object=True,
        changes=True,
    )
    def patch(self, request: Request, mailbox: str) -> Response:
        row = find_mailbox(mailbox)
        change = self.body(MailboxChange)
        if "storage_quota" in change:
            change["storage_quota_mb"] = change.pop("storage_quota")
        if change:
            row = update_mailbox(request.actor, mailbox=row, **change)
        return Response(_shown(row).data)

    @describe("delete_mailbox", "Delete a mailbox; it can be restored", status=204, names_object=True, changes=True)
    def delete(self, request: Request, mailbox: str) -> Response:
        delete_mailbox(request.actor, mailbox=find_mailbox(mailbox))
        return gone()


class MailboxPassword(Endpoint):
    """The password of a mailbox: written, never read."""

    actions = {"POST": change_password.action}

    @describe(
        "set_mailbox_password",
        "Set a mailbox's password",
        body=NewPassword,
        status=204,
        names_object=True,
        changes=True,
    )
    def post(self, request: Request, mailbox: str) -> Response:
        row = find_mailbox(mailbox)
        change_password(request.actor, mailbox=row, password=self.body(NewPassword)["password"])
        return gone()


class MailboxSuspension(Endpoint):
    actions = {"POST": suspend_mailbox.action}

    @describe("suspend_mailbox", "Suspend a mailbox", answer=MailboxAnswer, names_object=True, changes=True)
    def post(self, request: Request, mailbox: str) -> Response:
        row = find_mailbox(mailbox)
        self.body(Nothing)
        return Response(_shown(suspend_mailbox(request.actor, mailbox=row)).data)


class MailboxResumption(Endpoint):
    actions = {"POST": resume_mailbox.action}

    @describe("resume_mailbox", "Resume a suspended mailbox", answer=MailboxAnswer, names_object=True, changes=True)
    def post(self, request: Request, mailbox: str) -> Response:
        row = find_mailbox(mailbox)
        self.body(Nothing)
        return Response(_shown(resume_mailbox(request.actor, mailbox=row)).data)


class MailboxRestoration(Endpoint):
    actions = {"POST": restore_mailbox.action}

    @describe("restore_mailbox", "Restore a deleted mailbox", answer=MailboxAnswer, names_object=True, changes=True)
    def post(self, request: Request, mailbox: str) -> Response:
        row = find_deleted_mailbox(mailbox)
        self.body(Nothing)
        return Response(_shown(restore_mailbox(request.actor, mailbox=row)).data)


def _shown(mailbox: Mailbox) -> MailboxAnswer:
    """Read a changed mailbox again, with its use and last sign-in."""
    return MailboxAnswer(listed_mailboxes().get(pk=mailbox.pk))


class AliasAnswer(Answer):
    """A source and all its targets. A catch-all's source is `*@` and the domain. `status` is `inactive` while the
    domain is unproven or switched off, or the tenant suspended."""

    id = PublicId(ALIAS_PREFIX)
    object = ObjectName("alias")
    source = serializers.CharField()
    source_unicode = serializers.SerializerMethodField()
    domain = serializers.CharField(source="domain_name")
    targets = serializers.ListField(child=serializers.CharField())
    enabled = serializers.BooleanField(source="is_enabled")
    status = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_source_unicode(self, alias: AliasGroup) -> str:
        return display_address(alias.source)

    def get_status(self, alias: AliasGroup) -> Literal["active", "suspended", "inactive"]:
        if not alias.is_enabled:
            return "suspended"
        return "active" if alias.is_routed else "inactive"


class NewAlias(Shape):
    """`source` is an address or `*@domain`; `targets` are addresses, here or elsewhere."""

    source = Text()
    targets = serializers.ListField(child=Text(), allow_empty=False, max_length=MAX_TARGETS)


class AliasChange(Shape):
    enabled = Switch(required=False)


class Aliases(Endpoint):
    """The aliases of a tenant and of every tenant below it, by source. Creating one that is there adds its targets."""

    actions = {"GET": "aliases.list", "POST": create_alias.action}
    filters = CursorList.parameters | {"domain"}

    @describe("list_aliases", "List aliases", answer=AliasAnswer, lists=True, filters=[DOMAIN_FILTER])
    def get(self, request: Request) -> Response:
        pages = CursorList()
        found = pages.paginate_queryset(in_domain(sources(), request.query_params.get("domain")), request)
        return pages.get_paginated_response(AliasAnswer(groups_of(found), many=True).data)

    @describe("create_alias", "Create an alias", body=NewAlias, answer=AliasAnswer, status=201, changes=True)
    def post(self, request: Request) -> Response:
        fields = self.body(NewAlias)
        rows = create_alias(request.actor, source=fields["source"], targets=fields["targets"])
        return created(AliasAnswer(group_with(rows[0])), "api-alias")


class OneAlias(Endpoint):
    """One alias, by id or source."""

    actions = {"GET": "aliases.list", "PATCH": set_alias_enabled.action, "DELETE": delete_alias.action}

    @describe("get_alias", "Show an alias", answer=AliasAnswer, names_object=True)
    def get(self, request: Request, alias: str) -> Response:
        return Response(AliasAnswer(find_alias(alias)).data)

    @describe(
        "update_alias",
        "Switch an alias off or on, all its targets at once",
        body=AliasChange,
        answer=AliasAnswer,
        names_object=True,
        changes=True,
    )
    def patch(self, request: Request, alias: str) -> Response:
        group = find_alias(alias)
        enabled = self.body(AliasChange).get("enabled")
        with transaction.atomic():
            for row in group.rows:
                if enabled is not None and row.is_enabled != enabled:
                    set_alias_enabled(request.actor, alias=row, enabled=enabled)
        return Response(AliasAnswer(group_with(group.rows[0])).data)

    @describe("delete_alias", "Delete an alias with all its targets", status=204, names_object=True, changes=True)
    def delete(self, request: Request, alias: str) -> Response:
        group = find_alias(alias)
        with transaction.atomic():
            for row in group.rows:
                delete_alias(request.actor, alias=row)
        return gone()
