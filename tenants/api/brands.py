"""The brand that a tenant's people see, over REST."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mailhost.api.endpoint import Endpoint
from mailhost.api.ids import public_id
from mailhost.api.schema import describe
from mailhost.api.serializers import Answer, ObjectName, Shape, Text
from mailhost.errors import Refused
from mailhost.mail import Dress
from tenants.brand_operations import set_brand
from tenants.brands import panel_url
from tenants.locks import lock_branch
from tenants.models import Brand, Tenant
from tenants.references import PREFIX, find_tenant

NEEDED = ("name", "light", "dark")
OPTIONAL = ("support_email", "sign_in_text", "mail_footer")
TEXTS = (*NEEDED, *OPTIONAL)
OF_HOST = ("host_name", "host_verified_at")


class BrandAnswer(Answer):
    """Under which name and colours a tenant's people see the panel. `tenant_id` is whose brand it is: the nearest at or
    above the tenant; null for the installation's own look, which has no colours to choose."""

    object = ObjectName("brand")
    tenant_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    light = serializers.CharField(allow_null=True)
    dark = serializers.CharField(allow_null=True)
    support_email = serializers.CharField()
    sign_in_text = serializers.CharField()
    mail_footer = serializers.CharField()
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


class TenantBrand(Endpoint):
    """The brand that a tenant's people see. It is changed by the tenant whose it is, with a key of its own."""

    actions = {"GET": "tenants.list", "PATCH": set_brand.action}

    def lock(self, request: Request, tenant: str) -> None:
        lock_branch(find_tenant(tenant))

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
        row = find_tenant(tenant)
        if row.pk != request.actor.tenant_id:
            raise Refused("not_own", "", "A brand is changed by the tenant whose it is, with a key of its own.")
        wanted = _present(row) | self.body(BrandChange)
        for name in NEEDED:
            if name not in wanted:
                raise Refused("required", name, "A first brand needs a name and a colour for each theme.")
        set_brand(request.actor, **wanted)
        return Response(_shown(row))


def _present(tenant: Tenant) -> dict[str, Any]:
    """Return what a change builds on: nothing while there is no brand of the tenant's own."""
    brand = Brand.objects.filter(tenant=tenant).first()
    return {name: getattr(brand, name) for name in TEXTS} if brand else {}


def _shown(tenant: Tenant) -> dict[str, Any]:
    """Return the answer about the brand that the tenant's people see, or about the look of the installation."""
    brand = Tenant.objects.select_related("brand__tenant").get(pk=tenant.pk).brand
    shown = {name: getattr(brand, name, "" if name in OPTIONAL else None) for name in (*TEXTS, *OF_HOST)}
    shown |= {"tenant_id": public_id(PREFIX, brand.tenant) if brand else None, "panel_url": panel_url(brand)}
    return BrandAnswer(shown | ({} if brand else {"name": Dress.name})).data
