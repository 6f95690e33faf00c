"""What programs ask without a session: views that the host's name has led to. They look at domains, never at mailboxes.

`domain` is the one that the host's name says, None where the host is our own and only an address can say it.
"""

import json
from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from clientsetup import apple, autoconfig, autodiscover
from clientsetup.hosted import domain_of_address
from clientsetup.services import first
from dns import pacc
from dns.policy_operations import policy_text
from domains.models import Domain
from mailhost.scope import tenant_scope

Document = Callable[[HttpRequest, Domain | None], HttpResponse]
# Programs ask again rarely, and a change of the servers is planned for days.
CACHED = "public, max-age=3600"
# A name that has come or gone is noticed by senders within the hour, whatever max_age says (RFC 8461, 3.3).
POLICY_CACHED = "public, max-age=600"
KEPT_NOWHERE = "no-store"


def answers_to(*methods: str) -> Callable[[Document], Document]:
    def decorate(view: Document) -> Document:
        @wraps(view)
        def shown(request: HttpRequest, domain: Domain | None) -> HttpResponse:
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            return view(request, domain)

        return shown

    return decorate


def not_here() -> HttpResponse:
    return plain("There is no mail domain of this name here.", status=404)


def plain(text: str, status: int = 200, cached: str = KEPT_NOWHERE) -> HttpResponse:
    return document(text.encode(), "text/plain; charset=utf-8", cached, status)


def document(body: bytes, content_type: str, cached: str, status: int = 200) -> HttpResponse:
    headers = {"Cache-Control": cached, "X-Content-Type-Options": "nosniff"}
    return HttpResponse(body, content_type=content_type, status=status, headers=headers)


@answers_to("GET", "HEAD")
def thunderbird(request: HttpRequest, domain: Domain | None) -> HttpResponse:
    address = request.GET.get("emailaddress", "")
    found = domain_of_address(address, domain) if address else domain
    return document(autoconfig.document(found), autoconfig.CONTENT_TYPE, CACHED) if found else not_here()


@answers_to("POST")
def outlook(request: HttpRequest, domain: Domain | None) -> HttpResponse:
    try:
        address = autodiscover.asked_address(request.read(autodiscover.MOST_BYTES + 1))
    except autodiscover.Unreadable as unreadable:
        return document(autodiscover.refusal(unreadable), autodiscover.CONTENT_TYPE, KEPT_NOWHERE, 400)
    found = domain_of_address(address, domain)
    if found is None:
        return not_here()
    return document(autodiscover.document(address, found), autodiscover.CONTENT_TYPE, KEPT_NOWHERE)


@answers_to("GET", "HEAD")
def outlook_address(request: HttpRequest, domain: Domain | None) -> HttpResponse:
    """Say where the XML is found. The address stands in the query or, for newer programs, at the path's end."""
    address = request.GET.get("Email", "") or request.path.rpartition("/v1.0/")[2]
    found = domain_of_address(address, domain)
    if found is None:
        return not_here()
    if request.GET.get("Protocol", "").lower() != "autodiscoverv1":
        refused = {"ErrorCode": "InvalidProtocol", "ErrorMessage": "Only the protocol AutodiscoverV1 is served."}
        return document(json.dumps(refused).encode(), "application/json", KEPT_NOWHERE, 400)
    url = f"https://autodiscover.{found.domain_name}/autodiscover/autodiscover.xml"
    body = json.dumps({"Protocol": "AutodiscoverV1", "Url": url}).encode()
    return document(body, "application/json", KEPT_NOWHERE)


@answers_to("GET", "HEAD")
def apple_profile(request: HttpRequest, domain: Domain | None) -> HttpResponse:
    """The profile of an address without a password: the device asks for it."""
    address = request.GET.get("emailaddress", "").strip()
    found = domain_of_address(address, domain)
    if found is None:
        return not_here()
    return profile_download(apple.signed_profile(address.lower(), found))


def profile_download(profile: bytes) -> HttpResponse:
    answer = document(profile, apple.CONTENT_TYPE, KEPT_NOWHERE)
    answer.headers["Content-Disposition"] = 'attachment; filename="mail.mobileconfig"'
    return answer


@answers_to("GET", "HEAD")
def mta_sts_policy(request: HttpRequest, domain: Domain | None) -> HttpResponse:
    if domain is None:
        return not_here()
    with tenant_scope(domain.tenant.path):
        text = policy_text(domain)
    return plain(text, cached=POLICY_CACHED) if text else plain("This domain has no MTA-STS policy.", status=404)


@answers_to("GET", "HEAD")
def user_agent_configuration(request: HttpRequest, domain: Domain | None) -> HttpResponse:
    if domain is None:
        return not_here()
    return document(pacc.document(domain.domain_name, first("imap").host), "application/json", CACHED)
