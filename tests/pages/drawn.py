"""Pages at which nobody arrives by an address: errors, a reseller's sign-in at its own host, health with red parts.
The panel draws them here, and the browser gets them at addresses of their own."""

from contextlib import suppress

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from accounts.actors import system_actor
from mailhost.request_id import carrying
from mailhost.scope import every_tenant
from mailhost.web import errors
from tenants.brand_operations import set_brand
from tenants.models import Brand
from tenants.operations import create_tenant
from tests.pages.town import Town
from tests.webside import signed_in

PLACE = "/drawn/"
HOST = "mail.tern.example"


def drawn(town: Town) -> dict[str, HttpResponse]:
    """Return the answers by name."""
    request = RequestFactory().get("/")
    with carrying("req_4711"):
        found = {
            "error-403": errors.forbidden(request, PermissionDenied("Your role does not allow this.")),
            "error-429": errors.too_many(request),
            "error-500": errors.server_error(request),
            "error-503": without_database(),
        }
    return found | {"sign-in-branded": branded_sign_in(town), "operator-health-red": red_health(town)}


def without_database() -> HttpResponse:
    with suppress(OperationalError):
        try:
            raise OperationalError(2002, "Can't connect")
        finally:
            answer = errors.server_error(RequestFactory().get("/"))
    return answer


def branded_sign_in(town: Town) -> HttpResponse:
    with every_tenant("the town is built"):
        tern = create_tenant(town.actor, parent=town.operator, kind="reseller", name="Tern Mail")
        text = "Mail for the north, from people who answer the telephone."
        set_brand(
            system_actor(tern, "tern@tern.example"),
            name="Tern Mail",
            light="#7a2f6b",
            dark="#f0a8de",
            support_email="help@tern.example",
            sign_in_text=text,
        )
        Brand.objects.filter(tenant=tern).update(host_name=HOST, host_verified_at=timezone.now())
    return Client().get("/sign-in/", headers={"host": HOST})


def red_health(town: Town) -> HttpResponse:
    client = signed_in(town.person("operator@mailhost.example"))
    with pytest.MonkeyPatch.context() as patch, override_settings(REDIS_URL="redis://127.0.0.1:9/0"):
        patch.setenv("MAILHOST_CONFIG_GUARD_SOCKET", "/nonexistent/guard.sock")
        patch.setenv("MAILHOST_CONFIG_POSTFIX_CONFIG_DIR", "/nonexistent/postfix")
        return client.get("/health/")
