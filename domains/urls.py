"""Where domains stand."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from domains import api, web

pages = [
    path("domains/", web.index, name="domains"),
    path("domains/add/", web.add, name="domain-add"),
    path("domains/removed/", web.removed, name="domains-removed"),
    path("domains/<uid:uid>/restore/", web.restore, name="domain-restore"),
    path("domains/<uid:uid>/settings/", web.settings, name="domain-settings"),
    path("domains/<uid:uid>/defaults/", web.defaults, name="domain-defaults"),
    path("domains/<uid:uid>/plus/on/", web.set_plus_addressing, {"wanted": True}, name="domain-plus-on"),
    path("domains/<uid:uid>/plus/off/", web.set_plus_addressing, {"wanted": False}, name="domain-plus-off"),
    path("domains/<uid:uid>/verify/", web.verify, name="domain-verify"),
    path("domains/<uid:uid>/enable/", web.set_enabled, {"enabled": True}, name="domain-enable"),
    path("domains/<uid:uid>/disable/", web.set_enabled, {"enabled": False}, name="domain-disable"),
    path("domains/<uid:uid>/delete/", web.delete, name="domain-delete"),
]
endpoints = [
    path("domains", api.Domains.as_view(), name="api-domains"),
    path("domains/<str:domain>", api.OneDomain.as_view(), name="api-domain"),
    path("domains/<str:domain>/restore", api.DomainRestoration.as_view(), name="api-domain-restore"),
    path("domains/<str:domain>/verify", api.DomainVerification.as_view(), name="api-domain-verify"),
]
