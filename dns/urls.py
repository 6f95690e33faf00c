"""Addresses of DNS records, as pages and as endpoints."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from dns import web

pages = [
    path("domains/<uid:uid>/", web.records, name="domain"),
    path("domains/<uid:uid>/check/", web.check, name="domain-check"),
]

endpoints: list = []
