"""The shape of what pages ask about people and keys."""

from django import forms

from tenants.models import Role, roles


class SignInForm(forms.Form):
    """Who signs in."""

    email = forms.CharField(
        label="E-mail address",
        error_messages={"required": "Enter your address."},
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="Password",
        error_messages={"required": "Enter your password."},
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class KeyForm(forms.Form):
    """An API key to create."""

    name = forms.CharField(
        label="What is it for?",
        error_messages={"required": "Enter a name."},
        max_length=80,
        help_text="For example the name of the program that uses it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        label="What may it do?",
        choices=roles,
        initial=Role.ADMIN,
        help_text="A key may do what a person in this role may.",
    )
