"""Domains over REST."""

from typing import Any, Literal

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from domains.locks import lock_domain
from domains.models import Domain
from domains.names import display_name
from domains.operations import create_domain, delete_domain, set_domain_enabled, update_domain, verify_domain
from domains.references import PREFIX, find_domain, find_removed_domain, following, searchable
from domains.removal_operations import removed_domains, restore_domain
from longwork.api import accepted, is_long
from longwork.works import begin
from mailhost.api.endpoint import Endpoint, created, gone
from mailhost.api.ids import is_id
from mailhost.api.lists import Filter, Listing, one_of
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, Nothing, ObjectName, PublicId, Shape, Switch, Text, Whole
from mailhost.errors import Refused
from tenants.api.filters import OF_TENANT
from tenants.references import PREFIX as TENANT_PREFIX
from tenants.references import tenant_of_body

VERIFY = "domains.works.verify"
# What `update_domain` calls the members of a body.
SETTINGS = {"default_quota_mb": "default_quota", "plus_addressing": "plus_addressing"}
Status = Literal["pending", "contested", "verified", "lapsed", "suspended", "deleted"]
DELETED = "deleted"
STATUSES = {
    "pending": {"is_active": True, "verified_at": None, "contested_at": None},
    "contested": {"is_active": True, "verified_at": None, "contested_at__isnull": False},
    "verified": {"is_active": True, "verified_at__isnull": False, "proof_lapsed_at": None},
    "lapsed": {"is_active": True, "verified_at__isnull": False, "proof_lapsed_at__isnull": False},
    "suspended": {"is_active": False},
    # Those that can be restored yet: another list, which the endpoint begins with.
    DELETED: {},
}
LISTING = Listing(
    orders={"name": ("domain_name", "pk"), "created_at": ("pk",)},
    filters=(
        OF_TENANT,
        one_of("status", "Only those that stand so.", STATUSES),
        Filter("alias_of", "Only the alias domains of this one: `dom_…` or its name.", following),
    ),
    search=lambda rows, words: rows.filter(domain_name__contains=words),
    searched="the name",
    words_of=searchable,
)


class DomainAnswer(Answer):
    """A domain. `status` is `pending` until ownership is proven, `contested` while its proof was seen and another
    account holds the name, `lapsed` while the proof of a verified domain is gone (changes are frozen, and its mail
    stops after a grace), `suspended` while its own switch (`enabled`) or its tenant stops it, and `deleted` once it was
    removed, for as long as it can be restored."""

    id = PublicId(PREFIX)
    object = ObjectName("domain")
    tenant_id = PublicId(TENANT_PREFIX, source="tenant")
    name = serializers.CharField(source="domain_name")
    name_unicode = serializers.SerializerMethodField()
    alias_of = serializers.SerializerMethodField()
    enabled = serializers.BooleanField(source="is_enabled")
    default_quota = serializers.IntegerField(source="default_quota_mb", allow_null=True, help_text="MB")
    plus_addressing = serializers.BooleanField()
    status = serializers.SerializerMethodField()
    verified_at = serializers.DateTimeField(allow_null=True)
    deleted_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_name_unicode(self, domain: Domain) -> str:
        return display_name(domain.domain_name)

    def get_alias_of(self, domain: Domain) -> str | None:
        return domain.alias_of.domain_name if domain.alias_of else None

    def get_status(self, domain: Domain) -> Status:
        return status(domain)


def status(domain: Domain) -> Status:
    """Return the one word for where a domain stands."""
    if domain.deleted_at is not None:
        return DELETED
    if not domain.is_active:
        return "suspended"
    if not domain.has_proof:
        return "pending" if domain.contested_at is None else "contested"
    return "verified" if domain.proof_lapsed_at is None else "lapsed"


def main_domain(reference: str) -> Domain:
    """Return the domain that a body names. Raises Refused: the body, not the path, leads nowhere."""
    try:
        return find_domain(reference)
    except Domain.DoesNotExist:
        raise Refused("unknown_domain", "alias_of", "There is no such domain here.") from None


class NewDomain(Shape):
    """`name` may be given with U-labels. `alias_of` names a verified domain of the same tenant: the new one then
    answers for each of its addresses. `tenant_id` is the asking key's tenant unless given."""

    name = Text()
    alias_of = Text(required=False, allow_null=True)
    tenant_id = Text(required=False)


class DomainChange(Shape):
    """`default_quota` is the size in MB of a mailbox that is made without one; null: each says its own.
    `plus_addressing`: whether mail for anna+news@ goes to anna@; without it, it is refused. That of an alias domain is
    its main domain's."""

    enabled = Switch(required=False)
    default_quota = Whole(required=False, allow_null=True)
    plus_addressing = Switch(required=False)


class WantedDomain(DomainChange):
    """What a domain shall be: it is made unless it is there. `alias_of` and `tenant_id` count when it is made, and
    cannot change."""

    alias_of = Text(required=False, allow_null=True)
    tenant_id = Text(required=False)


