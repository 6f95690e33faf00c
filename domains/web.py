"""Pages about domains; what a domain publishes is shown by dns/web.py."""

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from domains import removal_operations
from domains.forms import MOST_CHOICES, DefaultsForm, DeletionForm, DomainForm
from domains.models import Domain
from domains.names import display_name
from domains.operations import create_domain, delete_domain, set_domain_enabled, update_domain, verify_domain
from domains.readiness import RECORD_IS_WRONG, RECORDS, REQUIRED, readiness
from mailhost.web.forms import UNPROCESSABLE, refusals, refusals_told, render_form
from mailhost.web.pages import needs
from mailhost.web.paging import page_of
from mailhost.web.sizes import USUAL_MB
from mailhost.web.telling import tell
from tenants.limits import totals
from tenants.references import of_tenants_in_scope

STATES = (
    ("", gettext_lazy("All domains")),
    ("attention", gettext_lazy("Those that need attention")),
    ("proven", gettext_lazy("Proven ones")),
    ("unproven", gettext_lazy("Not yet proven ones")),
    ("off", gettext_lazy("Switched off ones")),
)


def in_state(state: str) -> Q:
    """Return which rows a choice of STATES means; what is no choice means all."""
    wrong = Domain.objects.filter(dns_records__necessity=REQUIRED, dns_records__status__in=RECORD_IS_WRONG)
    choices = {
        "attention": Q(is_enabled=True) & (Q(verified_at=None) | Q(pk__in=wrong.values("pk"))),
        "proven": Q(verified_at__isnull=False),
        "unproven": Q(verified_at=None),
        "off": Q(is_enabled=False),
    }
    return choices.get(state, Q())


@needs("domains.list")
def index(request: HttpRequest) -> HttpResponse:
    words, state = request.GET.get("q", "").strip().lower(), request.GET.get("state", "")
    rows = of_tenants_in_scope(Domain.objects.listed().filter(in_state(state), is_live=1))
    rows = rows.prefetch_related(RECORDS)
    if words:
        rows = rows.filter(domain_name__contains=words)
    page = page_of(rows, ("domain_name", "pk"), request.GET.get("cursor", ""))
    counts = mailbox_counts(page.rows)
    for domain in page:
        domain.ready = readiness(domain, domain.records)
        domain.mailbox_count = counts[domain.pk]
    shows_owner = any(domain.tenant_id != request.actor.tenant_id for domain in page)
    context = {
        "page": page,
        "words": words,
        "state": state,
        "states": STATES,
        "shows_owner": shows_owner,
        "count": None if words or state else totals([request.actor.tenant_path], ("domains",))[0]["domains"],
    }
    return render(request, "domains/list.html", context)


def mailbox_counts(domains: list[Domain]) -> dict[int, int]:
    """Return how many live mailboxes each of these domains has."""
    live = Count("mailboxes", filter=Q(mailboxes__is_live=1))
    return dict(
        Domain.objects.filter(pk__in=[domain.pk for domain in domains]).annotate(live=live).values_list("pk", "live")
    )


def mains_of(request: HttpRequest) -> QuerySet[Domain]:
    """Return domains that a new one may follow: the account's own, as many as one chooses among."""
    return Domain.objects.with_own_addresses().filter(tenant=request.actor.tenant_id)[:MOST_CHOICES]


@needs("domains.create")
def add(request: HttpRequest) -> HttpResponse:
    form = DomainForm(request.POST if request.method == "POST" else None, mains=mains_of(request))
    if form.is_valid():
        with refusals(form):
            main = Domain.objects.with_own_addresses().filter(uid=form.cleaned_data["alias_of"]).first()
            domain = create_domain(request.actor, name=form.cleaned_data["name"], alias_of=main)
            text = _("%(domain)s was added. Publish the records below, then check them.")
            messages.success(request, text % {"domain": display_name(domain.domain_name)})
            return redirect("domain", domain.uid)
    return render_form(request, "domains/add.html", form)


