"""Where a domain's signing keys stand, over REST."""

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dns import key_aliases
from dns.key_operations import delegate_keys, is_by_alias
from domains.api import OfDomain
from domains.models import Domain
from domains.references import find_domain
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, Shape, Switch


class DelegationAnswer(Answer):
    """Where the domain's signing keys stand: `by_alias`, in a zone of the operator's to which aliases (CNAME) of the
    domain lead, so that later keys need no act of anybody; or in the domain itself. `zone` is empty where the
    installation has none."""

    has_etag = True

    object = ObjectName("dkim_delegation")
    by_alias = serializers.BooleanField()
    zone = serializers.CharField()
    selectors = serializers.ListField(child=serializers.CharField())


class DelegationChoice(Shape):
    """`by_alias`: true for aliases into the operator's zone, false for keys in the domain itself."""

    by_alias = Switch()


class DomainDelegation(OfDomain):
    """Where the signing keys of a domain stand."""

    actions = {"GET": "records.list", "PUT": delegate_keys.action}

    @describe("get_dkim_delegation", "Show where the signing keys stand", answer=DelegationAnswer, names_object=True)
    def get(self, request: Request, domain: str) -> Response:
        return Response(shown(find_domain(domain)))

    @describe(
        "set_dkim_delegation",
        "Have the next signing keys stand behind aliases, or in the domain",
        body=DelegationChoice,
        answer=DelegationAnswer,
        names_object=True,
        changes=True,
    )
    def put(self, request: Request, domain: str) -> Response:
        row = find_domain(domain)
        delegate_keys(request.actor, domain=row, **self.body(DelegationChoice))
        return Response(shown(row))


def shown(domain: Domain) -> dict:
    by_alias = is_by_alias(domain)
    return DelegationAnswer(
        {
            "by_alias": by_alias,
            "zone": settings.MAILHOST_DKIM_ZONE,
            "selectors": key_aliases.SELECTORS if by_alias else (),
        }
    ).data
