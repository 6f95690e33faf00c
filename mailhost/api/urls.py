"""Where the API describes itself."""

from django.urls import path, re_path

from mailhost.api import public

endpoints = [
    path("openapi.json", public.openapi, name="api-openapi"),
]
described = [
    path("api/docs", public.docs, name="api-docs"),
]
# Last, so that nothing under /api is answered by a page.
rest = [re_path(r"^api(?:/.*)?$", public.nowhere, name="api-nowhere")]
