"""Which names of hosted domains are answered, and for which paths alone."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from clientsetup import certificates, documents
from clientsetup.documents import Document
from clientsetup.hosted import hosted
from dns.pacc import WELL_KNOWN as PACC

AUTOCONFIG = ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml")
AUTODISCOVER = "/autodiscover/autodiscover.xml"
AUTODISCOVER_JSON = "/autodiscover/autodiscover.json"
PROFILE = "/mail/apple.mobileconfig"
MTA_STS = "/.well-known/mta-sts.txt"
TLS_ALLOWED = "/internal/tls/allowed"

SETUP: dict[str, Document] = {
    **dict.fromkeys(AUTOCONFIG, documents.thunderbird),
    AUTODISCOVER: documents.outlook,
    AUTODISCOVER_JSON: documents.outlook_address,
    PROFILE: documents.apple_profile,
}
# What stands below a hosted domain, by the first label of the name.
LABELS: dict[str, dict[str, Document]] = {
    "autoconfig": SETUP,
    "autodiscover": SETUP,
    "mta-sts": {MTA_STS: documents.mta_sts_policy},
    "ua-auto-config": {PACC: documents.user_agent_configuration},
}


def answer(request: HttpRequest, host: str) -> HttpResponse | None:
    """Answer what mail programs and other servers ask of a name; None for what belongs to the panel or to nobody."""
    # Outlook asks with capitals of its own choice.
    path = request.path.lower()
    if path == TLS_ALLOWED:
        return certificates.allowed(request)
    label, _, rest = host.partition(".")
    if label in LABELS and (domain := hosted(rest)):
        view = view_of(LABELS[label], path)
        return view(request, domain) if view else documents.plain("There is nothing here.", status=404)
    view = view_of(SETUP, path)
    if view is None:
        return None
    if host in own_hosts():
        return view(request, None)
    # The domain's own name, where its owner has pointed that here too.
    domain = hosted(host)
    return view(request, domain) if domain else None


def view_of(views: dict[str, Document], path: str) -> Document | None:
    if path.startswith(f"{AUTODISCOVER_JSON}/v1.0/"):
        path = AUTODISCOVER_JSON
    return views.get(path)


def own_hosts() -> set[str]:
    return {settings.MAILHOST_SETUP_HOST, settings.MAILHOST_HOSTNAME, *settings.ALLOWED_HOSTS} - {""}
