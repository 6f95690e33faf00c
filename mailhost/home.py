"""The overview: the one page about everything, so it stands above all apps."""

from django.conf import settings
from django.db.models import Count, Exists, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from audit.lines import line_of
from audit.models import Event
from domains.models import Domain
from domains.readiness import RECORDS, readiness
from longwork.models import LongWork, State
from mailboxes.models import Mailbox
from mailboxes.trial_operations import KIND
from mailhost.web.pages import needs
from tenants.limits import totals
from tenants.models import SentMessages, Tenant
from tenants.references import of_tenants_in_scope
from tenants.usage import limits_with_use, usage_of

# More than this is a list, and lists have pages of their own.
MOST_DOMAINS = 25
MOST_CHANGES = 6
MOST_LIMITS = 5
MB = 1024 * 1024
HIDDEN = "checklist-hidden"


def home(request: HttpRequest) -> HttpResponse:
    may = request.actor.may
    context: dict = {"hides_steps": bool(request.COOKIES.get(HIDDEN))}
    seen = tenants_seen()
    if may("domains.list"):
        context |= domains_and_steps(seen, request.actor.tenant_path)
    if may("audit.list"):
        context["changes"] = [line_of(event, request.actor) for event in Event.objects.listed()[:MOST_CHANGES]]
    if may("tenants.list") and request.actor.tenant_kind != "customer":
        # Without the own one, which is live: nobody of another one gets here.
        context["tenant_count"] = seen["count"] - 1
    return render(request, "home.html", context)


def domains_and_steps(seen: dict, path: str) -> dict:
    """Return counts, the domains that need attention, and what to do next."""
    # From the book: counting them all takes longer than the rest of the page.
    used = totals([path], ("domains", "mailboxes", "aliases"))[0]
    domains = newest_domains()
    for domain in domains:
        domain.ready = readiness(domain, domain.records)
    way = steps(used, domains, seen)
    waiting = [domain for domain in domains if domain.ready.faults]
    return {
        "domain_count": used["domains"],
        "mailbox_count": used["mailboxes"],
        "alias_count": used["aliases"],
        "waiting": waiting,
        "steps": way,
        "steps_done": sum(step["done"] for step in way),
    }


def newest_domains() -> list[Domain]:
    """Return the domains that were added last, with their records: what is finished seldom needs a look.

    Which these are an index of each tenant tells; whole rows would all be read to be put in this order.
    """
    keys = of_tenants_in_scope(Domain.objects.filter(is_live=1)).order_by("-pk").values_list("pk", flat=True)
    newest = Domain.objects.filter(pk__in=list(keys[:MOST_DOMAINS]))
    return list(newest.prefetch_related(RECORDS).order_by("-pk"))


def steps(used: dict[str, int], domains: list[Domain], seen: dict) -> list[dict]:
    """Return the way from nothing to mail, with what is done, or nothing once all of it is.

    Nothing of it is stored: each step is done as soon as what it is about is there.
    """
    unproven = next((domain for domain in domains if not domain.has_proof), None)
    faulty = next((domain for domain in domains if domain.has_proof and domain.ready.faults), None)
    way = [
        {
            "title": _("Add a domain"),
            "done": used["domains"] > 0,
            "act": _("Add domain"),
            "address": reverse("domain-add"),
        },
        {"title": _("Prove that it is yours"), "done": bool(seen["proven"]), "row": unproven},
        {
            "title": _("Receive: publish the MX record"),
            "done": any(domain.ready.receives.tone == "ok" for domain in domains),
            "row": faulty,
        },
        {
            "title": _("Send: publish SPF, DKIM and DMARC"),
            "done": any(domain.ready.sends.tone == "ok" for domain in domains),
            "row": faulty,
        },
        {
            "title": _("Create a mailbox"),
            "done": used["mailboxes"] > 0,
            "act": _("New mailbox"),
            "address": reverse("mailbox-add") if seen["proven"] else "",
        },
        {
            "title": _("Connect a mail program"),
            "done": bool(seen["read"]),
            "act": _("Choose a mailbox"),
            "address": reverse("mailboxes") if used["mailboxes"] else "",
        },
        {
            "title": _("Send a test message"),
            "done": bool(seen["sent"] or seen["tried"]),
            "act": _("Send one"),
            "address": reverse("test-message") if used["mailboxes"] else "",
        },
    ]
    for step in way:
        if row := step.get("row"):
            step |= {"address": reverse("domain", args=[row.uid]), "act": _("Show the records")}
    # What to do next stands out; a later step has a button once it can be done.
    if upcoming := next((step for step in way if not step["done"]), None):
        upcoming["is_next"] = True
    return [] if all(step["done"] for step in way) else way


def tenants_seen() -> dict:
    """Return in one statement how many live tenants there are, and of all of them together whether any domain is
    proven, any mail program has signed in, any message has left, and any test message has come of late."""
    told = {
        "proven": Domain.objects.filter(is_live=1, verified_at__isnull=False),
        "read": Mailbox.objects.filter(is_live=1, last_login__isnull=False),
        "sent": SentMessages.objects.all(),
        "tried": LongWork.objects.filter(kind=KIND, state=State.SUCCEEDED, result__has_key="arrived_at"),
    }
    live = Tenant.objects.filter(deleted_at=None).annotate(
        **{f"has_{name}": Exists(rows) for name, rows in told.items()}
    )
    return live.aggregate(count=Count("pk"), **{name: Max(f"has_{name}") for name in told})


@needs("usage.list")
def limits(request: HttpRequest) -> HttpResponse:
    """A fragment of the overview: what of each limit is used, the fullest first."""
    tenant = Tenant.objects.get(pk=request.actor.tenant_id)
    used = usage_of(tenant)
    limited = [limit for limit in limits_with_use(tenant, used) if limit["limited_to"] and limit["used"] is not None]
    limited.sort(key=lambda limit: (-limit["used"] / limit["limited_to"], limit["name"]))
    context = {"limits": limited[:MOST_LIMITS], "stored_mb": used.total["stored_bytes"] / MB}
    return render(request, "_limits.html", context)


@require_POST
def checklist(request: HttpRequest) -> HttpResponse:
    """Put the way to the first mail out of sight in this browser, or back (`show`)."""
    answer = redirect("home")
    if "show" in request.POST:
        answer.delete_cookie(HIDDEN)
    else:
        age = 365 * 24 * 60 * 60
        answer.set_cookie(HIDDEN, "1", max_age=age, secure=settings.HTTPS, httponly=True, samesite="Lax")
    return answer
