"""The shape of what pages ask about DNS."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from dns import dmarc
from dns.bimi import MAX_URL
from dns.choices import ENDINGS
from dns.nsupdate import ALGORITHMS
from dns.providers import PROVIDERS
from dns.tools import TOOLS

PLAIN_TEXT = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
MAX_PEM = 8000


def text(placeholder: str = "", **attributes: str) -> forms.TextInput:
    return forms.TextInput(attrs={**PLAIN_TEXT, "placeholder": placeholder, **attributes})


class Words(forms.CharField):
    """Several words, by lines, blanks or commas."""

    widget = forms.Textarea(attrs={"rows": 2, **PLAIN_TEXT})

    def clean(self, value: Any) -> list[str]:
        return (super().clean(value) or "").replace(",", " ").split()


class ZoneForm(forms.Form):
    """The key with which a name server takes updates (RFC 2136)."""

    server = forms.CharField(
        label=_("Primary name server"),
        max_length=253,
        help_text=_("Its name or public address. It takes dynamic updates (RFC 2136) signed by a key (TSIG)."),
        widget=text("ns1.example.org"),
    )
    port = forms.IntegerField(label=_("Port"), initial=53)
    zone = forms.CharField(
        label=_("Zone"), required=False, max_length=253, help_text=_("The domain itself, or a name above it.")
    )
    key_name = forms.CharField(label=_("Name of the key"), max_length=253, widget=text("mailhost."))
    algorithm = forms.ChoiceField(label=_("Algorithm"), choices=[(name, name) for name in ALGORITHMS])
    secret = forms.CharField(
        label=_("Secret"),
        max_length=500,
        help_text=_("The base64 text that your name server shows. It is kept encrypted and never shown again."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    automatic = forms.BooleanField(
        label=_("Publish later changes, such as the next signing key, by itself"), required=False, initial=True
    )


class ProviderForm(forms.Form):
    """A token with which a provider of DNS lets programs change a zone."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        # It stands on one page with the other way in.
        super().__init__(*arguments, auto_id="provider_%s", **named)

    provider = forms.ChoiceField(
        label=_("Provider, and what it asks for"),
        choices=[(name, format_lazy("{}: {}", one.title, one.token_help)) for name, one in PROVIDERS.items()],
        initial=next(iter(PROVIDERS)),
        widget=forms.RadioSelect,
    )
    zone = forms.CharField(
        label=_("Zone"), required=False, max_length=253, help_text=_("The domain itself, or a name above it.")
    )
    secret = forms.CharField(
        label=_("API token"),
        max_length=500,
        help_text=_("It is kept encrypted and never shown again."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    automatic = forms.BooleanField(
        label=_("Publish later changes, such as the next signing key, by itself"), required=False, initial=True
    )


class LogoForm(forms.Form):
    """Where a domain's logo lies, and what vouches for it."""

    logo_url = forms.CharField(
        label=_("Address of the logo"),
        max_length=MAX_URL,
        help_text=_(
            "An SVG picture of the profile Tiny PS, square, at an address that begins with https:// and needs no "
            "sign-in."
        ),
        widget=text("https://example.org/logo.svg", inputmode="url"),
    )
    certificate_url = forms.CharField(
        label=_("Address of its mark certificate"),
        required=False,
        max_length=MAX_URL,
        help_text=_("A PEM file with a VMC or CMC, where you have bought one. Gmail and Apple Mail ask for it."),
        widget=text("https://example.org/logo.pem", inputmode="url"),
    )


class KeyForm(forms.Form):
    """A key that was made elsewhere."""

    selector = forms.CharField(
        label=_("Selector"),
        max_length=40,
        help_text=_("The word before ._domainkey in the name of its record."),
        widget=text("mail2026"),
    )
    private_pem = forms.CharField(
        label=_("Private key"),
        max_length=MAX_PEM,
        strip=False,
        help_text=_("RSA of 2048 bits or more, as PEM. It is kept encrypted and never shown again."),
        widget=forms.Textarea(attrs={"rows": 6, "placeholder": "-----BEGIN PRIVATE KEY-----", **PLAIN_TEXT}),
    )


class CheckForm(forms.Form):
    """A domain to look at, and perhaps a server that sends for it."""

    subject = "domain"

    domain = forms.CharField(label=_("Domain"), max_length=300, widget=text("example.org", inputmode="url"))
    ip = forms.CharField(
        label=_("Address of a sending server"),
        required=False,
        max_length=60,
        help_text=_("Also says whether this server may send for the domain, and asks block lists about it."),
        widget=text("192.0.2.25"),
    )


class LookupForm(forms.Form):
    """One kind of record."""

    subject = "name"

    kind = forms.ChoiceField(
        label=_("What to look up"),
        choices=[
            ("mx", "MX"),
            ("spf", "SPF"),
            ("dkim", "DKIM"),
            ("dmarc", "DMARC"),
            ("mta-sts", "MTA-STS"),
            ("tls-rpt", "TLS-RPT"),
            ("ptr", _("PTR: the name of an address")),
            ("blocklists", _("Block lists, of an address")),
        ],
    )
    name = forms.CharField(
        label=_("Name or address"),
        max_length=300,
        help_text=_("For DKIM with the selector: mail2026._domainkey.example.org"),
        widget=text("example.org"),
    )

    def clean_kind(self) -> str:
        kind = self.cleaned_data["kind"]
        if kind not in TOOLS:
            raise forms.ValidationError(_("This cannot be looked up."))
        return kind


class SpfForm(forms.Form):
    """Who may send for a domain."""

    subject = "include"

    mx = forms.BooleanField(label=_("Its mail hosts (MX)"), required=False)
    a = forms.BooleanField(label=_("The server at its own address"), required=False)
    ip4 = Words(label=_("IPv4 addresses or networks"), required=False, help_text="192.0.2.25, 198.51.100.0/24")
    ip6 = Words(label=_("IPv6 addresses or networks"), required=False, help_text=_("2001:db8::/32"))
    include = Words(
        label=_("Other services"),
        required=False,
        help_text=_("The names they tell you to include, as _spf.example.net."),
    )
    policy = forms.ChoiceField(
        label=_("Everybody else"),
        choices=list(
            zip(
                ENDINGS,
                (_("May not (-all)"), _("Probably may not (~all)"), _("Nothing is said (?all)")),
                strict=True,
            )
        ),
        initial="softfail",
        widget=forms.RadioSelect,
    )


POLICY_WORDS = (_("Deliver it, and report (none)"), _("Take it for spam (quarantine)"), _("Refuse it (reject)"))


class DmarcForm(forms.Form):
    """What receivers are to do with mail that only pretends to come from a domain."""

    subject = "policy"

    policy = forms.ChoiceField(
        label=_("Mail that fails"),
        choices=list(zip(dmarc.POLICIES, POLICY_WORDS, strict=True)),
        initial="none",
        widget=forms.RadioSelect,
    )
    subdomain_policy = forms.ChoiceField(
        label=_("Mail of subdomains that fails"),
        required=False,
        choices=[("", _("The same")), *zip(dmarc.POLICIES, POLICY_WORDS, strict=True)],
    )
    rua = Words(label=_("Where daily reports go"), required=False, help_text=_("Mail addresses."))
    ruf = Words(label=_("Where reports of single messages go"), required=False, help_text=_("Seldom sent."))
    testing = forms.BooleanField(label=_("For a test: treat failures one step milder"), required=False)
