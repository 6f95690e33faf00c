"""The shape of what pages ask about tenants and plans."""

from collections.abc import Iterable

from django import forms
from django.utils.translation import gettext_lazy as _

from tenants.brand_operations import MAX_BRAND_NAME, MAX_TEXT
from tenants.limits import FEATURES, LIMITS
from tenants.models import Plan, Tenant, suspension_reasons
from tenants.operations import BLOCKS, MAX_NAME, MAX_NOTE
from tenants.plan_operations import MAX_LIMIT, MAX_OVERSELL_PERCENT
from tenants.words import FEATURE_LABELS, LIMIT_LABELS

# So many plans stand in one list of choices.
MOST_PLANS = 500
BLOCK_LABELS = {
    "sign_in": _("Signing in: the panel, mail programs, and sending by them"),
    "sending": _("Sending mail"),
    "receiving": _("Receiving mail: senders are told that the mailbox is closed"),
}
# Who has typed a name knows which one is meant.
TYPED = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


def plan_choices(plans: Iterable[Plan]) -> list[tuple[str, str]]:
    return [("", _("No plan: no limits of its own")), *((plan.uid, plan.name) for plan in plans)]


class SuspensionForm(forms.Form):
    """Why a tenant is suspended, and of what."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        help_text=_("The customer reads it."),
        error_messages={"required": _("Choose a reason.")},
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=MAX_NOTE,
        help_text=_("What the customer should know or do, in your words. Needed where none of the reasons fits."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    blocks = forms.MultipleChoiceField(
        label=_("What stops"),
        choices=[(name, BLOCK_LABELS[name]) for name in BLOCKS],
        initial=list(BLOCKS),
        error_messages={"required": _("Choose at least one of the three.")},
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.fields["reason"].choices = [("", _("Choose a reason")), *suspension_reasons()]


class TenantForm(forms.Form):
    """What of a tenant its provider may change."""

    name = forms.CharField(
        label=_("Name"), max_length=MAX_NAME, error_messages={"required": _("Enter a name.")}, widget=forms.TextInput
    )
    oversell_percent = forms.IntegerField(
        label=_("Over-selling in percent"),
        required=False,
        min_value=100,
        max_value=MAX_OVERSELL_PERCENT,
        help_text=_(
            "How much of its own grant it may sell: 100 is all of it once, 250 two and a half times. What its "
            "customers use together never exceeds the grant."
        ),
    )

    def __init__(self, *args, tenant: Tenant, **options) -> None:
        super().__init__(*args, **options)
        # A customer sells nothing.
        if tenant.kind == "customer":
            del self.fields["oversell_percent"]


class PurgeForm(forms.Form):
    """The one act on a tenant that nothing undoes, so its name is typed."""

    typed = forms.CharField(
        label=_("Type the name to delete it for good"),
        max_length=MAX_NAME,
        error_messages={"required": _("Type the name.")},
        widget=forms.TextInput(attrs=TYPED),
    )

    def __init__(self, *args, tenant: Tenant, **options) -> None:
        super().__init__(*args, **options)
        self.tenant = tenant

    def clean_typed(self) -> str:
        if self.cleaned_data["typed"].strip() != self.tenant.name:
            raise forms.ValidationError(_("This is not the name. Type %(name)s.") % {"name": self.tenant.name})
        return self.cleaned_data["typed"]


class PlanChoiceForm(forms.Form):
    """Which plan a tenant gets."""

    plan = forms.ChoiceField(label=_("Plan"), required=False)
    accept_excess = forms.BooleanField(
        label=_("Do it although more is in use: nothing is deleted, and nothing more can be made until there is room"),
        required=False,
    )

    def __init__(self, *args, plans: Iterable[Plan], **options) -> None:
        super().__init__(*args, **options)
        self.fields["plan"].choices = plan_choices(plans)


class PlanForm(forms.Form):
    """A plan: its name, its limits, what it switches on."""

    name = forms.CharField(label=_("Name"), max_length=MAX_NAME, error_messages={"required": _("Enter a name.")})

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        for limit in LIMITS.values():
            self.fields[limit.name] = forms.IntegerField(
                label=_("Storage in MB") if limit.name == "storage_mb" else LIMIT_LABELS.get(limit.name, limit.words),
                required=False,
                min_value=0,
                max_value=MAX_LIMIT,
                widget=forms.NumberInput(attrs={"placeholder": _("no limit")}),
            )
        for name, words in FEATURES.items():
            self.fields[name] = forms.BooleanField(label=FEATURE_LABELS.get(name, words), required=False)

    @property
    def limit_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in LIMITS]

    @property
    def feature_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in FEATURES]

    @property
    def limits(self) -> dict[str, int | None]:
        return {name: self.cleaned_data[name] for name in LIMITS}

    @property
    def features(self) -> list[str]:
        return [name for name in FEATURES if self.cleaned_data[name]]


class UpgradeForm(forms.Form):
    """Who gets a plan's present version."""

    tenants = forms.MultipleChoiceField(
        label=_("Customers"),
        error_messages={"required": _("Choose at least one customer.")},
        widget=forms.CheckboxSelectMultiple,
    )
    accept_excess = forms.BooleanField(
        label=_(
            "Also those who use more than it allows: nothing is deleted, nothing more can be made until there is room"
        ),
        required=False,
    )

    def __init__(self, *args, tenants: Iterable[Tenant], **options) -> None:
        super().__init__(*args, **options)
        self.fields["tenants"].choices = [(tenant.uid, tenant.name) for tenant in tenants]


def colour_field(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=7,
        help_text=help_text,
        error_messages={"required": _("Choose a colour.")},
        widget=forms.TextInput(attrs={"type": "color"}),
    )


class BrandForm(forms.Form):
    """Under which name and in which colours a reseller shows the panel."""

    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_BRAND_NAME,
        help_text=_("Stands in place of ours: in the panel, at the sign-in, in mails."),
        error_messages={"required": _("Enter a name.")},
    )
    light = colour_field(_("Colour on light pages"), _("Dark enough for text: 4.5 to 1 against white."))
    dark = colour_field(_("Colour on dark pages"), _("Light enough for text: 4.5 to 1 against the dark ground."))
    support_email = forms.EmailField(
        label=_("Support address"),
        required=False,
        max_length=254,
        help_text=_("Answers to our mails go there, and the sign-in names it."),
        error_messages={"invalid": _("Enter an e-mail address.")},
    )
    sign_in_text = forms.CharField(
        label=_("Text at the sign-in"), required=False, max_length=MAX_TEXT, widget=forms.Textarea(attrs={"rows": 2})
    )
    mail_footer = forms.CharField(
        label=_("Last line of mails"), required=False, max_length=MAX_TEXT, widget=forms.Textarea(attrs={"rows": 2})
    )


class LogoForm(forms.Form):
    """A picture to show in place of ours."""

    logo = forms.FileField(
        label=_("Logo"),
        help_text=_("PNG, JPEG or WebP, at most 1 MB. It is drawn anew, 32 pixels high and at most 200 wide."),
        error_messages={"required": _("Choose a picture."), "empty": _("This file is empty.")},
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )


class HostForm(forms.Form):
    """Where people of a brand sign in."""

    host_name = forms.CharField(
        label=_("Host name"),
        required=False,
        max_length=253,
        help_text=_("Such as panel.example.org. Empty: the installation's own address."),
        widget=forms.TextInput(attrs=TYPED | {"inputmode": "url"}),
    )
