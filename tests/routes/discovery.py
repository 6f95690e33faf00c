"""Which addresses there are: read from the URL map, so that none can be forgotten."""

import re
from collections.abc import Iterator
from functools import cache

from django.urls import URLPattern, get_resolver

from mailhost.api.schema import document
from mailhost.api.scopes import scope_of


def addresses(patterns: list | None = None, above: str = "") -> Iterator[tuple[str, type | None]]:
    """Yield (route, the endpoint's class or None) of everything in the URL map."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = above + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, getattr(pattern.callback, "cls", None)
        else:
            yield from addresses(pattern.url_patterns, route)


def endpoint_methods() -> set[tuple[str, str]]:
    """Return (method, route) of everything that an endpoint answers."""
    return {
        (name.upper(), route)
        for route, endpoint in addresses()
        if endpoint
        for name in endpoint.http_method_names
        if hasattr(endpoint, name)
    } - {("HEAD", route) for route, _ in addresses()}


def pages() -> set[str]:
    """Return the routes that are no endpoint's."""
    return {route for route, endpoint in addresses() if endpoint is None}


def described_methods() -> set[tuple[str, str]]:
    """Return (method, route) of everything in the OpenAPI document, its parameters written as the URL map's."""
    return {
        (method.upper(), re.sub(r"{(\w+)}", r"<str:\1>", path).lstrip("/"))
        for path, methods in document()["paths"].items()
        for method in methods
    }


@cache
def scopes_needed() -> dict[tuple[str, str], str]:
    """Return the scope that each method of each endpoint needs, "" for none."""
    return {
        (method, route): scope_of(action) if action else ""
        for route, endpoint in addresses()
        if endpoint
        for method, action in endpoint.actions.items()
    }
