"""A domain's DNS records over REST."""

from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dns.models import DnsRecord, Necessity, Purpose, Status, necessities, purposes, statuses
from dns.records import why
from dns.zone_file import zone_text
from domains.models import Domain
from domains.references import find_domain
from mailhost.api.endpoint import Endpoint
from mailhost.api.lists import Listing, one_of
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, PublicId

# RFC 4027.
ZONE_KIND = "text/dns"
ZONE = {"type": "string", "examples": ["; acme.example\nacme.example. 3600 IN MX 10 mail.example.net.\n"]}
LISTING = Listing(
    orders={"purpose": ("purpose", "name", "pk")},
    filters=(
        one_of("purpose", "Only those with this purpose.", {word: {"purpose": word} for word in Purpose.values}),
        one_of("status", "Only those that were found so.", {word: {"status": word} for word in Status.values}),
    ),
    search=lambda rows, words: rows.filter(Q(name__icontains=words) | Q(value__icontains=words)),
    searched="the name or the value",
)


class RecordAnswer(Answer):
    """A record the domain should publish, and what was last found in its place. `problem` says how to mend it."""

    id = PublicId("rec")
    object = ObjectName("record")
    purpose = serializers.ChoiceField(choices=purposes())
    type = serializers.CharField(source="record_type")
    name = serializers.CharField()
    value = serializers.CharField()
    ttl = serializers.IntegerField(help_text="seconds")
    priority = serializers.IntegerField(allow_null=True)
    required = serializers.SerializerMethodField()
    necessity = serializers.ChoiceField(choices=necessities())
    why = serializers.SerializerMethodField(help_text="What the record is for.")
    status = serializers.ChoiceField(choices=statuses())
    found = serializers.SerializerMethodField()
    problem = serializers.SerializerMethodField()
    last_checked_at = serializers.DateTimeField(allow_null=True)

    def get_required(self, record: DnsRecord) -> bool:
        return record.necessity == Necessity.REQUIRED

    def get_why(self, record: DnsRecord) -> str:
        return why(record.purpose, record.record_type)

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_found(self, record: DnsRecord) -> list[Any]:
        return record.found

    def get_problem(self, record: DnsRecord) -> str | None:
        return record.problem or None


class DomainZone(Endpoint):
    """The records of one domain as a zone file (RFC 1035, 5), to be imported where the domain's DNS is kept."""

    actions = {"GET": "records.list"}

    @describe("get_zone", "Show a domain's DNS records as a zone file", answer=ZONE, kind=ZONE_KIND, names_object=True)
    def get(self, request: Request, domain: str) -> HttpResponse:
        row = find_domain(domain)
        return HttpResponse(zone_text(row.domain_name, DnsRecord.objects.of_domain(row)), content_type=ZONE_KIND)


class DomainRecords(Endpoint):
    """The records of one domain."""

    actions = {"GET": "records.list"}
    listing = LISTING

    @describe("list_records", "List a domain's DNS records", answer=RecordAnswer, lists=True, names_object=True)
    def get(self, request: Request, domain: str) -> Response:
        return self.page(DnsRecord.objects.of_domain, RecordAnswer, of={"domain": find_domain(domain).pk})


def records_shown(domain: Domain) -> dict[str, Any]:
    """Return all records of a domain as the list above shows them."""
    data = RecordAnswer(DnsRecord.objects.of_domain(domain), many=True).data
    return {"object": "list", "data": data, "has_more": False, "next_cursor": None}
