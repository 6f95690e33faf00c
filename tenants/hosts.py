"""Requests at a reseller's own host name.

Django's ALLOWED_HOSTS stays what it is: the installation's own names, and nothing else passes. A name that a brand has
proven in DNS is let in here, by asking the one unique index for exactly that name; links in mails never depend on it
(`tenants.brands.panel_url`).
"""

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host

from tenants.brands import brand_of_host
from tenants.models import Brand

HSTS = "Strict-Transport-Security"


class BrandHostMiddleware:
    """Sets `request.brand` to the brand whose host name was asked, None for the installation's own names."""

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.META.get("HTTP_HOST", "")
        request.brand = self.brand_of(asked)
        if request.brand is not None:
            request.get_host = lambda: asked  # type: ignore[method-assign]
        is_named = request.brand is not None
        response = self.get_response(request)
        if is_named and HSTS in response:
            # What else stands below a reseller's name is not ours to speak for.
            response[HSTS] = f"max-age={settings.SECURE_HSTS_SECONDS}"
        return response

    def brand_of(self, asked: str) -> Brand | None:
        name, _port = split_domain_port(asked)
        if not name or validate_host(name, settings.ALLOWED_HOSTS):
            return None
        try:
            return brand_of_host(name)
        except DatabaseError:
            # Nobody can say whose it is, so it is nobody's: Django refuses it.
            return None
