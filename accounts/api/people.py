"""Members and invitations over REST."""

from typing import Literal

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.invitation_operations import invite_member, resend_invitation, revoke_invitation
from accounts.models import Invitation
from accounts.operations import remove_member, set_member_role
from mailhost.api.endpoint import Endpoint, created, gone
from mailhost.api.ids import find
from mailhost.api.lists import Listing, one_of
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, Nothing, ObjectName, PublicId, Shape, Text
from tenants.api.filters import OF_TENANT
from tenants.locks import lock_branch
from tenants.models import Member, roles
from tenants.references import PREFIX as TENANT_PREFIX
from tenants.references import tenant_of_body

MEMBER, INVITATION = "mem", "inv"
BY_ROLE = one_of("role", "Only those with this role.", {role: {"role": role} for role, _ in roles()})
MEMBERS = Listing(
    orders={"created_at": ("pk",), "email": ("user__email", "pk")},
    filters=(OF_TENANT, BY_ROLE),
    search=lambda rows, words: rows.filter(user__email__contains=words),
    searched="the address",
    words_of=str.lower,
)
INVITATIONS = Listing(
    orders={"created_at": ("pk",), "email": ("email", "pk")},
    filters=(OF_TENANT, BY_ROLE),
    search=lambda rows, words: rows.filter(email__contains=words),
    searched="the address",
    words_of=str.lower,
)


class MemberAnswer(Answer):
    """A person's place in a tenant. One person may have several, each with a role of its own."""

    id = PublicId(MEMBER)
    object = ObjectName("member")
    tenant_id = PublicId(TENANT_PREFIX, source="tenant")
    email = serializers.CharField(source="user.email")
    name = serializers.CharField(source="user.name")
    role = serializers.ChoiceField(choices=roles())
    last_sign_in_at = serializers.DateTimeField(source="user.last_login", allow_null=True)
    created_at = serializers.DateTimeField()


class InvitationAnswer(Answer):
    """An address that was asked to become a member. It leaves the list when it is accepted or revoked."""

    id = PublicId(INVITATION)
    object = ObjectName("invitation")
    tenant_id = PublicId(TENANT_PREFIX, source="tenant")
    email = serializers.CharField()
    role = serializers.ChoiceField(choices=roles())
    status = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()

    def get_status(self, invitation: Invitation) -> Literal["open", "expired"]:
        return "expired" if invitation.has_expired(timezone.now()) else "open"


class MemberChange(Shape):
    role = Text(required=False)


class NewInvitation(Shape):
    """`role` may not exceed the asking key's own; `tenant_id` is the asking key's unless given."""

    email = Text()
    role = Text()
    tenant_id = Text(required=False)


class Members(Endpoint):
    """The members of the key's tenant and of every tenant below it."""

    actions = {"GET": "members.list"}
    listing = MEMBERS

    @describe("list_members", "List members", answer=MemberAnswer, lists=True)
    def get(self, request: Request) -> Response:
        return self.page(_members, MemberAnswer)


class OneMember(Endpoint):
    """One member, by id."""

    actions = {"GET": "members.list", "PATCH": set_member_role.action, "DELETE": remove_member.action}

    def lock(self, request: Request, member: str) -> None:
        lock_branch(find(_members, member, prefix=MEMBER).tenant)

    @describe("get_member", "Show a member", answer=MemberAnswer, names_object=True)
    def get(self, request: Request, member: str) -> Response:
        return Response(MemberAnswer(find(_members, member, prefix=MEMBER)).data)

    @describe(
        "update_member",
        "Change a member's role",
        body=MemberChange,
        answer=MemberAnswer,
        names_object=True,
        changes=True,
    )
    def patch(self, request: Request, member: str) -> Response:
        row = find(_members, member, prefix=MEMBER)
        change = self.body(MemberChange)
        # A merge patch may say what is so already (RFC 7396).
        if change.get("role", row.role) != row.role:
            set_member_role(request.actor, member=row, **change)
        return Response(MemberAnswer(find(_members, member, prefix=MEMBER)).data)

    @describe("remove_member", "Remove a member", status=204, names_object=True, changes=True)
    def delete(self, request: Request, member: str) -> Response:
        remove_member(request.actor, member=find(_members, member, prefix=MEMBER))
        return gone()


class Invitations(Endpoint):
    """Invitations that nobody has taken up or revoked."""

    actions = {"GET": "members.list", "POST": invite_member.action}
    listing = INVITATIONS

    @describe("list_invitations", "List invitations", answer=InvitationAnswer, lists=True)
    def get(self, request: Request) -> Response:
        return self.page(_invitations, InvitationAnswer)

    @describe(
        "create_invitation", "Invite a member", body=NewInvitation, answer=InvitationAnswer, status=201, changes=True
    )
    def post(self, request: Request) -> Response:
        fields = self.body(NewInvitation)
        if "tenant_id" in fields:
            fields["tenant"] = tenant_of_body(fields.pop("tenant_id"), "tenant_id")
        return created(InvitationAnswer(invite_member(request.actor, **fields)), "api-invitation")


class OfInvitation(Endpoint):
    """What changes one invitation does so under its tenant's lock."""

    def lock(self, request: Request, invitation: str) -> None:
        lock_branch(find(_invitations, invitation, prefix=INVITATION).tenant)


class OneInvitation(OfInvitation):
    """One invitation, by id."""

    actions = {"GET": "members.list", "DELETE": revoke_invitation.action}

    @describe("get_invitation", "Show an invitation", answer=InvitationAnswer, names_object=True)
    def get(self, request: Request, invitation: str) -> Response:
        return Response(InvitationAnswer(find(_invitations, invitation, prefix=INVITATION)).data)

    @describe("revoke_invitation", "Revoke an invitation", status=204, names_object=True, changes=True)
    def delete(self, request: Request, invitation: str) -> Response:
        revoke_invitation(request.actor, invitation=find(_invitations, invitation, prefix=INVITATION))
        return gone()


class InvitationMail(OfInvitation):
    """Sends an invitation's mail again; its link is good for another week."""

    shows = OneInvitation
    actions = {"POST": resend_invitation.action}

    @describe("resend_invitation", "Send an invitation again", answer=InvitationAnswer, names_object=True, changes=True)
    def post(self, request: Request, invitation: str) -> Response:
        row = find(_invitations, invitation, prefix=INVITATION)
        self.body(Nothing)
        return Response(InvitationAnswer(resend_invitation(request.actor, invitation=row)).data)


def _members() -> QuerySet[Member]:
    return Member.objects.select_related("tenant", "user").order_by("-pk")


def _invitations() -> QuerySet[Invitation]:
    return Invitation.objects.filter(open_email__isnull=False).select_related("tenant").order_by("-pk")
