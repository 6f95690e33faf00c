"""The whole URL map."""

from django.urls import include, path
from django.views import defaults

import accounts.urls
import audit.urls
import billing.urls
import clientsetup.urls
import dns.urls
import domains.urls
import health.urls
import longwork.urls
import mailboxes.urls
import mailconfig.urls
import mailhost.api.urls
import reports.urls
import selfservice.urls
import tenants.urls
import webhooks.urls
from mailhost.api.errors import INTERNAL_ERROR, NOT_FOUND, NOT_PERMITTED, under_api
from mailhost.home import checklist, home, limits
from mailhost.palette import search
from mailhost.web import errors, style_page

APPS = [
    longwork.urls,
    tenants.urls,
    audit.urls,
    accounts.urls,
    domains.urls,
    mailboxes.urls,
    dns.urls,
    mailconfig.urls,
    selfservice.urls,
    clientsetup.urls,
    reports.urls,
    webhooks.urls,
    billing.urls,
    health.urls,
]

# Routes are tried one after the other: those first that programs ask for most.
ASKED_MOST = [mailboxes.urls, domains.urls]
in_order = [*ASKED_MOST, *(app for app in APPS if app not in ASKED_MOST), mailhost.api.urls]
endpoints = [endpoint for app in in_order for endpoint in app.endpoints]
pages = [
    path("", home, name="home"),
    path("search/", search, name="search"),
    path("overview/limits/", limits, name="limits"),
    path("overview/checklist/", checklist, name="checklist"),
    path("style/", style_page.style, name="style"),
    *(page for app in APPS for page in app.pages),
]

urlpatterns = [
    path("api/v1/", include(endpoints)),
    *mailhost.api.urls.described,
    path("", include(pages)),
    *mailhost.api.urls.rest,
]

handler400 = under_api("malformed_request", "The request is malformed.", defaults.bad_request)
handler403 = under_api("not_permitted", NOT_PERMITTED, errors.forbidden)
handler404 = under_api("not_found", NOT_FOUND, errors.not_found)
handler429 = errors.too_many
handler500 = under_api("internal_error", INTERNAL_ERROR, errors.server_error)