class Domains(Endpoint):
    """The domains of a tenant and of every tenant below it."""

    actions = {"GET": "domains.list", "POST": create_domain.action}
    listing = LISTING

    @describe("list_domains", "List domains", answer=DomainAnswer, lists=True)
    def get(self, request: Request) -> Response:
        is_bin = request.query_params.get("status") == DELETED
        return self.page(removed_domains(timezone.now()) if is_bin else Domain.objects.listed, DomainAnswer)

    @describe("create_domain", "Add a domain", body=NewDomain, answer=DomainAnswer, status=201, changes=True)
    def post(self, request: Request) -> Response:
        fields = self.body(NewDomain)
        domain = create_domain(request.actor, name=fields.pop("name"), **_named(fields))
        if "tenant_id" not in fields:
            # Read with the key already.
            domain.tenant = request.auth.root
        return created(DomainAnswer(domain), "api-domain")


class OfDomain(Endpoint):
    """What changes one domain does so under its lock."""

    def lock(self, request: Request, domain: str) -> None:
        lock_domain(request.actor, find_domain(domain))


class OneDomain(OfDomain):
    """One domain, by id or name."""

    body_names = SETTINGS
    actions = {
        "GET": "domains.list",
        "PUT": create_domain.action,
        "PATCH": set_domain_enabled.action,
        "DELETE": delete_domain.action,
    }

    @describe("get_domain", "Show a domain", answer=DomainAnswer, names_object=True)
    def get(self, request: Request, domain: str) -> Response:
        return Response(DomainAnswer(find_domain(domain)).data)

    @describe(
        "update_domain",
        "Switch a domain off or on, change its settings",
        body=DomainChange,
        answer=DomainAnswer,
        names_object=True,
        changes=True,
    )
    def patch(self, request: Request, domain: str) -> Response:
        return Response(DomainAnswer(_changed(request, find_domain(domain), self.body(DomainChange))).data)

    @describe(
        "put_domain",
        "Add a domain unless it is there; then change it",
        body=WantedDomain,
        answer=DomainAnswer,
        also=201,
        names_object=True,
        changes=True,
    )
    def put(self, request: Request, domain: str) -> Response:
        wanted = self.body(WantedDomain)
        fixed = _named(wanted)
        try:
            row = find_domain(domain)
        except Domain.DoesNotExist:
            if is_id(PREFIX, domain):
                raise
            row = _changed(request, create_domain(request.actor, name=domain, **fixed), wanted)
            return created(DomainAnswer(row), "api-domain")
        if fixed.get("alias_of", row.alias_of) != row.alias_of:
            raise Refused("unchangeable", "alias_of", "What a domain is an alias of is said when it is added.")
        if fixed.get("tenant", row.tenant) != row.tenant:
            raise Refused("unchangeable", "tenant_id", "Whose a domain is is said when it is added.")
        return Response(DomainAnswer(_changed(request, row, wanted)).data)

    @describe(
        "delete_domain",
        "Remove a domain; it can be restored",
        status=204,
        names_object=True,
        changes=True,
    )
    def delete(self, request: Request, domain: str) -> Response:
        delete_domain(request.actor, domain=find_domain(domain))
        return gone()


def _named(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what a body names by references: whose a domain is, and which one it follows. Raises Refused."""
    found: dict[str, Any] = {}
    if "alias_of" in fields:
        found["alias_of"] = main_domain(fields["alias_of"]) if fields["alias_of"] is not None else None
    if "tenant_id" in fields:
        found["tenant"] = tenant_of_body(fields["tenant_id"], "tenant_id")
    return found


def _changed(request: Request, row: Domain, change: dict[str, Any]) -> Domain:
    """Return the domain as the change wants it. A merge patch may say what is so already (RFC 7396)."""
    given = {name: change[member] for name, member in SETTINGS.items() if member in change}
    if settings := {name: value for name, value in given.items() if getattr(row, name) != value}:
        row = update_domain(request.actor, domain=row, **settings)
    if change.get("enabled", row.is_enabled) == row.is_enabled:
        return row
    return set_domain_enabled(request.actor, domain=row, enabled=change["enabled"])


class DomainRestoration(Endpoint):
    """Brings a removed domain back."""

    actions = {"POST": restore_domain.action}

    @describe(
        "restore_domain",
        "Restore a removed domain",
        answer=DomainAnswer,
        names_object=True,
        changes=True,
    )
    def post(self, request: Request, domain: str) -> Response:
        row = find_removed_domain(domain)
        self.body(Nothing)
        return Response(DomainAnswer(restore_domain(request.actor, domain=row)).data)


class DomainVerification(OfDomain):
    """Looks for the proof of ownership now."""

    shows = OneDomain
    actions = {"POST": verify_domain.action}

    @describe(
        "verify_domain",
        "Look for the proof of ownership",
        answer=DomainAnswer,
        names_object=True,
        changes=True,
        long=True,
    )
    def post(self, request: Request, domain: str) -> Response:
        row = find_domain(domain)
        self.body(Nothing)
        if is_long(request):
            return accepted(request, begin(request.actor, VERIFY, kind=verify_domain.action, domain_id=row.pk))
        return Response(DomainAnswer(verify_domain(request.actor, domain=row)).data)
