"""Where DNS records stand."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from dns import api, web

pages = [
    path("domains/<uid:uid>/", web.records, name="domain"),
    path("domains/<uid:uid>/check/", web.check, name="domain-check"),
    path("signing/", web.signers, name="signers"),
    path("metrics", web.metrics, name="metrics"),
]

endpoints = [
    path("domains/<str:domain>/zone", api.DomainZone.as_view(), name="api-domain-zone"),
    path("domains/<str:domain>/records", api.DomainRecords.as_view(), name="api-domain-records"),
]
