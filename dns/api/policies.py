"""A domain's MTA-STS policy over REST."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dns.mta_sts import Mode
from dns.policy_operations import Standing, set_mta_sts_mode, standing
from domains.api import OfDomain
from domains.references import find_domain
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, Shape, Text


class MtaStsAnswer(Answer):
    """A domain's MTA-STS policy (RFC 8461). `steps` are the modes that may follow, each with the sentence that holds
    it up, or ""."""

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
