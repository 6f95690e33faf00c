"""Where DNS records, keys and tools stand."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from dns.api import delegation, keys, policies, publishing, records, tools
from dns.web import arrival
from dns.web import keys as key_pages
from dns.web import logo as logo_pages
from dns.web import publishing as publishing_pages
from dns.web import records as records_pages
from dns.web import signers as signer_pages
from dns.web import tools as tool_pages

pages = [
    path("domains/add/found/", arrival.arrival, name="domain-arrival"),
    path("domains/<uid:uid>/", records_pages.records, name="domain"),
    path("domains/<uid:uid>/check/", records_pages.check, name="domain-check"),
    path("domains/<uid:uid>/check/turned/", records_pages.turned_rows, name="domain-turned-rows"),
    path("domains/<uid:uid>/zone/", records_pages.zone_file, name="domain-zone"),
    path("domains/<uid:uid>/history/", records_pages.history, name="domain-history"),
    path("domains/<uid:uid>/publishing/", publishing_pages.publishing, name="domain-publishing"),
    path("domains/<uid:uid>/publishing/connect/", publishing_pages.connect, name="zone-connect"),
    path("domains/<uid:uid>/publishing/disconnect/", publishing_pages.disconnect, name="zone-disconnect"),
    path("domains/<uid:uid>/publishing/publish/", publishing_pages.publish, name="zone-publish"),
    path("domains/<uid:uid>/publishing/undo/", publishing_pages.undo, name="zone-undo"),
    path("domains/<uid:uid>/keys/", key_pages.keys, name="dkim-keys"),
    path("domains/<uid:uid>/keys/rotate/", key_pages.rotate, name="dkim-rotate"),
    path("domains/<uid:uid>/keys/delegate/", key_pages.delegate, name="dkim-delegate"),
    path("domains/<uid:uid>/keys/import/", key_pages.import_one, name="dkim-import"),
    path("domains/<uid:uid>/keys/abandon/", key_pages.abandon, name="dkim-abandon"),
    path("domains/<uid:uid>/logo/", logo_pages.logo, name="domain-logo"),
    path("domains/<uid:uid>/logo/remove/", logo_pages.remove, name="domain-logo-remove"),
    path("domains/<uid:uid>/logo/restore/", logo_pages.restore, name="domain-logo-restore"),
    path("dns/", tool_pages.check, name="dns-tools"),
    path("dns/look-up/", tool_pages.look_up, name="dns-look-up"),
    path("dns/spf/", tool_pages.make_spf, name="dns-make-spf"),
    path("dns/dmarc/", tool_pages.make_dmarc, name="dns-make-dmarc"),
    path("signing/", signer_pages.signers, name="signers"),
    path("metrics", signer_pages.metrics, name="metrics"),
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
    path("domains/<str:domain>/logo", policies.DomainLogo.as_view(), name="api-logo"),
    path("domains/<str:domain>/dkim", delegation.DomainDelegation.as_view(), name="api-dkim-delegation"),
    path("domains/<str:domain>/dkim-keys", keys.DkimKeys.as_view(), name="api-dkim-keys"),
    path("domains/<str:domain>/dkim-keys/next", keys.NextDkimKey.as_view(), name="api-next-dkim-key"),
    path("dns/check", tools.DnsCheck.as_view(), name="api-dns-check"),
    path("dns/spf", tools.DnsSpf.as_view(), name="api-dns-spf"),
    path("dns/dmarc", tools.DnsDmarc.as_view(), name="api-dns-dmarc"),
    path("dns/<str:kind>/<str:name>", tools.DnsLookup.as_view(), name="api-dns-lookup"),
]
