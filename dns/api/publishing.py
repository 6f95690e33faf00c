"""History, and publishing into a domain's own zone, over REST."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dns.api.records import RecordAnswer
from dns.api.tools import throttled
from dns.changes import Change
from dns.models import Publication, RecordChange, ZoneAccess
from dns.nsupdate import ALGORITHMS
from dns.providers import PROVIDERS
from dns.publishing_operations import last_publication, preview, publish_records, undo_publication, zone_of
from dns.record_operations import check_records
from dns.zone_access_operations import connect_zone, disconnect_zone
from domains.api import OfDomain, OneDomain
from domains.models import Domain
from domains.references import find_domain
from longwork.api import accepted, is_long
from longwork.works import begin
from mailhost.actor import Actor
from mailhost.api.changes import is_rehearsal
from mailhost.api.endpoint import Endpoint, gone
from mailhost.api.lists import Listing
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, Nothing, ObjectName, Shape, Switch, Text, Whole

TEXTS = {"type": "array", "items": {"type": "string"}}
PUBLISH = "dns.works.publish"
HISTORY = Listing(
    orders={"newest": ("-pk",), "seen_at": ("pk",)},
    search=lambda rows, words: rows.filter(name__contains=words),
    searched="the name",
    words_of=str.lower,
)


class CheckedRecordsAnswer(Answer):
    """All records of a domain, as they were just found."""

    object = ObjectName("list")
    data = RecordAnswer(many=True)
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


class ChangeAnswer(Answer):
    """What publishing does at one name and type. `note` says why a place is left as it is."""

    name = serializers.CharField()
    type = serializers.CharField(source="record_type")
    ttl = serializers.IntegerField(help_text="seconds")
    removed = serializers.ListField(child=serializers.CharField())
    added = serializers.ListField(child=serializers.CharField())
    note = serializers.CharField()


class PublicationAnswer(Answer):
    """What was published, or with `dry_run` what would be: then `made_at` is null."""

    object = ObjectName("publication")
    zone = serializers.CharField()
    changes = ChangeAnswer(many=True)
    made_at = serializers.DateTimeField(allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)


class ZoneAccessAnswer(Answer):
    """How the zone is published into. The secret is shown nobody."""

    has_etag = True
    volatile = frozenset({"failing_since"})

    object = ObjectName("zone_access")
    provider = serializers.ChoiceField(choices=["", *PROVIDERS], help_text="Empty for dynamic updates.")
    server = serializers.CharField()
    port = serializers.IntegerField()
    zone = serializers.CharField()
    key_name = serializers.CharField()
    algorithm = serializers.ChoiceField(choices=["", *ALGORITHMS])
    automatic = serializers.BooleanField()
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="Since when publishing by itself does not work."
    )
    created_at = serializers.DateTimeField()


class NewZoneAccess(Shape):
    """A TSIG key with which the zone's primary server takes updates (RFC 2136): `server`, `key_name`, `secret`. Or an
    API token: `provider` (`cloudflare`, `digitalocean`), `secret`. `zone` is the domain unless given."""

    provider = Text(required=False)
    server = Text(required=False)
    port = Whole(required=False)
    zone = Text(required=False)
    key_name = Text(required=False)
    algorithm = Text(required=False)
    secret = Text()
    automatic = Switch(required=False)


class RecordChangeAnswer(Answer):
    """What DNS showed before and after."""

    object = ObjectName("record_change")
    purpose = serializers.CharField()
    type = serializers.CharField(source="record_type")
    name = serializers.CharField()
    status_before = serializers.CharField()
    status = serializers.CharField()
    found_before = serializers.SerializerMethodField()
    found = serializers.SerializerMethodField()
    seen_at = serializers.DateTimeField()

    @extend_schema_field(TEXTS)
    def get_found_before(self, change: RecordChange) -> list[str]:
        return change.found_before

    @extend_schema_field(TEXTS)
    def get_found(self, change: RecordChange) -> list[str]:
        return change.found


def shown(publication: Publication) -> dict:
    changes = [Change.from_dict(values) for values in publication.changes]
    return PublicationAnswer(
        {
            "zone": publication.zone,
            "changes": changes,
            "made_at": publication.made_at,
            "undone_at": publication.undone_at,
        }
    ).data


class DomainHistory(Endpoint):
    """What changed in DNS, the newest first."""

    actions = {"GET": "records.list"}
    listing = HISTORY

    @describe(
        "list_record_changes", "List what changed in DNS", answer=RecordChangeAnswer, lists=True, names_object=True
    )
    def get(self, request: Request, domain: str) -> Response:
        return self.page(RecordChange.objects.filter, RecordChangeAnswer, of={"domain": find_domain(domain).pk})


class DomainCheck(OfDomain):
    """Looks the records up soon."""

    shows = OneDomain
    actions = {"POST": check_records.action}

    @describe(
        "check_records",
        "Look the records up now",
        answer=CheckedRecordsAnswer,
        names_object=True,
        changes=True,
        long=True,
    )
    def post(self, request: Request, domain: str) -> Response:
        row = find_domain(domain)
        self.body(Nothing)
        _, work = check_records(request.actor, domain=row)
        return accepted(request, work)


class DomainZoneAccess(OfDomain):
    """The name server that takes updates of the domain's zone."""

    actions = {"GET": "records.list", "POST": connect_zone.action, "DELETE": disconnect_zone.action}

    @describe("get_zone_access", "Show how the zone is published into", answer=ZoneAccessAnswer, names_object=True)
    def get(self, request: Request, domain: str) -> Response:
        return Response(ZoneAccessAnswer(ZoneAccess.objects.get(domain=find_domain(domain))).data)

    @describe(
        "connect_zone",
        "Connect the name server that takes updates",
        body=NewZoneAccess,
        answer=ZoneAccessAnswer,
        status=201,
        names_object=True,
        changes=True,
    )
    def post(self, request: Request, domain: str) -> Response:
        row = find_domain(domain)
        with throttled():
            access = connect_zone(request.actor, domain=row, **self.body(NewZoneAccess))
        headers = {"Location": request._request.path}
        return Response(ZoneAccessAnswer(access).data, status=201, headers=headers)

    @describe("disconnect_zone", "Forget the name server's key", status=204, names_object=True, changes=True)
    def delete(self, request: Request, domain: str) -> Response:
        disconnect_zone(request.actor, domain=find_domain(domain))
        return gone()


