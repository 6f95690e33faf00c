"""The shape of what pages ask about mailboxes and aliases."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from domains.models import Domain
from domains.names import display_name
from mailboxes.addresses import display_address, normalise_address
from mailboxes.app_passwords import PROTOCOLS
from mailboxes.import_table import ALIASES, MAILBOXES, MAX_BYTES
from mailboxes.listing import FULLNESSES, ORDERS, STATUSES, matching
from mailboxes.models import Mailbox
from mailboxes.operations import SWITCHES
from mailhost.errors import Refused
from mailhost.web.sizes import SizeField

PLAIN_TEXT = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
# A choice of more domains than this is no help: then the name is typed.
MOST_CHOICES = 200


class ListForm(forms.Form):
    """Which mailboxes a list shows, and in which order. What is not among the choices narrows nothing."""

    q = forms.CharField(
        label=_("Search mailboxes"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"type": "search", "placeholder": _("Address or name"), **PLAIN_TEXT}),
    )
    status = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("Any state")),
            ("active", _("Active")),
            ("suspended", _("Suspended")),
            ("inactive", _("Not working")),
        ],
    )
    use = forms.ChoiceField(
        label=_("Storage in use"),
        required=False,
        choices=[("", _("Any fullness")), ("nearly", _("At least 80 %")), ("full", _("At least 95 %"))],
    )
    sort = forms.ChoiceField(
        label=_("Order"),
        required=False,
        choices=[
            ("", _("By address")),
            ("fullest", _("Fullest first")),
            ("newest", _("Newest first")),
            ("oldest", _("Oldest first")),
        ],
    )

    def choices(self) -> list[forms.BoundField]:
        return [self[name] for name in ("status", "use", "sort")]

    def asked(self) -> dict[str, str]:
        """Return what was asked for, without what is no choice."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def narrowed(self, rows: QuerySet) -> QuerySet:
        asked = self.asked()
        rows = rows.filter(**STATUSES.get(asked.get("status", ""), {}), **FULLNESSES.get(asked.get("use", ""), {}))
        return matching(rows, asked["q"].lower()) if "q" in asked else rows

    @property
    def order(self) -> tuple[str, ...]:
        return ORDERS[self.asked().get("sort", "")]


class BulkForm(forms.Form):
    """What to do with many mailboxes."""

    storage_quota_mb = SizeField(label=_("Storage"), required=False)


