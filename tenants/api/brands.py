"""The brand that a tenant's people see, over REST."""

from typing import Any, Literal

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost.api.endpoint import Endpoint, gone
from mailhost.api.ids import public_id
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, Base64, Nothing, ObjectName, Shape, Text
from mailhost.errors import Refused
from mailhost.mail import Dress
from tenants.brand_operations import remove_brand, remove_brand_logo, set_brand, set_brand_logo
from tenants.brands import panel_url, pointing
from tenants.host_operations import set_brand_host, verify_brand_host
from tenants.locks import lock_branch
from tenants.models import Brand, Tenant
from tenants.references import PREFIX, find_tenant

NEEDED = ("name", "light", "dark")
OPTIONAL = ("support_email", "sign_in_text", "mail_footer")
TEXTS = (*NEEDED, *OPTIONAL)
OF_HOST = ("host_name", "host_verified_at")
BRAND_PREFIX = "brd"
# Of a logo of the greatest size in base64, and somewhat more, so that it is the rule that speaks of the size.
MOST_TEXT = 2_000_000


class BrandAnswer(Answer):
    """Under which name and colours a tenant's people see the panel. `tenant_id` is whose brand it is: the nearest at or
    above the tenant; null for the installation's own look, which has no colours to choose."""

    id = serializers.CharField(allow_null=True)
    object = ObjectName("brand")
    tenant_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    light = serializers.CharField(allow_null=True)
    dark = serializers.CharField(allow_null=True)
    support_email = serializers.CharField()
    sign_in_text = serializers.CharField()
    mail_footer = serializers.CharField()
    logo_url = serializers.CharField(allow_null=True, help_text="Open to everybody, as browsers fetch it.")
    host_name = serializers.CharField(allow_null=True)
    host_verified_at = serializers.DateTimeField(allow_null=True)
    panel_url = serializers.CharField()


class BrandChange(Shape):
    """What is not given stays. A first brand needs `name` and, as #rrggbb, the colours `light` and `dark` of the two
    themes; a colour that nobody could read is refused with one that holds."""

    name = Text(required=False)
    light = Text(required=False)
    dark = Text(required=False)
    support_email = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    sign_in_text = Text(required=False, allow_blank=True)
    mail_footer = Text(required=False, allow_blank=True)


class NewLogo(Shape):
    """`logo`: a PNG, JPEG or WebP file of at most 1 MB and 4096 by 4096 pixels, in base64. It is drawn anew, small."""

    logo = Base64(max_length=MOST_TEXT)


class RecordToPublish(Answer):
    """What must stand in DNS."""

    type = serializers.ChoiceField(choices=("TXT", "CNAME"))
    name = serializers.CharField()
    value = serializers.CharField()


class BrandHostAnswer(Answer):
    """The host name at which people of a tenant's own brand sign in. `status` is `none` without one, `pending` until
    `/verify` has found the `records` in DNS, `verified`, and `lapsed` while the proof of one in use is gone: after a
    grace it is used no more. A and AAAA records with the panel's addresses do in the place of the CNAME."""

    object = ObjectName("brand_host")
    host_name = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=("none", "pending", "verified", "lapsed"))
    verified_at = serializers.DateTimeField(allow_null=True)
    lapsed_at = serializers.DateTimeField(allow_null=True)
    records = RecordToPublish(many=True)


class WantedHost(Shape):
    """The host name; U-labels are accepted. One that is no longer the former must be proven anew."""

    host_name = Text()


class OfBrand(Endpoint):
    """What changes a brand does so under its tenant's lock, with a key of the tenant whose it is."""

    def lock(self, request: Request, tenant: str) -> None:
        lock_branch(find_tenant(tenant))


class TenantBrand(OfBrand):
    """The brand that a tenant's people see. It is changed by the tenant whose it is, with a key of its own."""

    actions = {"GET": "tenants.list", "PATCH": set_brand.action, "DELETE": remove_brand.action}

    @describe("get_brand", "Show a tenant's brand", answer=BrandAnswer, names_object=True)
    def get(self, request: Request, tenant: str) -> Response:
        return Response(_shown(find_tenant(tenant)))

    @describe(
        "update_brand",
        "Give the key's own tenant a brand, or change it",
        body=BrandChange,
        answer=BrandAnswer,
        names_object=True,
        changes=True,
    )
    def patch(self, request: Request, tenant: str) -> Response:
        row = own(request, tenant)
        wanted = _present(row) | self.body(BrandChange)
        for name in NEEDED:
            if name not in wanted:
                raise Refused("required", name, "A first brand needs a name and a colour for each theme.")
        set_brand(request.actor, **wanted)
        return Response(_shown(row))

    @describe(
        "delete_brand",
        "Remove the brand of the key's own tenant: its people see the one above",
        status=204,
        names_object=True,
        changes=True,
    )
    def delete(self, request: Request, tenant: str) -> Response:
        own(request, tenant)
        remove_brand(request.actor)
        return gone()


