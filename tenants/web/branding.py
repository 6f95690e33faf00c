"""Pages on which a reseller gives the panel its own name and colours, and what browsers fetch of a brand."""

from contextlib import suppress

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from mailhost.errors import Refused
from mailhost.web.forms import TypedForm, ask_name, refusals, refusals_told, render_form
from mailhost.web.pages import needs
from mailhost.web.telling import tell
from tenants.brand_operations import (
    remove_brand,
    remove_brand_logo,
    restore_brand_logo,
    set_brand,
    set_brand_logo,
)
from tenants.brands import brand_for_everybody, logo_for_everybody, pointing, stylesheet
from tenants.colours import DARK, LIGHT, checked
from tenants.forms import BrandForm, HostForm, LogoForm
from tenants.host_operations import grace, set_brand_host, verify_brand_host
from tenants.logos import MOST_BYTES
from tenants.models import Brand

# An address of a brand's style or logo names one state of it, so browsers may keep it for good.
FOR_GOOD = "public, max-age=31536000, immutable"
CSS = "text/css; charset=utf-8"
# Of the installation itself, where a reseller has chosen none.
COLOURS = {"light": "#1f5fbf", "dark": "#8db8ff"}
PREVIEW = ".brand-preview"


def own_brand(request: HttpRequest) -> Brand | None:
    return Brand.objects.filter(tenant=request.actor.tenant_id).select_related("logo").first()


@needs("brands.update")
def brand(request: HttpRequest) -> HttpResponse:
    """Name, colours and texts; with `preview` in the form nothing is kept and the page shows how it would look."""
    present = own_brand(request)
    form = BrandForm(request.POST if request.method == "POST" else None, initial=state_of(request, present))
    is_preview = "preview" in request.POST
    if form.is_valid() and not is_preview:
        with refusals(form):
            set_brand(request.actor, **form.cleaned_data)
            messages.success(request, _("The brand was saved. Everybody below you sees it from now on."))
            return redirect("branding")
    return shown(request, present, form)


def shown(
    request: HttpRequest,
    present: Brand | None,
    form: forms.Form,
    logo_form: forms.Form | None = None,
    host_form: forms.Form | None = None,
) -> HttpResponse:
    context = {
        "brand": present,
        "logo_form": logo_form or LogoForm(),
        "host_form": host_form or HostForm(initial={"host_name": present.host_name or "" if present else ""}),
        "pointing": pointing(present) if present and present.host_name else None,
        "used_until": present.host_lapsed_at + grace() if present and present.host_lapsed_at else None,
        **previewed(form),
    }
    bound = next((one for one in (form, logo_form, host_form) if one is not None and one.is_bound), form)
    return render_form(request, "tenants/branding.html", form, wrong=bound, **context)


def state_of(request: HttpRequest, present: Brand | None) -> dict:
    if present is None:
        return {"name": request.actor.tenant_name, **COLOURS}
    return {name: getattr(present, name) for name in BrandForm.base_fields}


def previewed(form: forms.Form) -> dict:
    """Return the colours that the preview shows, and what is wrong with those that were asked for."""
    asked = {name: form[name].value() or "" for name in COLOURS}
    shown, wrong = dict(COLOURS), []
    for name, theme in (("light", LIGHT), ("dark", DARK)):
        try:
            shown[name] = checked(asked[name], theme, name)
        except Refused as refused:
            wrong.append(refused.message)
    values = {"preview_name": form["name"].value() or "", "preview_text": form["sign_in_text"].value() or ""}
    return {**values, "preview_colours": shown, "preview_wrong": wrong}


@require_POST
@needs("brands.update")
def logo(request: HttpRequest) -> HttpResponse:
    form = LogoForm(request.POST, request.FILES)
    if form.is_valid():
        with refusals(form):
            set_brand_logo(request.actor, logo=form.cleaned_data["logo"].read(MOST_BYTES + 1))
            messages.success(request, _("The logo was saved."))
            return redirect("branding")
    present = own_brand(request)
    return shown(request, present, BrandForm(initial=state_of(request, present)), logo_form=form)


@require_POST
@needs("brands.update")
def remove_logo(request: HttpRequest) -> HttpResponse:
    with refusals_told(request):
        remove_brand_logo(request.actor)
        tell(request, _("The logo was removed. The name stands alone."), undo=reverse("brand-logo-restore"))
    return redirect("branding")


@require_POST
@needs("brands.update")
def restore_logo(request: HttpRequest) -> HttpResponse:
    with refusals_told(request):
        restore_brand_logo(request.actor)
        messages.success(request, _("The logo is shown again."))
    return redirect("branding")


@require_POST
@needs("brands.update")
def host(request: HttpRequest) -> HttpResponse:
    form = HostForm(request.POST)
    if form.is_valid():
        with refusals(form):
            saved = set_brand_host(request.actor, **form.cleaned_data)
            if saved.host_name:
                messages.success(request, _("Publish the two records below, then check them."))
            else:
                messages.success(request, _("People sign in at the installation's own address again."))
            return redirect("branding")
    present = own_brand(request)
    return shown(request, present, BrandForm(initial=state_of(request, present)), host_form=form)


@require_POST
@needs("brands.update")
def verify_host(request: HttpRequest) -> HttpResponse:
    with refusals_told(request):
        verified = verify_brand_host(request.actor)
        messages.success(request, _("%(host)s is yours and leads here. Sign in there.") % {"host": verified.host_name})
    return redirect("branding")


@needs("brands.update")
def remove(request: HttpRequest) -> HttpResponse:
    present = own_brand(request)
    if present is None:
        return redirect("branding")
    form = TypedForm(request.POST if request.method == "POST" else None, name=present.name)
    if form.is_valid():
        with refusals(form):
            remove_brand(request.actor)
            messages.success(request, _("The brand was removed."))
            return redirect("branding")
    return ask_name(
        request,
        form,
        title=_("Remove the brand"),
        text=_("Its name, colours, texts, logo and proven host name are gone for good."),
        act=_("Remove brand"),
        back=reverse("branding"),
    )


@require_safe
@needs("brands.update")
def preview_style(request: HttpRequest) -> HttpResponse:
    """The colours of a preview, which no brand has yet."""
    wanted = dict(COLOURS)
    for name, theme in (("light", LIGHT), ("dark", DARK)):
        with suppress(Refused):
            wanted[name] = checked(request.GET.get(name, ""), theme, name)
    return HttpResponse(stylesheet(**wanted, selector=PREVIEW), content_type=CSS)


@login_not_required
@require_safe
def style(request: HttpRequest, uid: str, revision: int) -> HttpResponse:
    """A brand's colours as a stylesheet: the policy of pages allows no style but from files of ours. Of a brand that is
    no more it is empty, and a page has our colours."""
    found = brand_for_everybody(uid)
    answer = HttpResponse(stylesheet(found.light, found.dark) if found else "", content_type=CSS)
    # A former number shows the present colours, and is not kept.
    answer["Cache-Control"] = FOR_GOOD if found and revision == found.revision else "no-store"
    return answer


@login_not_required
@require_safe
def picture(request: HttpRequest, uid: str, digest: str) -> HttpResponse:
    """A brand's logo; in the place of one that is no more stands ours."""
    found = logo_for_everybody(uid, digest)
    if found is None:
        return redirect(static("mailhost/icon.svg"))
    answer = HttpResponse(found.image, content_type="image/png")
    answer["Cache-Control"] = FOR_GOOD
    return answer
