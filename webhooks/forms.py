"""The shape of what pages ask about webhook endpoints."""

from django import forms

from webhooks.events import TYPES


class EndpointForm(forms.Form):
    url = forms.CharField(
        label="URL",
        max_length=1000,
        error_messages={"required": "Enter the URL that is told."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
        help_text="It begins with https:// and leads to a public address.",
    )
    description = forms.CharField(
        label="Purpose", max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    types = forms.MultipleChoiceField(
        label="Events",
        required=False,
        choices=[(name, name) for name in TYPES],
        help_text="Choose none to be told everything.",
        widget=forms.SelectMultiple(attrs={"size": 10}),
    )