@require_POST
def verify(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    with refusals_told(request):
        shown = display_name(domain.domain_name)
        if verify_domain(request.actor, domain=domain).has_proof:
            text = _("%(domain)s is proven to be yours. It takes mail for its mailboxes from now on.")
            messages.success(request, text % {"domain": shown})
        else:
            text = _("Your proof was seen, but another account holds %(domain)s. It has been told.")
            messages.warning(request, text % {"domain": shown})
    return redirect("domain", domain.uid)


@require_POST
def set_enabled(request: HttpRequest, uid: str, enabled: bool) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    with refusals_told(request):
        set_domain_enabled(request.actor, domain=domain, enabled=enabled)
        on, off = (
            _("%(domain)s was switched on again."),
            _("%(domain)s was switched off: its mail is refused, its mailboxes are closed."),
        )
        undo = "" if enabled else reverse("domain-enable", args=[domain.uid])
        tell(request, (on if enabled else off) % {"domain": display_name(domain.domain_name)}, undo=undo)
    return redirect("domain-settings", domain.uid)


@require_POST
def set_plus_addressing(request: HttpRequest, uid: str, wanted: bool) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.live(), uid=uid)
    with refusals_told(request):
        update_domain(request.actor, domain=domain, plus_addressing=wanted)
        on, off = (
            _("Plus addressing of %(domain)s was switched on."),
            _("Plus addressing of %(domain)s was switched off: mail to addresses with a + is refused."),
        )
        messages.success(request, (on if wanted else off) % {"domain": display_name(domain.domain_name)})
    return redirect("domain-settings", domain.uid)


@needs("domains.list")
def settings(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    form = DeletionForm(name=domain.domain_name)
    return render(request, "domains/settings.html", settings_context(domain) | {"form": form})


@require_POST
@needs("domains.update")
def defaults(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    form = DefaultsForm(request.POST)
    if form.is_valid():
        with refusals(form):
            update_domain(request.actor, domain=domain, **form.cleaned_data)
            messages.success(request, _("The defaults were saved."))
            return redirect("domain-settings", domain.uid)
    context = settings_context(domain) | {"defaults_form": form, "form": DeletionForm(name=domain.domain_name)}
    return render(request, "domains/settings.html", context, status=UNPROCESSABLE)


@require_POST
@needs("domains.delete")
def delete(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    form = DeletionForm(request.POST, name=domain.domain_name)
    if form.is_valid():
        with refusals(form):
            delete_domain(request.actor, domain=domain)
            text = _("%(domain)s was removed. Its mail is refused from now on; it can be restored for %(days)s days.")
            told = text % {"domain": display_name(domain.domain_name), "days": removal_operations.grace().days}
            may_restore = request.actor.may(removal_operations.restore_domain.action)
            tell(request, told, undo=reverse("domain-restore", args=[domain.uid]) if may_restore else "")
            return redirect("domains-removed")
    return render_form(request, "domains/settings.html", form, **settings_context(domain))


@needs("domains.list")
def removed(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    page = page_of(removal_operations.removed_domains(now), ("-deleted_at", "-pk"), request.GET.get("cursor", ""))
    for domain in page:
        domain.until = removal_operations.restorable_until(domain)
    return render(request, "domains/removed.html", {"page": page, "days": removal_operations.grace().days})


@require_POST
def restore(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.exclude(deleted_at=None), uid=uid)
    with refusals_told(request):
        domain = removal_operations.restore_domain(request.actor, domain=domain)
        text = _("%(domain)s was restored with all that was in it. It gets a new signing key: publish its record.")
        if domain.is_frozen:
            text = _("%(domain)s was restored. Its ownership record is gone from the DNS: publish it again soon.")
        messages.success(request, text % {"domain": display_name(domain.domain_name)})
        return redirect("domain", domain.uid)
    return redirect("domains-removed")


def settings_context(domain: Domain) -> dict:
    return {
        "domain": domain,
        "mailbox_count": mailbox_counts([domain])[domain.pk],
        "alias_domains": list(Domain.objects.live().filter(alias_of=domain).order_by("domain_name", "pk")[:50]),
        "tab": "settings",
        "defaults_form": DefaultsForm(initial={"default_quota_mb": domain.default_quota_mb}),
        "sizes": USUAL_MB,
        "grace_days": removal_operations.grace().days,
    }
