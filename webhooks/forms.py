"""The shape of what pages ask about webhook endpoints."""

from django import forms
from django.utils.translation import gettext_lazy as _

from webhooks.events import TYPES


class EndpointForm(forms.Form):
    url = forms.CharField(
        label=_("URL"),
        max_length=1000,
        error_messages={"required": _("Enter the URL that is told.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
        help_text=_("It begins with https:// and leads to a public address."),
    )
    description = forms.CharField(
        label=_("Purpose"), max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    types = forms.MultipleChoiceField(
        label=_("Events"),
        required=False,
        choices=[(name, name) for name in TYPES],
        help_text=_("Choose none to be told everything."),
        widget=forms.CheckboxSelectMultiple,
    )