class AddressForm(forms.Form):
    """An address in one of the domains, in two parts."""

    local_part = forms.CharField(
        label=_("Name"),
        max_length=200,
        error_messages={"required": _("Enter what stands before the @.")},
        widget=forms.TextInput(attrs=PLAIN_TEXT),
    )
    domain = forms.CharField(label=_("Domain"), max_length=300, widget=forms.TextInput(attrs=PLAIN_TEXT))

    def __init__(self, *args, domains: Iterable[Domain], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        names = [domain.domain_name for domain in domains]
        if len(names) <= MOST_CHOICES:
            choices = [(name, display_name(name)) for name in names]
            self.fields["domain"] = forms.ChoiceField(label=_("Domain"), choices=choices)

    @property
    def address(self) -> str:
        """The address as it was put together from the two parts."""
        return f"{self.cleaned_data['local_part']}@{self.cleaned_data['domain']}"


class PasswordForm(forms.Form):
    """A mailbox's password."""

    password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        strip=False,
        error_messages={"required": _("Enter a password.")},
        help_text=_("At least 12 characters. Mail programs store it, so it may be long."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class QuotaForm(forms.Form):
    """What a mailbox is called, and how much it holds."""

    display_name = forms.CharField(
        label=_("Person or purpose"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    storage_quota_mb = SizeField(label=_("Storage"), initial=1024)


class MailboxForm(PasswordForm, QuotaForm, AddressForm):
    """A mailbox to create, and how its user gets in."""

    GENERATED, TYPED, INVITED = "generated", "typed", "invited"

    way = forms.ChoiceField(
        label=_("How its user gets in"),
        required=False,
        widget=forms.RadioSelect,
        choices=[
            (GENERATED, _("With a password that is made now and shown once")),
            (INVITED, _("By a link, sent to another address of theirs, that sets a password")),
            (TYPED, _("With a password that I type")),
        ],
    )
    invite_to = forms.CharField(
        label=_("Send the link to"),
        max_length=320,
        error_messages={"required": _("Enter the address that gets the link.")},
        widget=forms.EmailInput(attrs=PLAIN_TEXT),
    )

    field_order = ("local_part", "domain", "display_name", "storage_quota_mb", "way", "password", "invite_to")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["way"].initial = self.GENERATED
        # Before anything is sent, whichever way is chosen asks for what it needs.
        for name, way in (("password", self.TYPED), ("invite_to", self.INVITED)):
            self.fields[name].required = not self.is_bound or self.data.get("way") == way

    def clean_way(self) -> str:
        # A program that fills the form in by itself names a password and no way.
        return self.cleaned_data["way"] or (self.TYPED if self.data.get("password") else self.GENERATED)


class MailboxSettingsForm(QuotaForm):
    """What may be changed about a mailbox."""

    receives_enabled = forms.BooleanField(label=_("Receives mail"), required=False)
    sends_enabled = forms.BooleanField(label=_("Sends mail"), required=False)
    imap_enabled = forms.BooleanField(label=_("IMAP"), required=False)
    pop3_enabled = forms.BooleanField(label=_("POP3"), required=False)
    managesieve_enabled = forms.BooleanField(label=_("Filter rules (ManageSieve)"), required=False)

    def switches(self) -> list[forms.BoundField]:
        return [self[name] for name in SWITCHES]


class AppPasswordForm(forms.Form):
    """One more password, for one program or device."""

    name = forms.CharField(
        label=_("Program or device"),
        max_length=80,
        help_text=_("So that you know later which one to revoke: “Printer, 2nd floor”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    imap = forms.BooleanField(label=_("Reads by IMAP"), required=False, initial=True)
    pop3 = forms.BooleanField(label=_("Reads by POP3"), required=False)
    smtp = forms.BooleanField(label=_("Sends by SMTP"), required=False, initial=True)
    networks = forms.CharField(
        label=_("Only from these addresses"),
        max_length=2000,
        required=False,
        help_text=_("One address or network a line, for example 192.0.2.7 or 2001:db8::/32. Empty: from everywhere."),
        widget=forms.Textarea(attrs={"rows": 3, **PLAIN_TEXT}),
    )
    expires_on = forms.DateField(
        label=_("Last day"),
        required=False,
        help_text=_("It stops working at the end of this day (UTC). Empty: it works until it is revoked."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def switches(self) -> list[forms.BoundField]:
        return [self[name] for name in PROTOCOLS]

    def arguments(self) -> dict:
        """Return what `create_app_password` takes."""
        data = self.cleaned_data
        last = data["expires_on"]
        return {
            "name": data["name"],
            "protocols": [name for name in PROTOCOLS if data[name]],
            "networks": [text for text in re.split(r"[\s,;]+", data["networks"]) if text],
            "expires_at": datetime.combine(last + timedelta(days=1), time(), UTC) if last else None,
        }


class ImportForm(forms.Form):
    """A table to import: a file, or rows that were pasted."""

    kind = forms.ChoiceField(label=_("What stands in it"), widget=forms.RadioSelect)
    file = forms.FileField(
        label=_("CSV file"),
        required=False,
        help_text=_("Up to 5 MB and 20,000 rows. Commas, semicolons or tabs; the first line names the columns."),
        widget=forms.FileInput({"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
    )
    pasted = forms.CharField(
        label=_("Or paste rows"),
        required=False,
        strip=False,
        max_length=MAX_BYTES,
        widget=forms.Textarea(attrs={"rows": 6, **PLAIN_TEXT}),
    )

    KINDS = {MAILBOXES: _("Mailboxes"), ALIASES: _("Aliases")}

    def __init__(self, kinds: Iterable[str], *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind, self.KINDS[kind]) for kind in kinds]

    def clean(self) -> dict:
        if not self.cleaned_data.get("file") and not self.cleaned_data.get("pasted", "").strip() and not self.errors:
            self.add_error("file", _("Choose a file, or paste rows below."))
        return self.cleaned_data

    @property
    def content(self) -> bytes:
        """What was brought; a file goes before pasted rows. More than is taken is not read."""
        file = self.cleaned_data["file"]
        return file.read(MAX_BYTES + 1) if file else self.cleaned_data["pasted"].encode()

    @property
    def file_name(self) -> str:
        file = self.cleaned_data["file"]
        return file.name if file else str(_("Pasted rows"))


class UsualSizeForm(forms.Form):
    """What a new mailbox holds where neither its row nor its domain says."""

    usual_quota_mb = SizeField(
        label=_("Storage of new mailboxes without a size, where their domain has no usual one"), initial=1024
    )


class AliasForm(AddressForm):
    """An alias to create: one source, one target a line."""

    catch_all = forms.BooleanField(
        label=_("Catch-all: every address of the domain that does not exist otherwise"), required=False
    )
    targets = forms.CharField(
        label=_("Deliver to"),
        max_length=20_000,
        error_messages={"required": _("Enter at least one address.")},
        help_text=_("One address a line, in your domains or elsewhere."),
        widget=forms.Textarea(attrs={"rows": 4, **PLAIN_TEXT}),
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["local_part"].required = False
        self.fields["local_part"].help_text = _("Leave it empty for a catch-all.")

    def clean_targets(self) -> list[str]:
        return [target for target in re.split(r"[\s,;]+", self.cleaned_data["targets"]) if target]

    def clean(self) -> dict:
        if self.cleaned_data.get("catch_all") and self.cleaned_data.get("local_part"):
            self.add_error("local_part", _("A catch-all has no name. Empty this, or switch the catch-all off."))
        if not self.cleaned_data.get("catch_all") and not self.cleaned_data.get("local_part"):
            self.add_error("local_part", _("Enter a name, or switch the catch-all on."))
        return self.cleaned_data


class TrialForm(forms.Form):
    """To which mailbox a test message goes; `found` is it."""

    mailbox = forms.CharField(
        label=_("Mailbox"),
        error_messages={"required": _("Enter the address of a mailbox.")},
        max_length=320,
        widget=forms.TextInput(attrs={"inputmode": "email", "autocomplete": "off", "autocapitalize": "none"}),
    )

    def clean_mailbox(self) -> str:
        typed = self.cleaned_data["mailbox"]
        try:
            address = normalise_address(typed)
        except Refused as refused:
            raise forms.ValidationError(refused.message) from refused
        self.found = Mailbox.objects.live().select_related("domain").filter(email=address).first()
        if self.found is None:
            raise forms.ValidationError(_("There is no mailbox %(address)s.") % {"address": display_address(address)})
        return typed


class DenialForm(forms.Form):
    """An address that a catch-all does not take."""

    address = forms.CharField(
        label=_("Address to refuse"),
        error_messages={"required": _("Enter an address, or what stands before the @.")},
        max_length=320,
        help_text=_("What stands before the @ will do. It is refused with any +detail, too."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
