"""The shape of what pages ask about people and keys."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from allauth.account import forms as account
from allauth.core import context
from allauth.mfa.base import forms as factors
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as passkeys
from django import forms
from django.core.cache import cache
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.key_rules import grantable
from accounts.ways_in import note
from mailhost.actor import Actor
from mailhost.api.scopes import READ, RESOURCES, WRITE
from tenants.forms import plan_choices
from tenants.models import Kind, Plan, Role, roles, second_factors
from tenants.operations import MAX_NAME
from tenants.references import tenant_of_body
from tenants.words import KIND_LABELS

NOTHING = _("Nothing")
# A code counts from one step before its own to one step after it.
CODE_LIVES_SECONDS = 120


def password_field(label: str, autocomplete: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        error_messages={"required": _("Enter your password.")},
        max_length=1000,
        strip=False,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


def code_field(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        error_messages={"required": _("Enter the code.")},
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "spellcheck": "false"}
        ),
    )


def whose_field(**attributes: str | bool) -> forms.CharField:
    return forms.CharField(
        label=_("E-mail address"),
        error_messages={"required": _("Enter your address."), "max_length": _("An address is not that long.")},
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "spellcheck": "false", **attributes}),
    )


class WhoForm(forms.Form):
    """Who signs in: the first step. Browsers offer the passkeys they have beside it."""

    email = whose_field(autocomplete="username webauthn", autofocus=True)


class SignInForm(account.LoginForm):
    """Who signs in, with the password. The address stands there for programs that keep passwords."""

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.fields["login"] = whose_field(readonly=True)
        self.fields["password"] = password_field(_("Password"), "current-password")
        self.fields["password"].widget.attrs["autofocus"] = True
        self.order_fields(["login", "password"])

    def add_prefix(self, field_name: str) -> str:
        """allauth calls the field "login"; pages and programs say "email"."""
        return "email" if field_name == "login" else field_name


class ConfirmForm(account.ReauthenticateForm):
    """The person in front of the screen, once more."""

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.fields["password"] = password_field(_("Your password"), "current-password")
        self.fields["password"].widget.attrs["autofocus"] = True


class ForgottenForm(forms.Form):
    """Whose password is forgotten."""

    email = forms.EmailField(
        label=_("E-mail address"),
        error_messages={"required": _("Enter your address."), "invalid": _("Enter an e-mail address.")},
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "spellcheck": "false"}),
    )


def tidy_new_passwords(form: forms.Form) -> None:
    """allauth asks for a new password twice; the words and the sizes are ours."""
    for name, label in (("password1", _("New password")), ("password2", _("New password, once more"))):
        field = form.fields[name]
        field.label, field.help_text, field.max_length = label, "", 1000
        field.widget.attrs = {"autocomplete": "new-password"}
    form.fields["password1"].help_text = _("At least 12 characters. A few words that do not belong together are good.")


class ChangePasswordForm(account.ChangePasswordForm):
    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.fields["oldpassword"] = password_field(_("Present password"), "current-password")
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
    code = code_field(_("Code from your app, or a recovery code"))


class ConfirmCodeForm(OnceMixin, factors.ReauthenticateForm):
    code = code_field(_("Code from your app, or a recovery code"))


class ActivateAppForm(totp.ActivateTOTPForm):
    code = code_field(_("Code that the app shows"))


def passkey_name() -> forms.CharField:
    return forms.CharField(
        label=_("Name of the passkey"),
        max_length=60,
        help_text=_("So that you know it again, for example “Laptop”."),
        error_messages={"required": _("Enter a name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AddPasskeyForm(passkeys.AddWebAuthnForm):
    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.fields["name"] = passkey_name()
        self.fields["passwordless"].label = _("Sign in with it alone, without the password")
        self.fields["passwordless"].help_text = _("The device then asks for a fingerprint, a face or a PIN.")
        self.fields["passwordless"].initial = True


class RenamePasskeyForm(passkeys.EditWebAuthnForm):
    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.fields["name"] = passkey_name()

    def save(self) -> Authenticator:
        renamed = super().save()
        note(context.request, renamed.user, "webauthn renamed")
        return renamed


class InviteForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.CharField(
        label=_("E-mail address"),
        error_messages={"required": _("Enter an address.")},
        max_length=254,
        help_text=_("They get a mail with a link that is good for a week."),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=roles, initial=Role.MAIL_MANAGER)

    def __init__(self, *args, may_give: Iterable[str], **options) -> None:
        super().__init__(*args, **options)
        offer(self.fields["role"], may_give)


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=roles)

    def __init__(self, *args, may_give: Iterable[str], **options) -> None:
        super().__init__(*args, **options)
        offer(self.fields["role"], may_give)


def offer(field: forms.ChoiceField, values: Iterable[str]) -> None:
    offered = set(values)
    field.choices = [(value, label) for value, label in Role.choices if value in offered]


class AcceptForm(forms.Form):
    """A new person who takes up an invitation."""

    name = forms.CharField(
        label=_("Your name"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}),
    )
    password = password_field(
        _("Choose a password"),
        "new-password",
        _("At least 12 characters. A few words that do not belong together are good."),
    )


class SecondFactorForm(forms.Form):
    second_factor = forms.ChoiceField(
        label=_("Who must have a second factor?"),
        choices=second_factors,
        help_text=_("Whoever has none yet gets to nothing else here before setting one up."),
    )


class SignInAsForm(forms.Form):
    """As whom, and why."""

    reason = forms.CharField(
        label=_("Why?"),
        error_messages={"required": _("Say why; the customer reads it.")},
        max_length=500,
        help_text=_("They read it, in a mail and in their list."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class KeyForm(forms.Form):
    """An API key to create, with a choice for each resource that the actor may open to a key."""

    ACCESS = {READ: _("Read"), WRITE: _("Read and change")}

    name = forms.CharField(
        label=_("What is it for?"),
        error_messages={"required": _("Enter a name.")},
        max_length=80,
        help_text=_("For example the name of the program that uses it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    domains = forms.CharField(
        label=_("Only these domains"),
        required=False,
        help_text=_("One in each line. Left empty, it reaches every domain of the account."),
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )
    bound_to = forms.CharField(
        label=_("Only this customer"),
        required=False,
        max_length=30,
        help_text=_("The customer’s id, ten_…. Left empty, it reaches your account and every customer below."),
    )
    networks = forms.CharField(
        label=_("Only from these networks"),
        required=False,
        help_text=_("One address or network in each line, such as 192.0.2.0/24. Left empty, it works from everywhere."),
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )
    expires_on = forms.DateField(
        label=_("Valid until"),
        required=False,
        help_text=_("The last day, in UTC. Left empty, it works until it is revoked."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    is_test = forms.BooleanField(
        label=_("For tests: every change is checked and answered, and none is done"),
        required=False,
    )

    def __init__(self, actor: Actor, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        if actor.tenant_kind == Kind.CUSTOMER:
            del self.fields["bound_to"]
        offered: dict[str, list[tuple[str, str]]] = {}
        for scope in grantable(actor, actor.tenant_kind):
            resource, access = scope.split(":")
            offered.setdefault(resource, [("", NOTHING)]).append((access, self.ACCESS[access]))
        self.resources = list(offered)
        for resource, choices in offered.items():
            self.fields[f"scope_{resource}"] = forms.ChoiceField(
                label=gettext(RESOURCES[resource]),
                choices=choices,
                required=False,
                widget=forms.RadioSelect,
                initial="",
            )

    @property
    def scope_fields(self) -> list[forms.BoundField]:
        return [self[f"scope_{resource}"] for resource in self.resources]

    def arguments(self) -> dict[str, Any]:
        """Return what the operation takes. Raises Refused for a customer that is not there."""
        given = self.cleaned_data
        last_day, customer = given["expires_on"], given.get("bound_to", "").strip()
        return {
            "name": given["name"],
            "scopes": [f"{one}:{given[f'scope_{one}']}" for one in self.resources if given[f"scope_{one}"]],
            "domains": given["domains"].split(),
            "networks": given["networks"].split(),
            "bound_to": tenant_of_body(customer, "bound_to") if customer else None,
            "expires_at": datetime.combine(last_day + timedelta(days=1), time.min, UTC) if last_day else None,
            "is_test": given["is_test"],
        }


class CustomerForm(forms.Form):
    """A tenant to create below, and who owns it."""

    name = forms.CharField(label=_("Name"), max_length=MAX_NAME, error_messages={"required": _("Enter a name.")})
    kind = forms.ChoiceField(
        label=_("Kind"),
        help_text=_("A reseller sells to customers of its own; a customer has domains and mailboxes."),
    )
    plan = forms.ChoiceField(
        label=_("Plan"), required=False, help_text=_("Its limits hold from now on; another plan can be chosen later.")
    )
    owner_email = forms.EmailField(
        label=_("Its owner's e-mail address"),
        required=False,
        max_length=254,
        help_text=_("Gets a link by mail to set a password. Without it nobody can sign in there yet."),
        error_messages={"invalid": _("Enter an e-mail address.")},
    )

    def __init__(self, *args, kinds: Iterable[str], plans: Iterable[Plan], **options) -> None:
        super().__init__(*args, **options)
        self.fields["kind"].choices = [(kind, KIND_LABELS[kind]) for kind in kinds]
        self.fields["plan"].choices = plan_choices(plans)
