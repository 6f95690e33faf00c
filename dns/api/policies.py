"""A domain's MTA-STS policy and its logo over REST."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dns.models import Logo
from dns.mta_sts import Mode
from dns.policy_operations import Standing, may_show_logo, remove_logo, set_logo, set_mta_sts_mode, standing
from domains.api import OfDomain
from domains.models import Domain
from domains.references import find_domain
from mailhost.api.endpoint import gone
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, Shape, Text


class MtaStsAnswer(Answer):
    """A domain's MTA-STS policy (RFC 8461). `steps` are the modes that may follow, each with the sentence that holds
    it up, or ""."""

    has_etag = True
    volatile = frozenset({"steps"})

    object = ObjectName("mta_sts")
    mode = serializers.ChoiceField(choices=Mode.choices)
    since = serializers.DateTimeField(allow_null=True)
    policy = serializers.CharField()
    policy_id = serializers.CharField()
    steps = serializers.SerializerMethodField()

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_steps(self, found: Standing) -> dict[str, str]:
        return found.steps


class MtaStsChoice(Shape):
    """`off`, `testing`, `enforce`, or `none`, which withdraws a policy before it is switched off."""

    mode = Text()


class DomainMtaSts(OfDomain):
    """The MTA-STS policy of a domain, changed step by step."""

    actions = {"GET": "records.list", "PUT": set_mta_sts_mode.action}

    @describe("get_mta_sts", "Show a domain's MTA-STS policy", answer=MtaStsAnswer, names_object=True)
    def get(self, request: Request, domain: str) -> Response:
        return Response(MtaStsAnswer(standing(find_domain(domain), timezone.now())).data)

    @describe(
        "set_mta_sts",
        "Take the next step of a domain's MTA-STS policy",
        body=MtaStsChoice,
        answer=MtaStsAnswer,
        names_object=True,
        changes=True,
    )
    def put(self, request: Request, domain: str) -> Response:
        row = set_mta_sts_mode(request.actor, domain=find_domain(domain), **self.body(MtaStsChoice))
        return Response(MtaStsAnswer(standing(row, timezone.now())).data)


class LogoAnswer(Answer):
    """The picture that is shown beside a domain's mail (BIMI); empty where none is chosen. `is_shown`: the DMARC policy
    is enforced, so that its record is among those to publish."""

    has_etag = True
    volatile = frozenset({"is_shown"})

    object = ObjectName("logo")
    logo_url = serializers.CharField()
    certificate_url = serializers.CharField()
    is_shown = serializers.BooleanField()
    since = serializers.DateTimeField(allow_null=True)


class LogoChoice(Shape):
    """HTTPS addresses: `logo_url` of an SVG Tiny PS picture, `certificate_url` of a mark certificate (VMC or CMC) if
    there is one."""

    logo_url = Text()
    certificate_url = Text(required=False, allow_blank=True)


class DomainLogo(OfDomain):
    """The logo of a domain."""

    actions = {"GET": "records.list", "PUT": set_logo.action, "DELETE": remove_logo.action}

    @describe("get_logo", "Show a domain's logo", answer=LogoAnswer, names_object=True)
    def get(self, request: Request, domain: str) -> Response:
        return Response(logo_shown(find_domain(domain)))

    @describe(
        "set_logo",
        "Choose the logo that is shown beside a domain's mail",
        body=LogoChoice,
        answer=LogoAnswer,
        names_object=True,
        changes=True,
    )
    def put(self, request: Request, domain: str) -> Response:
        return Response(logo_shown(set_logo(request.actor, domain=find_domain(domain), **self.body(LogoChoice))))

    @describe("remove_logo", "Show no logo any more", status=204, names_object=True, changes=True)
    def delete(self, request: Request, domain: str) -> Response:
        remove_logo(request.actor, domain=find_domain(domain))
        return gone()


def logo_shown(domain: Domain) -> dict:
    logo = Logo.objects.filter(domain=domain).first()
    return LogoAnswer(
        {
            "logo_url": logo.logo_url if logo else "",
            "certificate_url": logo.certificate_url if logo else "",
            "is_shown": bool(logo) and may_show_logo(domain),
            "since": logo.since if logo else None,
        }
    ).data
