"""The shape of what pages ask about domains."""

from collections.abc import Iterable

from django import forms
from django.utils.translation import gettext_lazy as _

from domains.models import Domain
from domains.names import display_name, name_in
from mailhost.web.sizes import SizeField

MOST_CHOICES = 200


class DomainForm(forms.Form):
    """A domain to add."""

    name = forms.CharField(
        label=_("Domain name"),
        max_length=300,
        error_messages={"required": _("Enter a domain name.")},
        help_text=_(
            "The part after the @, as in example.org. A pasted address or web page will do, and names in any script."
        ),
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
        label=_("Its addresses"),
        required=False,
        help_text=_("An alias domain has no mailboxes of its own: anna@ the new name is anna@ the domain you choose."),
    )

    def __init__(self, *args, mains: Iterable[Domain], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        same = _("The same as those of %(domain)s")
        named = [(domain.uid, same % {"domain": display_name(domain.domain_name)}) for domain in mains]
        self.fields["alias_of"].choices = [("", _("Its own")), *named[:MOST_CHOICES]]

    def clean_name(self) -> str:
        return name_in(self.cleaned_data["name"])


class DefaultsForm(forms.Form):
    """What new mailboxes of a domain are like."""

    default_quota_mb = SizeField(
        label=_("Storage of a new mailbox"),
        required=False,
        help_text=_("For example 500 MB or 2 GB. Mailboxes that are there keep theirs."),
    )


class DeletionForm(forms.Form):
    """The name of what is to be removed, typed once more."""

    typed = forms.CharField(
        label=_("Type the name of the domain"),
        error_messages={"required": _("Type the name of the domain. Nothing was removed.")},
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, *args, name: str, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.names = {name, display_name(name)}
        self.fields["typed"].help_text = _("To remove it, type %(name)s") % {"name": display_name(name)}

    def clean_typed(self) -> str:
        typed = self.cleaned_data["typed"].strip().lower().rstrip(".")
        if typed not in self.names:
            raise forms.ValidationError(_("This is not its name. Nothing was removed."))
        return typed
