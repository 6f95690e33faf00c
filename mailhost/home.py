"""The overview: the one page about everything, so it stands above all apps."""

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from audit.models import Event
from domains.models import Domain
from domains.readiness import readiness
from mailboxes.models import Alias, Mailbox
from tenants.models import Tenant

# More than this is a list, and lists have pages of their own.
MOST_DOMAINS = 25
MOST_CHANGES = 6


def home(request: HttpRequest) -> HttpResponse:
    may = request.actor.may
    context: dict = {}
    if may("domains.list"):
        context |= domains_and_steps()
    if may("audit.list"):
        context["changes"] = list(Event.objects.newest_first()[:MOST_CHANGES])
    if may("tenants.list") and request.actor.tenant_kind != "customer":
        below = Tenant.objects.filter(deleted_at=None).exclude(pk=request.actor.tenant_id)
        context["tenant_count"] = below.count()
    return render(request, "home.html", context)


def domains_and_steps() -> dict:
    """Return counts, the domains that need attention, and what to do next."""
    counted = Domain.objects.live().aggregate(all=Count("pk"), proven=Count("pk", filter=Q(verified_at__isnull=False)))
    # By the column that the index has, so that no row is read.
    mailbox_count = Mailbox.objects.filter(is_live=1).count()
    # Unproven and freshly added ones first: what is finished seldom needs a look.
    domains = Domain.objects.live().prefetch_related("dns_records").order_by("-pk")[:MOST_DOMAINS]
    for domain in domains:
        domain.ready = readiness(domain, domain.dns_records.all())
    waiting = [domain for domain in domains if domain.ready.faults]
    return {
        "domain_count": counted["all"],
        "mailbox_count": mailbox_count,
        "alias_count": Alias.objects.written().count(),
        "waiting": waiting,
        "steps": steps(counted["all"], counted["proven"], mailbox_count, domains),
    }


def steps(domain_count: int, proven_count: int, mailbox_count: int, domains: list[Domain]) -> list[dict]:
    """Return the way from nothing to mail, with what is done, or nothing once all of it is."""
    unproven = next((domain for domain in domains if not domain.has_proof), None)
    published = any(domain.ready.is_complete for domain in domains)
    way = [
        {"title": "Add a domain", "done": domain_count > 0, "page": "domain-add"},
        {"title": "Prove that it is yours", "done": proven_count > 0, "page": "domain", "row": unproven},
        {"title": "Create a mailbox", "done": mailbox_count > 0, "page": "mailbox-add"},
        {
            "title": "Publish the DNS records",
            "done": published,
            "page": "domain",
            "row": next((domain for domain in domains if domain.ready.faults), None),
        },
    ]
    return [] if all(step["done"] for step in way) else way
