"""Where the record of changes stands."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from audit import api, web

pages = [
    path("audit/", web.audit_log, name="audit"),
    path("audit/<uid:uid>/", web.event, name="audit-event"),
    path("audit/export.csv", web.export, {"kind": "csv"}, name="audit-csv"),
    path("audit/export.json", web.export, {"kind": "json"}, name="audit-json"),
]
endpoints = [
    path("audit-events", api.AuditEvents.as_view(), name="api-audit-events"),
    path("audit-events/export", api.AuditExport.as_view(), name="api-audit-export"),
    path("audit-events/<str:event>", api.OneAuditEvent.as_view(), name="api-audit-event"),
]
