"""The style page: every component of the pages in each of its states, for whoever builds or brands them."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from mailhost.web.pages import needs
from mailhost.web.paging import Page
from mailhost.web.telling import with_toast

COLOURS = (
    ("ground", "ink"),
    ("surface", "ink"),
    ("raised", "ink"),
    ("sunken", "soft-ink"),
    ("accent", "on-accent"),
    ("accent-tint", "accent-deep"),
    ("ok-tint", "ok"),
    ("waiting-tint", "waiting"),
    ("problem-tint", "problem"),
    ("problem", "on-problem"),
    ("off-tint", "off"),
)
TONES = (
    ("ok", _("Found")),
    ("waiting", _("Not yet")),
    ("problem", _("Differs")),
    ("off", _("Off")),
    ("plain", _("For your information")),
)
QUOTAS_MB = (0, 41, 830, 1010)


class Fields(forms.Form):
    """One field of each kind."""

    name = forms.CharField(label=_("Text"), help_text=_("A sentence that helps before anything went wrong."))
    password = forms.CharField(label=_("Password"), widget=forms.PasswordInput)
    number = forms.IntegerField(label=_("Number"), required=False)
    role = forms.ChoiceField(label=_("Select"), choices=[("a", _("One")), ("b", _("Another"))])
    way = forms.ChoiceField(
        label=_("Radio buttons"), choices=[("a", _("One way")), ("b", _("Another way"))], widget=forms.RadioSelect
    )
    several = forms.MultipleChoiceField(
        label=_("Check boxes"),
        required=False,
        choices=[("a", _("This")), ("b", _("That"))],
        widget=forms.CheckboxSelectMultiple,
    )
    on = forms.BooleanField(label=_("Switch"), required=False, initial=True)
    text = forms.CharField(label=_("Long text"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    file = forms.FileField(label=_("File"), required=False)
    closed = forms.CharField(label=_("Not to be changed"), disabled=True, initial="acme.example", required=False)


@needs("style.see")
def style(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request") and "toast" in request.GET:
        return with_toast(HttpResponse(status=204), str(_("anna@acme.example was suspended.")))
    refused = Fields({"way": "a"}, prefix="refused")
    refused.add_error(None, _("An error about the whole form stands in the summary alone."))
    for level, text in (
        (messages.SUCCESS, _("acme.example was added.")),
        (messages.WARNING, _("The records are not all found yet.")),
        (messages.ERROR, _("Nothing was changed: the name server did not answer.")),
    ):
        messages.add_message(request, level, text)
    context = {
        "colours": COLOURS,
        "tones": TONES,
        "quotas": [(mb * 1024 * 1024, 1024) for mb in QUOTAS_MB],
        "fields": Fields(prefix="fields"),
        "refused": refused,
        "page": Page([], next="next", previous="previous"),
        "spaces": range(1, 8),
        "stepper": [
            {"title": _("Upload"), "state": "done", "address": "#stepper"},
            {"title": _("Preview"), "state": "current"},
            {"title": _("Import"), "state": ""},
        ],
        "tabs": [
            {"title": _("Overview"), "address": "#tabs", "current": True},
            {"title": _("Aliases"), "address": "#tabs", "count": 12},
            {"title": _("Sign-ins"), "address": "#tabs"},
        ],
    }
    return render(request, "style.html", context)
