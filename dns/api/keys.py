"""A domain's signing keys over REST. Private parts come in and never go out."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dns.key_operations import abandon_key, import_key, rotate_key
from dns.models import DkimKey, key_states
from dns.records import dkim_name
from domains.api import OfDomain
from domains.references import find_domain
from mailhost.api.endpoint import gone
from mailhost.api.lists import Listing, in_ascii
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, Shape, Text

MAX_PEM = 8000
LISTING = Listing(
    orders={"newest": ("-pk",), "created_at": ("pk",)},
    search=in_ascii("selector"),
    searched="the selector",
    words_of=str.lower,
)


class DkimKeyAnswer(Answer):
    """A signing key. `state`: `pending` until DNS shows it, `published` once all its servers do, `active` while it
    signs, `retiring` for a week after its successor has taken over, `retired` when its private part is destroyed."""

    object = ObjectName("dkim_key")
    selector = serializers.CharField()
    algorithm = serializers.CharField()
    state = serializers.ChoiceField(choices=key_states())
    state_since = serializers.DateTimeField()
    record_name = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    @extend_schema_field({"type": "string"})
    def get_record_name(self, key: DkimKey) -> str:
        return dkim_name(key.selector, key.domain.domain_name)


class NewDkimKey(Shape):
    """Empty for a key that is made here. With `private_key` (PEM, RSA of 2048 bits or more) and its `selector`, a key
    that you have already; Ed25519 is not signed with here."""

    selector = Text(required=False)
    private_key = serializers.CharField(required=False, max_length=MAX_PEM, trim_whitespace=False)

    def validate(self, attrs):
        if ("selector" in attrs) != ("private_key" in attrs):
            lacking = "private_key" if "selector" in attrs else "selector"
            raise serializers.ValidationError({lacking: "Selector and private key come together."})
        return attrs


class DkimKeys(OfDomain):
    """The keys of one domain, the newest first."""

    actions = {"GET": "records.list", "POST": rotate_key.action}
    listing = LISTING
    body_names = {"private_pem": "private_key"}

    @describe("list_dkim_keys", "List a domain's signing keys", answer=DkimKeyAnswer, lists=True, names_object=True)
    def get(self, request: Request, domain: str) -> Response:
        return self.page(_keys_of, DkimKeyAnswer, of={"domain": find_domain(domain).pk})

    @describe(
        "rotate_dkim_key",
        "Begin a rotation to a new key, made here or brought along",
        body=NewDkimKey,
        answer=DkimKeyAnswer,
        status=201,
        names_object=True,
        changes=True,
    )
    def post(self, request: Request, domain: str) -> Response:
        row, given = find_domain(domain), self.body(NewDkimKey)
        if given:
            key = import_key(request.actor, domain=row, selector=given["selector"], private_pem=given["private_key"])
        else:
            key = rotate_key(request.actor, domain=row)
        return Response(DkimKeyAnswer(key).data, status=201)


class NextDkimKey(OfDomain):
    """The key that waits until DNS shows it."""

    actions = {"DELETE": abandon_key.action}

    @describe("delete_next_dkim_key", "Give up the key that waits", status=204, names_object=True, changes=True)
    def delete(self, request: Request, domain: str) -> Response:
        abandon_key(request.actor, domain=find_domain(domain))
        return gone()


def _keys_of(domain: int) -> QuerySet[DkimKey]:
    return DkimKey.objects.filter(domain=domain).select_related("domain")
