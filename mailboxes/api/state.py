"""A tenant's domains, mailboxes and aliases as one document, over REST."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailboxes import state
from mailboxes.expansion import MAX_TARGETS
from mailboxes.state import CHANGE, CREATE, DELETE
from mailboxes.state_operations import apply_state, lock_state
from mailhost.api.changes import is_dry_run
from mailhost.api.endpoint import Endpoint
from mailhost.api.errors import InvalidParameter
from mailhost.api.ids import public_id
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, Shape, Switch, Text, Whole
from tenants.models import Tenant
from tenants.references import PREFIX as TENANT_PREFIX
from tenants.references import find_tenant

OF_TENANT = OpenApiParameter("tenant", str, description="Whose: `ten_…`; your own unless given.")
DELETES = OpenApiParameter(
    "deletes", bool, description="Delete what the document does not name; without it nothing is deleted."
)


class DomainState(Shape):
    name = Text()
    alias_of = Text(required=False, allow_null=True)
    enabled = Switch(required=False)


class MailboxState(Shape):
    """One of `password` and `password_hash` is needed for a mailbox that is not there yet, and `storage_quota` where
    its domain has no `default_quota`; of one that is there, the password stays."""

    email = Text()
    password = Text(required=False, write_only=True)
    password_hash = Text(required=False, write_only=True)
    display_name = Text(required=False, allow_blank=True)
    storage_quota = Whole(required=False, help_text="MB")
    enabled = Switch(required=False)
    receives_enabled = Switch(required=False)
    sends_enabled = Switch(required=False)
    imap_enabled = Switch(required=False)
    pop3_enabled = Switch(required=False)
    managesieve_enabled = Switch(required=False)
    keeps_copy = Switch(required=False)


class AliasState(Shape):
    source = Text()
    targets = serializers.ListField(child=Text(), allow_empty=False, max_length=MAX_TARGETS)
    enabled = Switch(required=False)


class WantedState(Shape):
    """What should be. A section that is missing is left alone, and so is a member of an object that is there.
    `object` and `tenant_id` are what GET has answered, and may be sent back."""

    object = Text(required=False)
    tenant_id = Text(required=False)
    domains = DomainState(many=True, required=False)
    mailboxes = MailboxState(many=True, required=False)
    aliases = AliasState(many=True, required=False)


class PresentDomain(Answer):
    name = serializers.CharField()
    alias_of = serializers.CharField(allow_null=True)
    enabled = serializers.BooleanField()


class PresentMailbox(Answer):
    email = serializers.CharField()
    display_name = serializers.CharField()
    storage_quota = serializers.IntegerField(help_text="MB")
    enabled = serializers.BooleanField()
    receives_enabled = serializers.BooleanField()
    sends_enabled = serializers.BooleanField()
    imap_enabled = serializers.BooleanField()
    pop3_enabled = serializers.BooleanField()
    managesieve_enabled = serializers.BooleanField()
    keeps_copy = serializers.BooleanField()


class PresentAlias(Answer):
    source = serializers.CharField()
    targets = serializers.ListField(child=serializers.CharField())
    enabled = serializers.BooleanField()


class StateAnswer(Answer):
    """All domains, mailboxes and aliases of one tenant, without those of tenants below it. Sent back by PUT as it is,
    it changes nothing."""

    has_etag = True

    object = ObjectName("state")
    tenant_id = serializers.CharField()
    domains = PresentDomain(many=True)
    mailboxes = PresentMailbox(many=True)
    aliases = PresentAlias(many=True)


class StateChangeAnswer(Answer):
    """One thing that is done. `values` are what its members get."""

    action = serializers.ChoiceField(choices=[CREATE, CHANGE, DELETE])
    object = serializers.ChoiceField(choices=["domain", "mailbox", "alias"])
    name = serializers.CharField(source="shown")
    values = serializers.DictField(source="fields")


class StatePlanAnswer(Answer):
    """What is done to make the state the wanted one, in this order; nothing when it is so already."""

    object = ObjectName("state_plan")
    tenant_id = serializers.CharField()
    changes = StateChangeAnswer(many=True)


class State(Endpoint):
    """The whole of a tenant, to read and to write."""

    actions = {"GET": "state.read", "PUT": apply_state.action}
    filters = frozenset({"tenant"})
    options = frozenset({"tenant", "deletes"})

    def lock(self, request: Request) -> None:
        lock_state(request.actor, self._tenant(request))

    @describe("get_state", "Show a tenant's whole state", answer=StateAnswer, filters=[OF_TENANT])
    def get(self, request: Request) -> Response:
        tenant = self._tenant(request)
        return Response(
            StateAnswer({"tenant_id": public_id(TENANT_PREFIX, tenant), **state.document(state.read(tenant))}).data
        )

    @describe(
        "apply_state",
        "Make a tenant's state what the document says, all or nothing",
        body=WantedState,
        answer=StatePlanAnswer,
        filters=[OF_TENANT, DELETES],
        changes=True,
    )
    def put(self, request: Request) -> Response:
        tenant = self._tenant(request)
        wanted = self.body(WantedState)
        wanted.pop("object", None)
        if wanted.pop("tenant_id", None) not in {None, public_id(TENANT_PREFIX, tenant)}:
            raise InvalidParameter("tenant", "other_tenant", "The document is another tenant's. Name that with tenant.")
        # A rehearsal shows what would be deleted, too.
        may_delete = is_dry_run(request) or self._deletes(request)
        changes = apply_state(request.actor, tenant=tenant, wanted=wanted, may_delete=may_delete)
        return Response(StatePlanAnswer({"tenant_id": public_id(TENANT_PREFIX, tenant), "changes": changes}).data)

    def _tenant(self, request: Request) -> Tenant:
        reference = request.query_params.get("tenant")
        if reference is None:
            return request.auth.tenant
        try:
            return find_tenant(reference)
        except Tenant.DoesNotExist:
            raise InvalidParameter("tenant", "unknown_tenant", "There is no such tenant here.") from None

    def _deletes(self, request: Request) -> bool:
        text = request.query_params.get("deletes", "false")
        if text not in {"true", "false"}:
            raise InvalidParameter("deletes", "invalid_choice", "Say true or false.")
        return text == "true"
