"""DMARC and TLS reports over REST."""

from datetime import timedelta
from ipaddress import ip_address

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from domains.api import OfDomain
from domains.models import Domain
from domains.references import find_domain
from mailhost.api.endpoint import Endpoint
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, Shape, Text
from reports import ladder
from reports.figures import MOST_SOURCES, SHOWN_DAYS, days_of, evidence, sources_of, tls_days_of
from reports.models import Source, marks
from reports.operations import mark_source, set_dmarc_policy


class DmarcDayAnswer(Answer):
    """Messages of one day."""

    day = serializers.DateField()
    aligned = serializers.IntegerField()
    failing = serializers.IntegerField()


class MailSourceAnswer(Answer):
    """An address that sends in the domain's name. `name` is its own in DNS, where that leads back to it."""

    address = serializers.CharField(source="source.address")
    name = serializers.CharField(source="source.name")
    mark = serializers.ChoiceField(choices=marks(), source="source.mark")
    messages = serializers.IntegerField()
    aligned = serializers.IntegerField()
    dkim_aligned = serializers.IntegerField(source="dkim")
    spf_aligned = serializers.IntegerField(source="spf")
    signed_by = serializers.CharField()


class DmarcReportsAnswer(Answer):
    """What receivers reported of the last 30 days. `obstacles`: what still fails before `next_policy`."""

    has_etag = True
    volatile = frozenset({"obstacles", "days", "sources"})

    object = ObjectName("dmarc_reports")
    domain = serializers.CharField()
    policy = serializers.ChoiceField(choices=ladder.POLICIES)
    next_policy = serializers.CharField(allow_null=True)
    obstacles = serializers.ListField(child=serializers.CharField())
    days = DmarcDayAnswer(many=True)
    sources = MailSourceAnswer(many=True)


class TlsDayAnswer(Answer):
    """Sessions of one day, and what failed by result and mail host."""

    day = serializers.DateField()
    successful = serializers.IntegerField()
    failed = serializers.IntegerField()
    failures = serializers.SerializerMethodField()

    @extend_schema_field(
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "result": {"type": "string"},
                    "mx_host": {"type": "string"},
                    "sessions": {"type": "integer"},
                },
            },
        }
    )
    def get_failures(self, day) -> list[dict]:
        return [{"result": result, "mx_host": host, "sessions": count} for result, host, count in day.failures]


class TlsReportsAnswer(Answer):
    """What senders reported of TLS to the domain in the last 30 days, the newest first."""

    object = ObjectName("tls_reports")
    domain = serializers.CharField()
    days = TlsDayAnswer(many=True)


class DmarcChoice(Shape):
    """`none`, `quarantine` or `reject`: one step up when nothing speaks against it, down at any time."""

    policy = Text()


class MarkShape(Shape):
    """`ours`, `foreign`, or `unknown` again."""

    mark = Text()


class DomainDmarcReports(OfDomain):
    """DMARC reports of a domain, and its policy."""

    actions = {"GET": "reports.list", "PUT": set_dmarc_policy.action}

    @describe("get_dmarc_reports", "Show a domain's DMARC reports", answer=DmarcReportsAnswer, names_object=True)
    def get(self, request: Request, domain: str) -> Response:
        return Response(summed_up(find_domain(domain)))

    @describe(
        "set_dmarc_policy",
        "Choose a domain's DMARC policy",
        body=DmarcChoice,
        answer=DmarcReportsAnswer,
        names_object=True,
        changes=True,
    )
    def put(self, request: Request, domain: str) -> Response:
        row = set_dmarc_policy(request.actor, domain=find_domain(domain), **self.body(DmarcChoice))
        return Response(summed_up(row))


class DomainTlsReports(Endpoint):
    """TLS reports of a domain."""

    actions = {"GET": "reports.list"}

    @describe("get_tls_reports", "Show a domain's TLS reports", answer=TlsReportsAnswer, names_object=True)
    def get(self, request: Request, domain: str) -> Response:
        row = find_domain(domain)
        days = tls_days_of(row, timezone.now().date() - timedelta(days=SHOWN_DAYS - 1))
        return Response(TlsReportsAnswer({"domain": row.domain_name, "days": days}).data)


class DomainMailSource(OfDomain):
    """An address that sends in a domain's name."""

    actions = {"PUT": mark_source.action}

    def lock(self, request: Request, domain: str, address: str) -> None:
        super().lock(request, domain)

    @describe(
        "mark_mail_source",
        "Say whether an address that sends in the domain's name is yours",
        body=MarkShape,
        answer=DmarcReportsAnswer,
        names_object=True,
        changes=True,
    )
    def put(self, request: Request, domain: str, address: str) -> Response:
        row = find_domain(domain)
        source = find_source(row, address)
        mark_source(request.actor, source=source, **self.body(MarkShape))
        return Response(summed_up(row))


def find_source(domain: Domain, address: str) -> Source:
    """Return the source at an address in any of its spellings. Raises Source.DoesNotExist."""
    try:
        plain = str(ip_address(address))
    except ValueError:
        raise Source.DoesNotExist from None
    return Source.objects.select_related("domain").get(domain=domain, address=plain)


def summed_up(domain: Domain) -> dict:
    now = timezone.now()
    days, sources = days_of(domain, now.date()), sources_of(domain, now.date())
    seen = evidence(domain, now, days, sources)
    return DmarcReportsAnswer(
        {
            "domain": domain.domain_name,
            "policy": seen.policy,
            "next_policy": ladder.next_policy(seen.policy),
            "obstacles": ladder.obstacles(seen, now),
            "days": days,
            "sources": sources[:MOST_SOURCES],
        }
    ).data
