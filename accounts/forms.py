"""The shape of what pages ask about people and keys."""

from collections.abc import Iterable

from allauth.account import forms as account
from allauth.mfa.base import forms as factors
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as passkeys
from django import forms
from django.core.cache import cache

from tenants.models import Role, roles, second_factors

# A code counts from one step before its own to one step after it.
CODE_LIVES_SECONDS = 120


def password_field(label: str, autocomplete: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        error_messages={"required": "Enter your password."},
        max_length=1000,
        strip=False,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


def code_field(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        error_messages={"required": "Enter the code."},
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "spellcheck": "false"}
        ),
    )


class SignInForm(account.LoginForm):
    """Who signs in."""

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.fields["login"] = forms.CharField(
            label="E-mail address",
            error_messages={"required": "Enter your address."},
            max_length=254,
            widget=forms.EmailInput(
                attrs={"autocomplete": "username webauthn", "autofocus": True, "spellcheck": "false"}
            ),
        )
        self.fields["password"] = password_field("Password", "current-password")
        self.order_fields(["login", "password"])

    def add_prefix(self, field_name: str) -> str:
        """allauth calls the field "login"; pages and programs say "email"."""
        return "email" if field_name == "login" else field_name


class ConfirmForm(account.ReauthenticateForm):
    """The person in front of the screen, once more."""

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.fields["password"] = password_field("Your password", "current-password")
        self.fields["password"].widget.attrs["autofocus"] = True


class ForgottenForm(forms.Form):
    """Whose password is forgotten."""

    email = forms.EmailField(
        label="E-mail address",
        error_messages={"required": "Enter your address.", "invalid": "Enter an e-mail address."},
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "spellcheck": "false"}),
    )


def tidy_new_passwords(form: forms.Form) -> None:
    """allauth asks for a new password twice; the words and the sizes are ours."""
    for name, label in (("password1", "New password"), ("password2", "New password, once more")):
        field = form.fields[name]
        field.label, field.help_text, field.max_length = label, "", 1000
        field.widget.attrs = {"autocomplete": "new-password"}
    form.fields["password1"].help_text = "At least 12 characters. A few words that do not belong together are good."


class ChangePasswordForm(account.ChangePasswordForm):
    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.fields["oldpassword"] = password_field("Present password", "current-password")
        tidy_new_passwords(self)


class NewPasswordForm(account.ResetPasswordKeyForm):
    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        tidy_new_passwords(self)


class OnceMixin:
    """A code from an app opens once, also while the clock's tolerance would let it open again."""

    def clean_code(self) -> str:
        code = super().clean_code()
        used = f"second-factor:used:{self.user.pk}:{code.strip()}"
        if self.authenticator.type == Authenticator.Type.TOTP and not cache.add(used, 1, CODE_LIVES_SECONDS):
            raise factors.get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(OnceMixin, factors.AuthenticateForm):
    code = code_field("Code from your app, or a recovery code")


class ConfirmCodeForm(OnceMixin, factors.ReauthenticateForm):
    code = code_field("Code from your app, or a recovery code")


class ActivateAppForm(totp.ActivateTOTPForm):
    code = code_field("Code that the app shows")


def passkey_name() -> forms.CharField:
    return forms.CharField(
        label="Name of the passkey",
        max_length=60,
        help_text="So that you know it again, for example “Laptop”.",
        error_messages={"required": "Enter a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AddPasskeyForm(passkeys.AddWebAuthnForm):
    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.fields["name"] = passkey_name()
        self.fields["passwordless"].label = "Sign in with it alone, without the password"
        self.fields["passwordless"].help_text = "The device then asks for a fingerprint, a face or a PIN."
        self.fields["passwordless"].initial = True


class RenamePasskeyForm(passkeys.EditWebAuthnForm):
    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.fields["name"] = passkey_name()


class InviteForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.CharField(
        label="E-mail address",
        error_messages={"required": "Enter an address."},
        max_length=254,
        help_text="They get a mail with a link that is good for a week.",
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label="Role", choices=roles, initial=Role.MAIL_MANAGER)

    def __init__(self, *args, may_give: Iterable[str], **options) -> None:
        super().__init__(*args, **options)
        offer(self.fields["role"], may_give)


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Role", choices=roles)

    def __init__(self, *args, may_give: Iterable[str], **options) -> None:
        super().__init__(*args, **options)
        offer(self.fields["role"], may_give)


def offer(field: forms.ChoiceField, values: Iterable[str]) -> None:
    offered = set(values)
    field.choices = [(value, label) for value, label in Role.choices if value in offered]


class AcceptForm(forms.Form):
    """A new person who takes up an invitation."""

    name = forms.CharField(
        label="Your name",
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}),
    )
    password = password_field(
        "Choose a password",
        "new-password",
        "At least 12 characters. A few words that do not belong together are good.",
    )


class SecondFactorForm(forms.Form):
    second_factor = forms.ChoiceField(
        label="Who must have a second factor?",
        choices=second_factors,
        help_text="Whoever has none yet gets to nothing else here before setting one up.",
    )


class SignInAsForm(forms.Form):
    """As whom, and why."""

    reason = forms.CharField(
        label="Why?",
        error_messages={"required": "Say why; the customer reads it."},
        max_length=500,
        help_text="They read it, in a mail and in their list.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
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