class TenantBrandLogo(OfBrand):
    """The picture that a brand shows in the place of ours."""

    shows = TenantBrand
    actions = {"PUT": set_brand_logo.action, "DELETE": remove_brand_logo.action}

    @describe("put_brand_logo", "Set a brand's logo", body=NewLogo, answer=BrandAnswer, names_object=True, changes=True)
    def put(self, request: Request, tenant: str) -> Response:
        row = own(request, tenant)
        set_brand_logo(request.actor, logo=self.body(NewLogo)["logo"])
        return Response(_shown(row))

    @describe("delete_brand_logo", "Remove a brand's logo", status=204, names_object=True, changes=True)
    def delete(self, request: Request, tenant: str) -> Response:
        own(request, tenant)
        remove_brand_logo(request.actor)
        return gone()


class TenantBrandHost(OfBrand):
    """The host name of a tenant's own brand."""

    shows = TenantBrand
    actions = {"GET": "tenants.list", "PUT": set_brand_host.action, "DELETE": set_brand_host.action}

    @describe("get_brand_host", "Show a brand's host name", answer=BrandHostAnswer, names_object=True)
    def get(self, request: Request, tenant: str) -> Response:
        return Response(_shown_host(Brand.objects.filter(tenant=find_tenant(tenant)).first()))

    @describe(
        "put_brand_host",
        "Name the host at which people of the brand sign in",
        body=WantedHost,
        answer=BrandHostAnswer,
        names_object=True,
        changes=True,
    )
    def put(self, request: Request, tenant: str) -> Response:
        own(request, tenant)
        return Response(_shown_host(set_brand_host(request.actor, **self.body(WantedHost))))

    @describe("delete_brand_host", "Have no host name any more", status=204, names_object=True, changes=True)
    def delete(self, request: Request, tenant: str) -> Response:
        own(request, tenant)
        set_brand_host(request.actor, host_name="")
        return gone()


class BrandHostVerification(OfBrand):
    """Looks in DNS for the proof of the host name now."""

    shows = TenantBrand
    actions = {"POST": verify_brand_host.action}

    @describe(
        "verify_brand_host",
        "Look for the proof of a brand's host name",
        answer=BrandHostAnswer,
        names_object=True,
        changes=True,
    )
    def post(self, request: Request, tenant: str) -> Response:
        own(request, tenant)
        self.body(Nothing)
        return Response(_shown_host(verify_brand_host(request.actor)))


def own(request: Request, reference: str) -> Tenant:
    """Return the tenant that the path names. Raises Refused("not_own") for one that is not the key's."""
    row = find_tenant(reference)
    if row.pk != request.actor.tenant_id:
        raise Refused("not_own", "", "A brand is changed by the tenant whose it is, with a key of its own.")
    return row


def _present(tenant: Tenant) -> dict[str, Any]:
    """Return what a change builds on: nothing while there is no brand of the tenant's own."""
    brand = Brand.objects.filter(tenant=tenant).first()
    return {name: getattr(brand, name) for name in TEXTS} if brand else {}


def _shown(tenant: Tenant) -> dict[str, Any]:
    """Return the answer about the brand that the tenant's people see, or about the look of the installation."""
    brand = Tenant.objects.select_related("brand__tenant").get(pk=tenant.pk).brand
    shown = {name: getattr(brand, name, "" if name in OPTIONAL else None) for name in (*TEXTS, *OF_HOST)}
    shown |= {"tenant_id": public_id(PREFIX, brand.tenant) if brand else None, "panel_url": panel_url(brand)}
    shown |= {"id": public_id(BRAND_PREFIX, brand) if brand else None, "logo_url": _logo_url(brand)}
    return BrandAnswer(shown | ({} if brand else {"name": Dress.name})).data


def _logo_url(brand: Brand | None) -> str | None:
    if brand is None or not brand.logo_version:
        return None
    return panel_url(brand) + reverse("brand-logo", args=[brand.uid, brand.logo_version])


def _shown_host(brand: Brand | None) -> dict[str, Any]:
    """Return the answer about the host name of a tenant's own brand, which there need not be."""
    if brand is None or not brand.host_name:
        nothing = {"host_name": None, "status": "none", "verified_at": None, "lapsed_at": None, "records": []}
        return BrandHostAnswer(nothing).data
    wanted = pointing(brand)
    return BrandHostAnswer(
        {
            "host_name": brand.host_name,
            "status": _standing(brand),
            "verified_at": brand.host_verified_at,
            "lapsed_at": brand.host_lapsed_at,
            "records": [
                {"type": "TXT", "name": wanted.proof_name, "value": wanted.proof_value},
                {"type": "CNAME", "name": wanted.host_name, "value": wanted.panel_host},
            ],
        }
    ).data


def _standing(brand: Brand) -> Literal["pending", "verified", "lapsed"]:
    if brand.host_verified_at is None:
        return "pending"
    return "verified" if brand.host_lapsed_at is None else "lapsed"
