"""DNS tools over REST, about any domain: hosted here or not."""

from collections.abc import Iterator
from contextlib import contextmanager

from drf_spectacular.utils import OpenApiTypes, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from dns import choices
from dns.remembered import WINDOW_SECONDS, TooManyLookups, look, whole_check
from mailhost.api.endpoint import Endpoint
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, Shape, Switch, Text

LOOK_UP = "dns.look_up"


class LookupAnswer(Answer):
    """What stands in DNS. `outcome` tells a record that is not there from a server that does not answer; `problems`
    are sentences; `ttl` (seconds) says how long this answer is repeated. Further members belong to the kind."""

    object = ObjectName("dns_lookup")
    kind = serializers.CharField()
    name = serializers.CharField()
    outcome = serializers.CharField()
    found = serializers.ListField(child=serializers.CharField())
    problems = serializers.ListField(child=serializers.CharField())
    ttl = serializers.IntegerField()
    details = serializers.SerializerMethodField()

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_details(self, found: dict) -> dict:
        return {name: value for name, value in found.items() if name not in self.fields}


class DomainCheckShape(Shape):
    """`ip`: also whether this server may send for the domain, its name, and the block lists."""

    domain = Text()
    ip = Text(required=False)


class DomainCheckAnswer(Answer):
    """Everything that decides about a domain's mail."""

    object = ObjectName("dns_check")
    domain = serializers.CharField()
    result = serializers.SerializerMethodField()

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_result(self, found: dict) -> dict:
        return {name: value for name, value in found.items() if name != "domain"}


class SpfChoices(Shape):
    """Who may send, and what of everybody else (`fail`, `softfail`, `neutral`)."""

    mx = Switch(required=False)
    a = Switch(required=False)
    ip4 = serializers.ListField(child=Text(), required=False)
    ip6 = serializers.ListField(child=Text(), required=False)
    include = serializers.ListField(child=Text(), required=False)
    policy = Text(required=False)


class DmarcChoices(Shape):
    """What receivers do with mail that fails (`none`, `quarantine`, `reject`), and where reports go."""

    policy = Text()
    subdomain_policy = Text(required=False)
    rua = serializers.ListField(child=Text(), required=False)
    ruf = serializers.ListField(child=Text(), required=False)
    failure_options = Text(required=False)
    testing = Switch(required=False)


class MadeRecordAnswer(Answer):
    """A record to publish, and what it says."""

    object = ObjectName("made_record")
    type = serializers.CharField()
    value = serializers.CharField()
    meaning = serializers.ListField(child=serializers.CharField())


class DnsCheck(Endpoint):
    """Looks at all mail records of a domain."""

    actions = {"POST": LOOK_UP}

    @describe(
        "check_dns", "Check any domain's mail records", body=DomainCheckShape, answer=DomainCheckAnswer, changes=True
    )
    def post(self, request: Request) -> Response:
        given = self.body(DomainCheckShape)
        with throttled():
            return Response(DomainCheckAnswer(whole_check(request.actor, given["domain"], given.get("ip"))).data)


class DnsSpf(Endpoint):
    """Makes an SPF record."""

    actions = {"POST": LOOK_UP}

    @describe("make_spf", "Make an SPF record from choices", body=SpfChoices, answer=MadeRecordAnswer, changes=True)
    def post(self, request: Request) -> Response:
        return Response(MadeRecordAnswer(choices.make_spf(**self.body(SpfChoices))).data)


class DnsDmarc(Endpoint):
    """Makes a DMARC record."""

    actions = {"POST": LOOK_UP}

    @describe(
        "make_dmarc", "Make a DMARC record from choices", body=DmarcChoices, answer=MadeRecordAnswer, changes=True
    )
    def post(self, request: Request) -> Response:
        return Response(MadeRecordAnswer(choices.make_dmarc(**self.body(DmarcChoices))).data)


class DnsLookup(Endpoint):
    """Looks up mx, spf, dkim, dmarc, mta-sts, tls-rpt of a name, ptr, blocklists of an address, or a whole host."""

    actions = {"GET": LOOK_UP}

    @describe("look_up_dns", "Look up one kind of record", answer=LookupAnswer, names_object=True, refuses=True)
    def get(self, request: Request, kind: str, name: str) -> Response:
        with throttled():
            return Response(LookupAnswer(look(request.actor, kind, name)).data)


@contextmanager
def throttled() -> Iterator[None]:
    """Answer too many lookups as too many requests: 429 with Retry-After."""
    try:
        yield
    except TooManyLookups:
        raise Throttled(WINDOW_SECONDS) from None
