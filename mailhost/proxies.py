"""Who asks, when a web server of ours stands in front: limits and the audit record go by the client's address."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


class ClientAddressMiddleware:
    """Sets REMOTE_ADDR from X-Forwarded-For, as far as our own proxies wrote it.

    Each of the MAILHOST_PROXIES adds the address that it saw on the right; what stands further left is the client's
    own say. With no proxy, with fewer entries, or with one that is no address, REMOTE_ADDR stays.
    """

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest):
        count = settings.MAILHOST_PROXIES
        entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if 0 < count <= len(entries) and (address := plain_address(entries[-count])):
            request.META["REMOTE_ADDR"] = address
        return self.get_response(request)


def plain_address(text: str) -> str:
    """Return the IP address in its usual spelling, or "" when it is none."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return ""
