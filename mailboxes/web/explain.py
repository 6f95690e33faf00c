"""The page that explains an address."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from mailboxes.explain import Explanation, check_question, explain_recipient, explain_sender
from mailboxes.forms import PLAIN_TEXT
from mailhost.web.forms import refusals, render_form
from mailhost.web.pages import needs

ADDRESS = {"type": "text", "inputmode": "email", **PLAIN_TEXT}


class RecipientForm(forms.Form):
    recipient = forms.CharField(
        label=_("Mail to"),
        max_length=300,
        error_messages={"required": _("Enter an address.")},
        widget=forms.TextInput(attrs=ADDRESS),
    )


class SenderForm(forms.Form):
    sender = forms.CharField(
        label=_("Mail from"),
        max_length=300,
        error_messages={"required": _("Enter the address that stands in From.")},
        widget=forms.TextInput(attrs=ADDRESS),
    )
    login = forms.CharField(
        label=_("Sent by mailbox"),
        max_length=300,
        error_messages={"required": _("Enter the mailbox that signs in.")},
        widget=forms.TextInput(attrs=ADDRESS),
    )


@needs("addresses.explain")
def explain(request: HttpRequest) -> HttpResponse:
    """Reading only, so the question stands in the address: it can be sent to somebody who should see the answer."""
    asks_sender = "sender" in request.GET or "login" in request.GET
    to = RecipientForm(request.GET if "recipient" in request.GET else None)
    by = SenderForm(request.GET if asks_sender else None)
    form = by if asks_sender else to
    told: Explanation | None = None
    if form.is_valid():
        with refusals(form):
            check_question(*(form.cleaned_data.get(name) for name in ("recipient", "sender", "login")))
            data = form.cleaned_data
            told = explain_sender(**data) if asks_sender else explain_recipient(data["recipient"])
    return render_form(request, "mailboxes/explain.html", form, to=to, by=by, told=told)
