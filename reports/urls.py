"""Where reports stand."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from reports import api, web

pages = [
    path("domains/<uid:uid>/reports/", web.show, name="domain-reports"),
    path("domains/<uid:uid>/reports/policy/", web.set_policy, name="domain-dmarc-policy"),
    path("mail-sources/<uid:uid>/mark/", web.mark, name="mail-source-mark"),
    path("reports/set-aside/", web.set_aside, name="reports-set-aside"),
]
endpoints = [
    path("domains/<str:domain>/reports/dmarc", api.DomainDmarcReports.as_view(), name="api-dmarc-reports"),
    path("domains/<str:domain>/reports/tls", api.DomainTlsReports.as_view(), name="api-tls-reports"),
    path("domains/<str:domain>/reports/sources/<str:address>", api.DomainMailSource.as_view(), name="api-mail-source"),
]
