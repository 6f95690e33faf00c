"""The page of a domain's catch-all: where it leads, and which addresses it does not take."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from domains.models import Domain
from mailboxes.addresses import display_address
from mailboxes.denial_operations import allow_address, deny_address
from mailboxes.forms import DenialForm
from mailboxes.models import Alias
from mailhost.errors import Refused
from mailhost.web.forms import refusals, refusals_told, render_form
from mailhost.web.pages import needs
from mailhost.web.telling import tell

UNDO = "denial_undo"


@needs("aliases.list")
def show(request: HttpRequest, uid: str) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    form = DenialForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals(form):
            row = deny_address(request.actor, domain=domain, address=form.cleaned_data["address"])
            text = _("Mail for %(address)s is refused from now on.")
            messages.success(request, text % {"address": display_address(row.alias_email)})
            return redirect("domain-catch-all", uid)
    rows = Alias.objects.filter(domain=domain.alias_of or domain)
    context = {
        "domain": domain,
        "tab": "settings",
        "targets": list(rows.filter(alias_email=f"@{(domain.alias_of or domain).domain_name}").order_by("pk")),
        # As many as `MAX_DENIED` allows.
        "denied": list(rows.denied().order_by("alias_email")),
    }
    return render_form(request, "mailboxes/catch_all.html", form, **context)


@require_POST
def allow(request: HttpRequest, uid: str) -> HttpResponse:
    denial = get_object_or_404(Alias.objects.denied().select_related("domain"), uid=uid)
    with refusals_told(request):
        allow_address(request.actor, denial=denial)
        request.session[UNDO] = denial.alias_email
        text = _("%(address)s was taken off the deny list.")
        undo_address = reverse("denial-undo", args=[denial.domain.uid])
        tell(request, text % {"address": display_address(denial.alias_email)}, undo=undo_address)
    return redirect("domain-catch-all", denial.domain.uid)


@require_POST
@needs(deny_address.action)
def undo(request: HttpRequest, uid: str) -> HttpResponse:
    """Put the address back that was taken off the deny list last."""
    domain = get_object_or_404(Domain.objects.listed(), uid=uid)
    with refusals_told(request):
        if UNDO not in request.session:
            raise Refused("unchanged", "", _("There is nothing left to undo."))
        row = deny_address(request.actor, domain=domain, address=request.session[UNDO])
        del request.session[UNDO]
        text = _("Mail for %(address)s is refused from now on.")
        messages.success(request, text % {"address": display_address(row.alias_email)})
    return redirect("domain-catch-all", uid)
