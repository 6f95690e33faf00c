"""App passwords and sign-ins of a mailbox over REST."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailboxes.api.mailboxes import OfMailbox
from mailboxes.app_password_operations import create_app_password, revoke_app_password, update_app_password
from mailboxes.app_passwords import BRAND, MAX_NETWORKS, PROTOCOLS
from mailboxes.models import AppPassword, Mailbox
from mailboxes.references import APP_PASSWORD_PREFIX, app_passwords_of, find_app_password, find_mailbox
from mailhost.api.endpoint import Endpoint, gone
from mailhost.api.lists import Listing
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, PublicId, Shape, Text

LISTING = Listing(
    orders={"created_at": ("pk",), "name": ("name", "pk")},
    search=lambda rows, words: rows.filter(name__icontains=words),
    searched="the name",
)


class AppPasswordAnswer(Answer):
    """One more password of a mailbox. `begins_with` is how its text begins; the rest is shown once, when it is made.
    Without `networks` it opens from everywhere. Its last use shows within a minute."""

    volatile = frozenset({"last_used_at", "last_used_by"})

    id = PublicId(APP_PASSWORD_PREFIX)
    object = ObjectName("app_password")
    mailbox = serializers.CharField(source="mailbox.email")
    name = serializers.CharField()
    begins_with = serializers.SerializerMethodField()
    protocols = serializers.ListField(child=serializers.ChoiceField(choices=PROTOCOLS))
    networks = serializers.ListField(child=serializers.CharField(), source="network_list")
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    last_used_by = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_begins_with(self, row: AppPassword) -> str:
        return f"{BRAND}-{row.selector}"

    def get_last_used_by(self, row: AppPassword) -> str | None:
        return row.last_used_by or None


class IssuedAppPasswordAnswer(AppPasswordAnswer):
    """An app password that was just made, with its text: it is not shown again."""

    volatile = AppPasswordAnswer.volatile | {"password"}

    password = serializers.SerializerMethodField()

    def get_password(self, row: AppPassword) -> str:
        return self.context["text"]


class NewAppPassword(Shape):
    """`protocols` are all of them, `networks` every place, and it never expires, unless said otherwise."""

    name = Text()
    protocols = serializers.ListField(child=Text(), required=False, max_length=10)
    networks = serializers.ListField(child=Text(), required=False, max_length=MAX_NETWORKS + 1)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class AppPasswordChange(Shape):
    """`expires_at` null: it never expires. `networks` []: from everywhere."""

    name = Text(required=False)
    protocols = serializers.ListField(child=Text(), required=False, max_length=10)
    networks = serializers.ListField(child=Text(), required=False, max_length=MAX_NETWORKS + 1)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class SignInAnswer(Answer):
    """The newest sign-in by one protocol."""

    protocol = serializers.CharField(source="service")
    at = serializers.DateTimeField()


class Activity(Answer):
    """When somebody last signed in to a mailbox, by protocol, newest first; a sign-in shows within a minute."""

    object = ObjectName("activity")
    mailbox = serializers.CharField(source="email")
    last_sign_in_at = serializers.SerializerMethodField()
    sign_ins = SignInAnswer(many=True, source="newest_sign_ins")

    def get_last_sign_in_at(self, mailbox: Any) -> str | None:
        newest = mailbox.newest_sign_ins
        return SignInAnswer(newest[0]).data["at"] if newest else None


class AppPasswords(Endpoint):
    """The app passwords of a mailbox."""

    actions = {"GET": "app_passwords.list", "POST": create_app_password.action}
    listing = LISTING

    @describe("list_app_passwords", "List app passwords", answer=AppPasswordAnswer, names_object=True, lists=True)
    def get(self, request: Request, mailbox: str) -> Response:
        return self.page(app_passwords_of, AppPasswordAnswer, of={"mailbox": find_mailbox(mailbox).pk})

    @describe(
        "create_app_password",
        "Create an app password",
        body=NewAppPassword,
        answer=IssuedAppPasswordAnswer,
        status=201,
        names_object=True,
        changes=True,
    )
    def post(self, request: Request, mailbox: str) -> Response:
        row = find_mailbox(mailbox)
        fields = {"protocols": PROTOCOLS, **self.body(NewAppPassword)}
        made, text = create_app_password(request.actor, mailbox=row, **fields)
        answer = IssuedAppPasswordAnswer(made, context={"text": text}).data
        where = f"{request._request.path}/{answer['id']}"
        return Response(answer, status=201, headers={"Location": where})


class OneAppPassword(OfMailbox):
    """One app password of a mailbox, by id."""

    actions = {
        "GET": "app_passwords.list",
        "PATCH": update_app_password.action,
        "DELETE": revoke_app_password.action,
    }

    @describe("get_app_password", "Show an app password", answer=AppPasswordAnswer, names_object=True)
    def get(self, request: Request, mailbox: str, app_password: str) -> Response:
        return Response(AppPasswordAnswer(self._row(mailbox, app_password)).data)

    @describe(
        "update_app_password",
        "Change an app password's name, protocols, networks or expiry",
        body=AppPasswordChange,
        answer=AppPasswordAnswer,
        names_object=True,
        changes=True,
    )
    def patch(self, request: Request, mailbox: str, app_password: str) -> Response:
        row = self._row(mailbox, app_password)
        change = self.body(AppPasswordChange)
        if "expires_at" in change and change["expires_at"] is None:
            change["never_expires"] = True
        if change:
            row = update_app_password(request.actor, app_password=row, **change)
        return Response(AppPasswordAnswer(row).data)

    @describe("revoke_app_password", "Revoke an app password", status=204, names_object=True, changes=True)
    def delete(self, request: Request, mailbox: str, app_password: str) -> Response:
        revoke_app_password(request.actor, app_password=self._row(mailbox, app_password))
        return gone()

    def lock(self, request: Request, mailbox: str, app_password: str) -> None:
        super().lock(request, mailbox)

    def _row(self, mailbox: str, app_password: str) -> AppPassword:
        return find_app_password(find_mailbox(mailbox), app_password)


class MailboxActivity(Endpoint):
    actions = {"GET": "mailboxes.list"}

    @describe("get_mailbox_activity", "Show when a mailbox was last signed in to", answer=Activity, names_object=True)
    def get(self, request: Request, mailbox: str) -> Response:
        row: Mailbox = find_mailbox(mailbox)
        row.newest_sign_ins = list(row.sign_ins.order_by("-at", "service"))
        return Response(Activity(row).data)
