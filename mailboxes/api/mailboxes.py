"""Mailboxes over REST."""

from typing import Any, Literal

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from domains.locks import lock_domain
from longwork.api import accepted, is_long
from longwork.works import begin
from mailboxes.addresses import display_address
from mailboxes.batch_operations import NewMailbox as NewMailboxItem
from mailboxes.batch_operations import create_mailboxes
from mailboxes.listing import BY_ADDRESS, STATUSES, beginning_first, keys_of, matching, named_tenants
from mailboxes.models import Mailbox
from mailboxes.operations import (
    change_password,
    create_mailbox,
    delete_mailbox,
    invite_to_mailbox,
    is_set,
    restore_mailbox,
    resume_mailbox,
    suspend_mailbox,
    update_mailbox,
)
from mailboxes.references import (
    MAILBOX_PREFIX,
    find_deleted_mailbox,
    find_mailbox,
    find_shown_mailbox,
    in_domain,
)
from mailboxes.shown import ShownMailbox, shown_mailboxes
from mailhost.actor import Actor
from mailhost.api.batches import ATOMIC, Batch, answer, answer_of, read_items
from mailhost.api.endpoint import Endpoint, created, gone
from mailhost.api.errors import errors_of_input
from mailhost.api.ids import is_id
from mailhost.api.lists import Filter, Listing, one_of
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, Nothing, ObjectName, PublicId, Shape, Switch, Text, Whole
from tenants.api.filters import OF_TENANT

CREATE_BATCH = "mailboxes.works.create_batch"
MB = 1024 * 1024
# What an operation calls otherwise than the API does.
BODY_NAMES = {"address": "email", "storage_quota_mb": "storage_quota"}
LISTING = Listing(
    orders={"email": BY_ADDRESS, "created_at": ("pk",)},
    filters=(
        Filter("domain", "Only those of this domain: `dom_…` or its name.", in_domain),
        OF_TENANT,
        one_of("status", "Only those that stand so.", STATUSES),
    ),
    search=matching,
    searched="the address or the display name; in the usual order, addresses that begin so come first",
    words_of=str.lower,
    found_first=beginning_first,
)


