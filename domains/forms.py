"""The shape of what pages ask about domains."""

from collections.abc import Iterable

from django import forms

from domains.models import Domain
from domains.names import display_name

MOST_CHOICES = 200


class DomainForm(forms.Form):
    """A domain to add."""

    name = forms.CharField(
        label="Domain name",
        max_length=300,
        error_messages={"required": "Enter a domain name."},
        help_text="The part after the @, as in example.org. Names in any script are welcome.",
        widget=forms.TextInput(
            attrs={
                "placeholder": "example.org",
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "inputmode": "url",
            }
        ),
    )

    alias_of = forms.ChoiceField(
        label="Its addresses",
        required=False,
        help_text="An alias domain has no mailboxes of its own: anna@ the new name is anna@ the domain you choose.",
    )

    def __init__(self, *args, mains: Iterable[Domain], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        named = [(domain.uid, f"The same as those of {display_name(domain.domain_name)}") for domain in mains]
        self.fields["alias_of"].choices = [("", "Its own"), *named[:MOST_CHOICES]]


class DeletionForm(forms.Form):
    """The name of what is to be deleted, typed once more."""

    typed = forms.CharField(
        label="Type the name of the domain",
        error_messages={"required": "Type the name of the domain. Nothing was deleted."},
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, *args, name: str, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.names = {name, display_name(name)}
        self.fields["typed"].help_text = f"To delete it, type {display_name(name)}"

    def clean_typed(self) -> str:
        typed = self.cleaned_data["typed"].strip().lower().rstrip(".")
        if typed not in self.names:
            raise forms.ValidationError("This is not its name. Nothing was deleted.")
        return typed
