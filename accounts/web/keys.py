"""Pages about API keys."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.forms import KeyForm
from accounts.freshness import needs_fresh_sign_in
from accounts.key_words import in_words
from accounts.models import ApiKey
from accounts.operations import create_api_key, restore_api_key, revoke_api_key
from mailhost.web.forms import refusals, refusals_told, render_form
from mailhost.web.pages import needs
from mailhost.web.paging import page_of
from mailhost.web.telling import tell


@needs("keys.list")
def keys(request: HttpRequest) -> HttpResponse:
    rows = ApiKey.objects.filter(revoked_at=None).select_related("tenant", "bound_to")
    page = page_of(rows, ("-pk",), request.GET.get("cursor", ""))
    for key in page:
        key.in_words = in_words(key.scopes)
    shows_owner = any(key.tenant_id != request.actor.tenant_id for key in page)
    return render(request, "accounts/keys.html", {"page": page, "shows_owner": shows_owner})


@needs("keys.create")
@needs_fresh_sign_in()
@never_cache
def add_key(request: HttpRequest) -> HttpResponse:
    """The new key is shown in the answer itself, so that its text is stored nowhere."""
    form = KeyForm(request.actor, request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals(form, {"expires_at": "expires_on"}):
            key, text = create_api_key(request.actor, **form.arguments())
            return render(
                request,
                "accounts/key_created.html",
                {"key": key, "text": text, "may": in_words(key.scopes)},
                status=201,
            )
    return render_form(request, "accounts/key_add.html", form)


@require_POST
def revoke(request: HttpRequest, uid: str) -> HttpResponse:
    key = get_object_or_404(ApiKey.objects.filter(revoked_at=None), uid=uid)
    with refusals_told(request):
        revoke_api_key(request.actor, key=key)
        text = _("The key %(name)s was revoked. It opens nothing any more.")
        tell(request, text % {"name": key.name}, undo=reverse("key-restore", args=[key.uid]))
    return redirect("keys")


@require_POST
@needs("keys.restore")
def restore(request: HttpRequest, uid: str) -> HttpResponse:
    key = get_object_or_404(ApiKey.objects.exclude(revoked_at=None), uid=uid)
    with refusals_told(request):
        restore_api_key(request.actor, key=key)
        messages.success(request, _("The key %(name)s opens again what it did.") % {"name": key.name})
    return redirect("keys")