class DomainPublication(OfDomain):
    """Publishing, and the preview of it."""

    shows = OneDomain
    actions = {"GET": "records.list", "POST": publish_records.action}

    @describe(
        "preview_publication",
        "Show what publishing would change",
        answer=PublicationAnswer,
        names_object=True,
        refuses=True,
    )
    def get(self, request: Request, domain: str) -> Response:
        with throttled():
            return Response(previewed(request.actor, find_domain(domain)))

    @describe(
        "publish_records",
        "Publish the records into the zone",
        answer=PublicationAnswer,
        names_object=True,
        changes=True,
        long=True,
    )
    def post(self, request: Request, domain: str) -> Response:
        row = find_domain(domain)
        self.body(Nothing)
        if is_rehearsal(request):
            # A zone cannot be rolled back with the database's transaction.
            with throttled():
                return Response(previewed(request.actor, row))
        if is_long(request):
            given = {"domain_id": row.pk, "asked_at": timezone.now().isoformat()}
            return accepted(request, begin(request.actor, PUBLISH, kind=publish_records.action, **given))
        with throttled():
            return Response(shown(publish_records(request.actor, domain=row)))


class DomainPublicationUndo(OfDomain):
    """Takes the last publication back."""

    shows = OneDomain
    actions = {"POST": undo_publication.action}

    @describe(
        "undo_publication",
        "Bring back what stood in the zone before",
        answer=PublicationAnswer,
        names_object=True,
        changes=True,
    )
    def post(self, request: Request, domain: str) -> Response:
        row = find_domain(domain)
        self.body(Nothing)
        if is_rehearsal(request):
            zone_of(row)
            return Response(shown(last_publication(row)))
        with throttled():
            return Response(shown(undo_publication(request.actor, domain=row)))


def previewed(actor: Actor, domain: Domain) -> dict:
    changes = preview(actor, domain)
    zone = domain.zone_access.zone
    return PublicationAnswer({"zone": zone, "changes": changes, "made_at": None, "undone_at": None}).data
