"""The shape of what mailbox users are asked."""

from django import forms
from django.utils.translation import gettext_lazy as _


def password_field(label: str, autocomplete: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        error_messages={"required": _("Enter a password.")},
        max_length=1000,
        strip=False,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


class SignInForm(forms.Form):
    """Whose mailbox."""

    email = forms.CharField(
        label=_("Mail address"),
        error_messages={"required": _("Enter your address.")},
        max_length=320,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "spellcheck": "false"}),
    )
    password = password_field(_("Password"), "current-password")


class PasswordForm(forms.Form):
    present = password_field(_("Present password"), "current-password")
    password = password_field(_("New password"), "new-password", _("At least 12 characters."))
