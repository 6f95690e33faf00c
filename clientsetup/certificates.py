"""The question of a web server that fetches certificates on demand: may it ask for one of this name?"""

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from clientsetup.documents import answers_to, plain
from clientsetup.hosted import hosted
from dns.models import DnsRecord, Status
from dns.policy_operations import policy_text
from domains.models import Domain
from domains.names import normalise_host
from mailhost.errors import Refused
from mailhost.scope import tenant_scope

LOOPBACK = frozenset({"127.0.0.1", "::1"})
# An authority issues some dozens of certificates in an hour; whoever asks more is not our web server at work.
MOST_IN_A_MINUTE = 120
NAMES = ("autoconfig", "autodiscover", "mta-sts", "ua-auto-config")


def allowed(request: HttpRequest) -> HttpResponse:
    """Answer 200 for a name that leads here and is served here, else 403; 429 when it is asked too often.

    Only who asks from this machine, and not through a proxy, is answered: the answer tells which domains are hosted.
    """
    if request.META["REMOTE_ADDR"] not in LOOPBACK or "HTTP_X_FORWARDED_FOR" in request.META:
        return plain("This is asked from the machine itself.", status=404)
    return judged(request, None)


@answers_to("GET", "HEAD")
def judged(request: HttpRequest, _domain: Domain | None) -> HttpResponse:
    if asked_in_this_minute() > MOST_IN_A_MINUTE:
        return plain("Too many questions. Ask again in a minute.", status=429)
    if is_served(request.GET.get("domain", "")):
        return plain("yes")
    return plain("no", status=403)


def is_served(name: str) -> bool:
    """Say whether a certificate of this name would be used: its domain is proven, and DNS leads the name here."""
    try:
        name = normalise_host(name)
    except Refused:
        return False
    label, _, rest = name.partition(".")
    domain = hosted(rest) if label in NAMES else None
    if domain is None:
        return False
    with tenant_scope(domain.tenant.path):
        if label == "mta-sts" and not policy_text(domain):
            return False
        rows = DnsRecord.objects.filter(domain=domain, name=name, record_type="CNAME", status=Status.OK)
        return rows.exists()


def asked_in_this_minute() -> int:
    key = "tls-allowed"
    if cache.add(key, 1, timeout=60):
        return 1
    try:
        return cache.incr(key)
    except ValueError:
        # It ran out between the two.
        return 1
