"""The mail host's own records over REST, for the operator's programs."""

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dns.dane import why_not
from dns.models import HostRecord, HostState, necessities, purposes, statuses
from mailhost.api.endpoint import Endpoint
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName
from mailhost.said import from_kept

TEXTS = {"type": "array", "items": {"type": "string"}}


class HostRecordAnswer(Answer):
    """A record that the mail host should have, and what was last found in its place."""

    object = ObjectName("host_record")
    purpose = serializers.ChoiceField(choices=purposes())
    type = serializers.CharField(source="record_type")
    name = serializers.CharField()
    value = serializers.CharField()
    ttl = serializers.IntegerField(help_text="seconds")
    necessity = serializers.ChoiceField(choices=necessities())
    status = serializers.ChoiceField(choices=statuses())
    found = serializers.SerializerMethodField()
    problem = serializers.SerializerMethodField()
    last_checked_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(TEXTS)
    def get_found(self, record: HostRecord) -> list[str]:
        return record.found

    def get_problem(self, record: HostRecord) -> str | None:
        return record.problem or None


class MailHostAnswer(Answer):
    """The mail host as other servers see it. `zone_is_signed` is null until DNS has told; `no_tlsa` says why no TLSA
    record is offered. `failing_since` is set once three looks in a row found something wrong."""

    object = ObjectName("mail_host")
    name = serializers.CharField()
    addresses = serializers.SerializerMethodField()
    zone_is_signed = serializers.BooleanField(source="is_signed", allow_null=True)
    no_tlsa = serializers.SerializerMethodField()
    problems = serializers.SerializerMethodField()
    checked_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True)
    records = serializers.SerializerMethodField()

    @extend_schema_field(TEXTS)
    def get_addresses(self, host: HostState) -> list[str]:
        return host.addresses

    def get_no_tlsa(self, host: HostState) -> str | None:
        return str(why_not(host.name, host.is_signed, host.keys)) or None

    @extend_schema_field(TEXTS)
    def get_problems(self, host: HostState) -> list[str]:
        return [str(from_kept(kept)) for kept in host.problems]

    @extend_schema_field(HostRecordAnswer(many=True))
    def get_records(self, host: HostState) -> list[dict]:
        return HostRecordAnswer(host.records.order_by("pk") if host.pk else (), many=True).data


class MailHost(Endpoint):
    """The installation's own mail host."""

    actions = {"GET": "host.show"}

    @describe("get_mail_host", "Show the mail host's own DNS records", answer=MailHostAnswer)
    def get(self, request: Request) -> Response:
        name = settings.MAILHOST_HOSTNAME
        host = HostState.objects.filter(name=name).first() or HostState(name=name)
        return Response(MailHostAnswer(host).data)
