"""Where DNS records, keys and tools stand."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from dns import web
from dns.api import keys, policies, publishing, records, tools

pages = [
    path("domains/<uid:uid>/", web.records, name="domain"),
    path("domains/<uid:uid>/check/", web.check, name="domain-check"),
    path("signing/", web.signers, name="signers"),
    path("metrics", web.metrics, name="metrics"),
]

endpoints = [
    path("domains/<str:domain>/records", records.DomainRecords.as_view(), name="api-domain-records"),
    path("domains/<str:domain>/check", publishing.DomainCheck.as_view(), name="api-domain-check"),
    path("domains/<str:domain>/checks", publishing.DomainHistory.as_view(), name="api-domain-checks"),
    path("domains/<str:domain>/zone", records.DomainZone.as_view(), name="api-domain-zone"),
    path("domains/<str:domain>/zone-access", publishing.DomainZoneAccess.as_view(), name="api-zone-access"),
    path("domains/<str:domain>/publish", publishing.DomainPublication.as_view(), name="api-publication"),
    path("domains/<str:domain>/publish/undo", publishing.DomainPublicationUndo.as_view(), name="api-publication-undo"),
    path("domains/<str:domain>/mta-sts", policies.DomainMtaSts.as_view(), name="api-mta-sts"),
    path("domains/<str:domain>/dkim-keys", keys.DkimKeys.as_view(), name="api-dkim-keys"),
    path("domains/<str:domain>/dkim-keys/next", keys.NextDkimKey.as_view(), name="api-next-dkim-key"),
    path("dns/check", tools.DnsCheck.as_view(), name="api-dns-check"),
    path("dns/spf", tools.DnsSpf.as_view(), name="api-dns-spf"),
    path("dns/dmarc", tools.DnsDmarc.as_view(), name="api-dns-dmarc"),
    path("dns/<str:kind>/<str:name>", tools.DnsLookup.as_view(), name="api-dns-lookup"),
]