class MailboxAnswer(Answer):
    """A mailbox. `status` is `suspended` by its own switch, `inactive` while its domain is unproven or switched
    off, or its tenant suspended. Sizes are in MB."""

    volatile = frozenset({"usage_mb", "last_login_at"})

    id = PublicId(MAILBOX_PREFIX)
    object = ObjectName("mailbox")
    email = serializers.CharField()
    email_unicode = serializers.SerializerMethodField()
    domain = serializers.CharField(source="domain_name")
    display_name = serializers.CharField()
    storage_quota = serializers.IntegerField(help_text="MB")
    usage_mb = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    receives_enabled = serializers.BooleanField()
    sends_enabled = serializers.BooleanField()
    imap_enabled = serializers.BooleanField()
    pop3_enabled = serializers.BooleanField()
    managesieve_enabled = serializers.BooleanField()
    keeps_copy = serializers.BooleanField(help_text="Forwarded mail stays here too.")
    last_login_at = serializers.DateTimeField(allow_null=True, read_only=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_email_unicode(self, mailbox: ShownMailbox) -> str:
        return display_address(mailbox.email)

    def get_usage_mb(self, mailbox: ShownMailbox) -> float:
        return round(mailbox.used_bytes / MB, 2)

    def get_status(self, mailbox: ShownMailbox) -> Literal["active", "suspended", "inactive"]:
        if not mailbox.is_enabled:
            return "suspended"
        return "active" if mailbox.is_active else "inactive"


class NewMailbox(Shape):
    """`password`, or `password_hash` as another system stored it, or `invite_to`: an address that gets a link with
    which its reader sets the password. Without `storage_quota` it gets the domain's `default_quota`."""

    email = Text()
    password = Text(required=False, write_only=True)
    password_hash = Text(required=False, write_only=True)
    invite_to = Text(required=False, write_only=True)
    storage_quota = Whole(required=False, help_text="MB")
    display_name = Text(required=False, allow_blank=True)


class NewMailboxes(Batch):
    """Up to 1,000 mailboxes, of which at most 100 with a `password` that must be hashed here."""

    items = NewMailbox(many=True)


class MailboxChange(Shape):
    storage_quota = Whole(required=False, help_text="MB")
    display_name = Text(required=False, allow_blank=True)
    receives_enabled = Switch(required=False)
    sends_enabled = Switch(required=False)
    imap_enabled = Switch(required=False)
    pop3_enabled = Switch(required=False)
    managesieve_enabled = Switch(required=False)
    keeps_copy = Switch(required=False)


class WantedMailbox(MailboxChange):
    """What a mailbox shall be: it is made unless it is there. What is not named stays as it is, or is as usual (of a
    new mailbox the storage too: the domain's `default_quota`); a password that is so already ends no session."""

    password = Text(required=False, write_only=True)
    password_hash = Text(required=False, write_only=True)
    invite_to = Text(required=False, write_only=True, help_text="Of a new mailbox; nobody is invited twice.")


class MailboxInvitee(Shape):
    """Who gets the link with which the mailbox's password is set."""

    to = Text()


class NewPassword(Shape):
    """Either `password`, or `password_hash` as another system stored it."""

    password = Text(required=False, write_only=True)
    password_hash = Text(required=False, write_only=True)


class Mailboxes(Endpoint):
    """The mailboxes of a tenant and of every tenant below it."""

    actions = {"GET": "mailboxes.list", "POST": create_mailbox.action}
    listing = LISTING
    body_names = BODY_NAMES

    @describe("list_mailboxes", "List mailboxes", answer=MailboxAnswer, lists=True)
    def get(self, request: Request) -> Response:
        tenants = named_tenants(request.actor, of_one_domain="domain" in request.query_params)
        return self.page(keys_of, MailboxAnswer, whole=shown_mailboxes, of={"tenants": tenants})

    @describe("create_mailbox", "Create a mailbox", body=NewMailbox, answer=MailboxAnswer, status=201, changes=True)
    def post(self, request: Request) -> Response:
        return created(_new(create_mailbox(request.actor, **_arguments(self.body(NewMailbox)))), "api-mailbox")


class MailboxBatch(Endpoint):
    """Many mailboxes at once."""

    actions = {"POST": create_mailboxes.action}
    body_names = BODY_NAMES

    @describe(
        "create_mailboxes",
        "Create many mailboxes",
        body=NewMailboxes,
        answer=answer_of(MailboxAnswer),
        changes=True,
        long=True,
    )
    def post(self, request: Request) -> Response:
        batch = self.body(Batch)
        if is_long(request):
            total = len(batch["items"])
            work = begin(request.actor, CREATE_BATCH, kind=create_mailbox.action, total=total, **batch)
            return accepted(request, work)
        return Response(batch_made(request.actor, **batch))


def batch_made(actor: Actor, *, mode: str, items: list[Any]) -> dict[str, Any]:
    """Make these mailboxes; return what is answered. Raises ValidationError, or what `create_mailboxes` raises."""
    is_atomic = mode == ATOMIC
    good, errors = read_items(items, NewMailbox, is_atomic=is_atomic)
    places = list(good)
    wanted = [NewMailboxItem(**_arguments(item)) for item in good.values()]
    made, refusals = create_mailboxes(actor, items=wanted, is_atomic=is_atomic) if wanted else ({}, {})
    shown = MailboxAnswer([ShownMailbox.of_new(row) for row in made.values()], many=True).data
    errors |= {places[number]: errors_of_input(refusal, MailboxBatch) for number, refusal in refusals.items()}
    return answer(mode, dict(zip([places[number] for number in made], shown, strict=True)), errors)


class OfMailbox(Endpoint):
    """What changes one mailbox does so under its domain's lock."""

    def lock(self, request: Request, mailbox: str) -> None:
        lock_domain(request.actor, find_mailbox(mailbox).domain)


class OneMailbox(OfMailbox):
    """One mailbox, by id or address."""

    actions = {
        "GET": "mailboxes.list",
        "PUT": create_mailbox.action,
        "PATCH": update_mailbox.action,
        "DELETE": delete_mailbox.action,
    }
    body_names = BODY_NAMES

    @describe("get_mailbox", "Show a mailbox", answer=MailboxAnswer, names_object=True)
    def get(self, request: Request, mailbox: str) -> Response:
        return Response(MailboxAnswer(find_shown_mailbox(mailbox)).data)

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
        if change:
            row = update_mailbox(request.actor, mailbox=row, **_arguments(change))
        return Response(_shown(row).data)

    @describe(
        "put_mailbox",
        "Create a mailbox unless it is there; then change it",
        body=WantedMailbox,
        answer=MailboxAnswer,
        also=201,
        names_object=True,
        changes=True,
    )
    def put(self, request: Request, mailbox: str) -> Response:
        wanted = self.body(WantedMailbox)
        secret = {name: wanted.pop(name) for name in ("password", "password_hash") if name in wanted}
        invited = {"invite_to": wanted.pop("invite_to")} if "invite_to" in wanted else {}
        try:
            row = find_mailbox(mailbox)
        except Mailbox.DoesNotExist:
            if is_id(MAILBOX_PREFIX, mailbox):
                raise
            return created(_shown(_made(request, mailbox, wanted, secret | invited)), "api-mailbox")
        if wanted:
            update_mailbox(request.actor, mailbox=row, **_arguments(wanted))
        if secret and not is_set(row, **secret):
            change_password(request.actor, mailbox=row, **secret)
        return Response(_shown(row).data)

    @describe("delete_mailbox", "Delete a mailbox; it can be restored", status=204, names_object=True, changes=True)
    def delete(self, request: Request, mailbox: str) -> Response:
        delete_mailbox(request.actor, mailbox=find_mailbox(mailbox))
        return gone()


class MailboxPassword(OfMailbox):
    """The password of a mailbox: written, never read."""

    shows = OneMailbox
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
        change_password(request.actor, mailbox=row, **self.body(NewPassword))
        return gone()


class MailboxInvitation(OfMailbox):
    """A link by mail, with which a person sets the mailbox's password."""

    shows = OneMailbox
    actions = {"POST": invite_to_mailbox.action}
    body_names = {"invite_to": "to"}

    @describe(
        "invite_to_mailbox",
        "Send somebody a link that sets the mailbox's password",
        body=MailboxInvitee,
        status=204,
        names_object=True,
        changes=True,
    )
    def post(self, request: Request, mailbox: str) -> Response:
        row = find_mailbox(mailbox)
        invite_to_mailbox(request.actor, mailbox=row, invite_to=self.body(MailboxInvitee)["to"])
        return gone()


class MailboxSuspension(OfMailbox):
    shows = OneMailbox
    actions = {"POST": suspend_mailbox.action}

    @describe("suspend_mailbox", "Suspend a mailbox", answer=MailboxAnswer, names_object=True, changes=True)
    def post(self, request: Request, mailbox: str) -> Response:
        row = find_mailbox(mailbox)
        self.body(Nothing)
        return Response(_shown(suspend_mailbox(request.actor, mailbox=row)).data)


class MailboxResumption(OfMailbox):
    shows = OneMailbox
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


def _made(request: Request, address: str, wanted: dict[str, Any], secret: dict[str, str]) -> Mailbox:
    """Create a mailbox as it shall be."""
    at_first = {name: wanted.pop(name) for name in ("storage_quota", "display_name") if name in wanted}
    row = create_mailbox(request.actor, address=address, **_arguments(at_first), **secret)
    return update_mailbox(request.actor, mailbox=row, **_arguments(wanted)) if wanted else row


def _arguments(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a body's members under the names that operations have for them."""
    names = {member: argument for argument, member in BODY_NAMES.items()}
    return {names.get(name, name): value for name, value in fields.items()}


def _new(mailbox: Mailbox) -> MailboxAnswer:
    """Show a mailbox that was just made, as it was written."""
    return MailboxAnswer(ShownMailbox.of_new(mailbox))


def _shown(mailbox: Mailbox) -> MailboxAnswer:
    """Read a changed mailbox again, with its use and last sign-in."""
    return MailboxAnswer(shown_mailboxes(pk=mailbox.pk)[0])
