"""What was done, over REST."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.dateparse import parse_datetime
from drf_spectacular.drainage import set_override
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.export import FORMATS
from audit.lines import PROVIDER, line_of
from audit.models import Event, EventQuerySet, actor_kinds
from mailhost.api.endpoint import Endpoint
from mailhost.api.errors import InvalidParameter
from mailhost.api.ids import UID, find
from mailhost.api.lists import Filter, Listing
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, PublicId
from tenants.api.filters import OF_TENANT
from tenants.references import PREFIX as TENANT_PREFIX

PREFIX = "evt"


def _about(rows: QuerySet, target: str) -> QuerySet:
    uid = target.rpartition("_")[2]
    # The column is ASCII: MariaDB answers an error when it is asked for other characters.
    return rows.filter(object_uid=uid) if UID.fullmatch(uid) else rows.none()


def _of_request(rows: QuerySet, request_id: str) -> QuerySet:
    return rows.filter(request_id=request_id)


def _since(rows: QuerySet, text: str) -> QuerySet:
    return rows.between(_moment("since", text), None)


def _until(rows: QuerySet, text: str) -> QuerySet:
    return rows.between(None, _moment("until", text))


def _moment(name: str, text: str) -> datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidParameter(name, "invalid_time", "Give a time with its zone, such as 2026-11-20T18:00:00Z.")
    return moment


LISTING = Listing(
    orders={"newest": ("-pk",), "created_at": ("pk",)},
    filters=(
        Filter("action", "One act (`mailboxes.delete`), or all of a kind (`mailboxes.`).", EventQuerySet.of_action),
        OF_TENANT,
        Filter("target", "The id of the thing that was acted on, such as `mbx_…`.", _about),
        Filter("request_id", "The `X-Request-Id` of the request that did it.", _of_request),
        Filter("since", "At this time or later (RFC 3339).", _since),
        Filter("until", "Before this time (RFC 3339).", _until),
    ),
    search=EventQuerySet.matching,
    searched="the act, the actor or the thing",
)
FORMAT = "format"
FORMAT_PARAMETER = OpenApiParameter(
    FORMAT, {"type": "string", "enum": [*FORMATS], "default": "json"}, description="What the file is."
)


class Columns(serializers.JSONField):
    """What a row's columns held, by their names; a list of that for several rows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        set_override(self, "field", {"type": ["object", "array", "null"]})


class ActorAnswer(Answer):
    """Who did it. Of a `provider`, who acts from above the key's own tenant, no more than that is told. The
    `impersonator` had signed in as the one named."""

    type = serializers.ChoiceField(choices=[*actor_kinds(), (PROVIDER, PROVIDER)], source="actor_type")
    name = serializers.CharField(source="actor")
    impersonator = serializers.CharField()


class TargetAnswer(Answer):
    """What it was done to. `id` is empty for a kind of thing that the API has no address for."""

    type = serializers.CharField(source="object_type")
    id = serializers.CharField(source="object_id")
    name = serializers.CharField(source="event.object")


class AuditEventAnswer(Answer):
    """One act. `before` and `after` hold what it changed: `before` is null for what it made, `after` for what it
    removed; secrets read "(secret)". `sequence` counts the tenant's events, `hash` links each to the one before."""

    id = PublicId(PREFIX, source="event")
    object = ObjectName("audit_event")
    tenant_id = PublicId(TENANT_PREFIX, source="tenant")
    created_at = serializers.DateTimeField(source="event.created_at")
    action = serializers.CharField(source="event.action")
    actor = ActorAnswer(source="*")
    target = TargetAnswer(source="*")
    before = Columns(source="event.before")
    after = Columns(source="event.after")
    details = serializers.DictField()
    address = serializers.CharField()
    request_id = serializers.CharField(source="event.request_id")
    sequence = serializers.IntegerField(source="event.sequence")
    hash = serializers.CharField(source="event.hash")

    def to_representation(self, instance: Event) -> dict[str, Any]:
        return super().to_representation(line_of(instance, self.context["viewer"]))


class ExportedEvent(Answer):
    """One act as a line of the file; CSV has the same columns."""

    time = serializers.DateTimeField()
    account = serializers.CharField()
    act = serializers.CharField()
    actor_type = serializers.CharField()
    actor = serializers.CharField()
    impersonator = serializers.CharField()
    address = serializers.CharField()
    object_type = serializers.CharField()
    object_id = serializers.CharField()
    object = serializers.CharField()
    before = Columns()
    after = Columns()
    details = serializers.DictField()
    request_id = serializers.CharField()
    id = serializers.CharField()
    sequence = serializers.IntegerField()
    hash = serializers.CharField()


class AuditEvents(Endpoint):
    """What was done in a tenant and in every tenant below it, newest first. Nobody can change or delete it."""

    actions = {"GET": "audit.list"}
    listing = LISTING

    @describe("list_audit_events", "List audit events", answer=AuditEventAnswer, lists=True)
    def get(self, request: Request) -> Response:
        return self.page(Event.objects.listed, AuditEventAnswer, viewer=request.actor)


class OneAuditEvent(Endpoint):
    """One event, by id."""

    actions = {"GET": "audit.list"}

    @describe("get_audit_event", "Show an audit event", answer=AuditEventAnswer, names_object=True)
    def get(self, request: Request, event: str) -> Response:
        row = find(Event.objects.listed, event, prefix=PREFIX)
        return Response(AuditEventAnswer(row, context={"viewer": request.actor}).data)


class AuditExport(Endpoint):
    """All events at once, in a file that is written while it is sent."""

    actions = {"GET": "audit.list"}
    filters = LISTING.names | {FORMAT}

    @describe(
        "export_audit_events",
        "Export audit events",
        answer=ExportedEvent(many=True),
        filters=[*LISTING.parameters, FORMAT_PARAMETER],
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        kind = request.query_params.get(FORMAT, "json")
        if kind not in FORMATS:
            raise InvalidParameter(FORMAT, "invalid_choice", f"The format is one of {', '.join(FORMATS)}.")
        media_type, write = FORMATS[kind]
        rows = LISTING.applied(Event.objects.listed(), *LISTING.asked(request.query_params))
        return StreamingHttpResponse(write(request.actor, rows), content_type=media_type)
