"""Acting as somebody of an account below, and the list of who did."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.forms import SignInAsForm
from accounts.freshness import needs_fresh_sign_in
from accounts.impersonation_operations import end_impersonation, sign_in_as
from accounts.impersonations import SESSION_KEY
from accounts.models import Impersonation
from accounts.web.members import listed_members
from mailhost.web.forms import refusals, refusals_told, render_form
from mailhost.web.pages import needs
from mailhost.web.paging import page_of


@needs("tenants.sign_in_as")
def begin(request: HttpRequest, uid: str) -> HttpResponse:
    row = get_object_or_404(listed_members().exclude(tenant=request.actor.tenant_id), uid=uid)
    return _begin(request, row)


@needs_fresh_sign_in()
def _begin(request: HttpRequest, row) -> HttpResponse:
    form = SignInAsForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals(form):
            started = sign_in_as(request.actor, member=row, **form.cleaned_data)
            request.session[SESSION_KEY] = started.uid
            return redirect("home")
    return render_form(request, "accounts/sign_in_as.html", form, member=row)


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    if request.impersonation is not None:
        with refusals_told(request):
            end_impersonation(request.own_actor, impersonation=request.impersonation)
    request.session.pop(SESSION_KEY, None)
    messages.success(request, _("You are yourself again."))
    return redirect("home")


@needs("impersonations.list")
def impersonations(request: HttpRequest) -> HttpResponse:
    """Who from above has acted as somebody of this account or of one below it."""
    rows = Impersonation.objects.select_related("tenant", "user", "impersonator")
    page = page_of(rows, ("-pk",), request.GET.get("cursor", ""))
    now = timezone.now()
    for row in page:
        row.runs = row.is_running(now)
    shows_owner = any(row.tenant_id != request.actor.tenant_id for row in page)
    return render(request, "accounts/impersonations.html", {"page": page, "shows_owner": shows_owner})
