"""Aliases over REST: one object for a source, with all its targets."""

from typing import Any, Literal

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from domains.locks import lock_domain
from longwork.api import accepted, is_long
from longwork.works import begin
from mailboxes.addresses import display_address
from mailboxes.alias_batch_operations import NewAlias as NewAliasItem
from mailboxes.alias_batch_operations import create_aliases
from mailboxes.alias_groups import AliasGroup, group_of_new, groups_of, matching_sources, sources_of
from mailboxes.alias_operations import create_alias, delete_aliases, update_alias
from mailboxes.expansion import MAX_TARGETS
from mailboxes.listing import named_tenants
from mailboxes.references import ALIAS_PREFIX, find_alias, in_domain
from mailhost.actor import Actor
from mailhost.api.batches import ATOMIC, Batch, answer, answer_of, read_items
from mailhost.api.endpoint import Endpoint, created, gone
from mailhost.api.errors import errors_of_input
from mailhost.api.lists import Filter, Listing
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, PublicId, Shape, Switch, Text
from tenants.api.filters import OF_TENANT

CREATE_BATCH = "mailboxes.works.create_alias_batch"
LISTING = Listing(
    orders={"source": ("alias_email", "domain_id")},
    filters=(Filter("domain", "Only those of this domain: `dom_…` or its name.", in_domain), OF_TENANT),
    search=matching_sources,
    searched="the source or a target",
    words_of=str.lower,
)


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


class NewAliases(Batch):
    """Up to 1,000 aliases, each source once."""

    items = NewAlias(many=True)


class AliasChange(Shape):
    """`targets` are all that the alias leads to from now on; `enabled` switches them off or on together."""

    targets = serializers.ListField(child=Text(), required=False, allow_empty=False, max_length=MAX_TARGETS)
    enabled = Switch(required=False)


class Aliases(Endpoint):
    """The aliases of a tenant and of every tenant below it, by source. Creating one that is there adds its targets."""

    actions = {"GET": "aliases.list", "POST": create_alias.action}
    listing = LISTING

    @describe("list_aliases", "List aliases", answer=AliasAnswer, lists=True)
    def get(self, request: Request) -> Response:
        tenants = named_tenants(request.actor, of_one_domain="domain" in request.query_params)
        return self.page(sources_of, AliasAnswer, groups_of, of={"tenants": tenants})

    @describe("create_alias", "Create an alias", body=NewAlias, answer=AliasAnswer, status=201, changes=True)
    def post(self, request: Request) -> Response:
        fields = self.body(NewAlias)
        rows = create_alias(request.actor, source=fields["source"], targets=fields["targets"])
        return created(AliasAnswer(group_of_new(rows)), "api-alias")


class AliasBatch(Endpoint):
    """Many aliases at once."""

    actions = {"POST": create_aliases.action}

    @describe(
        "create_aliases",
        "Create many aliases",
        body=NewAliases,
        answer=answer_of(AliasAnswer),
        changes=True,
        long=True,
    )
    def post(self, request: Request) -> Response:
        batch = self.body(Batch)
        if is_long(request):
            total = len(batch["items"])
            work = begin(request.actor, CREATE_BATCH, kind=create_alias.action, total=total, **batch)
            return accepted(request, work)
        return Response(aliases_made(request.actor, **batch))


def aliases_made(actor: Actor, *, mode: str, items: list[Any]) -> dict[str, Any]:
    """Make these aliases; return what is answered. Raises ValidationError, or what `create_aliases` raises."""
    is_atomic = mode == ATOMIC
    good, errors = read_items(items, NewAlias, is_atomic=is_atomic)
    places = list(good)
    wanted = [NewAliasItem(item["source"], item["targets"]) for item in good.values()]
    made, refusals = create_aliases(actor, items=wanted, is_atomic=is_atomic) if wanted else ({}, {})
    keys = [{"alias_email": row.alias_email, "domain_id": row.domain_id} for row, *_ in made.values()]
    shown = AliasAnswer(groups_of(keys), many=True).data
    errors |= {places[number]: errors_of_input(refusal) for number, refusal in refusals.items()}
    return answer(mode, dict(zip([places[number] for number in made], shown, strict=True)), errors)


class OneAlias(Endpoint):
    """One alias, by id or source."""

    actions = {"GET": "aliases.list", "PATCH": update_alias.action, "DELETE": delete_aliases.action}

    def lock(self, request: Request, alias: str) -> None:
        lock_domain(request.actor, find_alias(alias).rows[0].domain)

    @describe("get_alias", "Show an alias", answer=AliasAnswer, names_object=True)
    def get(self, request: Request, alias: str) -> Response:
        return Response(AliasAnswer(find_alias(alias)).data)

    @describe(
        "update_alias",
        "Change an alias: its targets, or whether it is on",
        body=AliasChange,
        answer=AliasAnswer,
        names_object=True,
        changes=True,
    )
    def patch(self, request: Request, alias: str) -> Response:
        group = find_alias(alias)
        change = self.body(AliasChange)
        if change:
            group = update_alias(request.actor, alias=group, **change)
        return Response(AliasAnswer(group).data)

    @describe("delete_alias", "Delete an alias with all its targets", status=204, names_object=True, changes=True)
    def delete(self, request: Request, alias: str) -> Response:
        delete_aliases(request.actor, alias=find_alias(alias))
        return gone()
