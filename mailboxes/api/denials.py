"""The deny list of a domain's catch-all over REST."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from domains.api import OfDomain
from domains.references import find_domain
from mailboxes.denial_operations import allow_address, deny_address
from mailboxes.references import ALIAS_PREFIX, denials_of, find_denial
from mailhost.api.endpoint import Endpoint, gone
from mailhost.api.lists import Listing
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, PublicId, Shape, Text

LISTING = Listing(
    orders={"address": ("alias_email", "pk"), "created_at": ("pk",)},
    search=lambda rows, words: rows.filter(alias_email__contains=words),
    searched="the address",
    words_of=str.lower,
)


class DeniedAddressAnswer(Answer):
    """An address that the domain's catch-all does not take: a message for it is refused (550 5.1.1)."""

    id = PublicId(ALIAS_PREFIX)
    object = ObjectName("denied_address")
    address = serializers.CharField(source="alias_email")
    domain = serializers.CharField(source="domain.domain_name")
    created_at = serializers.DateTimeField()


class NewDeniedAddress(Shape):
    """`address` is a whole address of the domain, or what stands before the @."""

    address = Text()


class DeniedAddresses(Endpoint):
    """The deny list of a domain's catch-all. It holds for whatever catch-all the domain has or gets."""

    actions = {"GET": "aliases.list", "POST": deny_address.action}
    listing = LISTING

    @describe("list_denied_addresses", "List a deny list", answer=DeniedAddressAnswer, names_object=True, lists=True)
    def get(self, request: Request, domain: str) -> Response:
        return self.page(denials_of, DeniedAddressAnswer, of={"domain": find_domain(domain).pk})

    @describe(
        "deny_address",
        "Keep an address from the catch-all",
        body=NewDeniedAddress,
        answer=DeniedAddressAnswer,
        status=201,
        names_object=True,
        changes=True,
    )
    def post(self, request: Request, domain: str) -> Response:
        row = find_domain(domain)
        answer = DeniedAddressAnswer(deny_address(request.actor, domain=row, **self.body(NewDeniedAddress))).data
        return Response(answer, status=201, headers={"Location": f"{request._request.path}/{answer['id']}"})


class OneDeniedAddress(OfDomain):
    """One address on a deny list, by id or address."""

    actions = {"GET": "aliases.list", "DELETE": allow_address.action}

    def lock(self, request: Request, domain: str, denied: str) -> None:
        super().lock(request, domain)

    @describe("get_denied_address", "Show a denied address", answer=DeniedAddressAnswer, names_object=True)
    def get(self, request: Request, domain: str, denied: str) -> Response:
        return Response(DeniedAddressAnswer(find_denial(find_domain(domain), denied)).data)

    @describe("allow_address", "Give an address back to the catch-all", status=204, names_object=True, changes=True)
    def delete(self, request: Request, domain: str, denied: str) -> Response:
        allow_address(request.actor, denial=find_denial(find_domain(domain), denied))
        return gone()
