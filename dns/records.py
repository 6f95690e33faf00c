"""What a domain should publish in DNS, as plain values; nothing here asks anybody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from dns import bimi, mta_sts, pacc
from dns.dkim import public_record
from dns.key_aliases import SELECTORS, end_of_alias
from dns.models import Necessity, Purpose

CHALLENGE_LABEL = "_mailhost-challenge"
TTL_SECONDS = 3600
MX_PRIORITY = 10
MAX_NAME = 253
TXT_STRING_BYTES = 255
HTTPS_PORT = 443
# RFC 6186 and RFC 8314: implicit TLS first; "." says that a service is not offered.
SERVICES = (
    ("_submissions._tcp", 0, 465),
    ("_submission._tcp", 10, 587),
    ("_imaps._tcp", 0, 993),
    ("_pop3s._tcp", 10, 995),
)

WHY = {
    Purpose.OWNERSHIP: _(
        "Shows that whoever runs this domain's DNS has asked for its mail to live here. Keep it: it is looked for "
        "every day."
    ),
    Purpose.MX: _("Tells other mail servers to deliver this domain's mail here."),
    Purpose.SPF: _("Names the servers that may send for this domain, so that receivers trust its mail."),
    Purpose.DKIM: _(
        "Holds the public key with which receivers verify the signature on this domain's mail. Mail leaves once it is "
        "found. The key is RSA: the signer here adds one signature, so there is none of Ed25519 beside it."
    ),
    Purpose.DMARC: _("Tells receivers what to do with mail that only pretends to come from this domain."),
    Purpose.MTA_STS: _("Tells other servers to deliver to this domain over verified TLS only (RFC 8461)."),
    Purpose.TLS_RPT: _("Asks other servers to report where TLS to this domain failed (RFC 8460)."),
    Purpose.AUTOCONFIG: _("Lets Thunderbird and its kin set up an account from the address alone."),
    Purpose.AUTODISCOVER: _("Lets Outlook set up an account from the address alone."),
    Purpose.PACC: _("Lets newer mail programs set up an account from the address alone, and pins what they are told."),
    Purpose.SRV: _("Lets mail programs find the servers of this domain (RFC 6186, RFC 8314)."),
    Purpose.CAA: _(
        "Lets the authority that is used here issue certificates for the names by which mail programs are set up (RFC "
        "8659). Needed only where your domain has CAA records already: without any, every authority may issue, and "
        "this one alone would keep all others from it."
    ),
    Purpose.BIMI: _(
        "Shows your logo beside your mail in programs that know BIMI. All of them want a DMARC policy that is "
        "enforced, and some a mark certificate too."
    ),
    Purpose.ADDRESS: _("Leads other mail servers, and people's mail programs, to this host."),
    Purpose.PTR: _(
        "Names the address, where the address is lent: enter it at whoever lends it. Many servers refuse mail from an "
        "address without a name that leads back."
    ),
    Purpose.GREETING: _(
        "Says that this host may send in its own name: by it the host greets, and from it come notices of failed "
        "delivery."
    ),
    Purpose.SPF_INCLUDE: _(
        "Names the servers that send for customers, whose own SPF records include it: without it, theirs are broken."
    ),
    Purpose.REPORTS_TAKEN: _(
        "Says that DMARC reports about other domains may be sent to the mailbox here (RFC 9990): without it, receivers "
        "send none."
    ),
    Purpose.SETUP_HOST: _(
        "Leads to the web server that answers mail programs and serves MTA-STS policies: customers' aliases lead to "
        "this name."
    ),
    Purpose.TLSA: _(
        "Binds the key of this host's certificate to its name (DANE, RFC 7672), so that other servers deliver to "
        "no other. Keep it in step with the certificate: a record of another key alone stops mail from them."
    ),
}
WHY_AN_ALIAS = _(
    "Leads to the public key with which receivers verify the signature on this domain's mail. Enter all three once: "
    "keys are changed at their ends, without you. The keys are RSA: the signer here adds one signature, so there is "
    "none of Ed25519 beside it."
)


@dataclass(frozen=True)
class Installation:
    """The names that customers' records point to. What is empty is not offered here, and no record asks for it.

    `spf_include`: the operator's own SPF record; `setup_host`: what answers
    autoconfig, autodiscover and MTA-STS policies; `mta_sts_mode`: of domains that have not chosen one; `…_reports`:
    addresses.
    """

    mail_host: str
    spf_include: str = ""
    setup_host: str = ""
    mta_sts_mode: str = ""
    tls_reports: str = ""
    dmarc_reports: str = ""
    caa_issuer: str = ""
    dkim_zone: str = ""

    @classmethod
    def from_settings(cls) -> "Installation":
        return cls(
            mail_host=settings.MAILHOST_HOSTNAME,
            spf_include=settings.MAILHOST_SPF_INCLUDE,
            setup_host=settings.MAILHOST_SETUP_HOST,
            mta_sts_mode=settings.MAILHOST_MTA_STS_MODE,
            tls_reports=settings.MAILHOST_TLS_REPORTS,
            dmarc_reports=settings.MAILHOST_DMARC_REPORTS,
            caa_issuer=settings.MAILHOST_CAA_ISSUER,
            dkim_zone=settings.MAILHOST_DKIM_ZONE,
        )

    @property
    def spf_mechanism(self) -> str:
        return f"include:{self.spf_include}" if self.spf_include else "mx"

    def mta_sts_policy(self, mode: str = "") -> str:
        """Return the policy of a domain with this mode, or of one that has chosen none; "" without one."""
        return mta_sts.policy(mode or self.mta_sts_mode or mta_sts.Mode.OFF, self.mail_host) if self.setup_host else ""


@dataclass(frozen=True)
class SigningKey:
    """The public side of a key that DNS must show."""

    selector: str
    public_key: str
    by_alias: bool = False


@dataclass(frozen=True)
class ExpectedRecord:
    """One record that should stand in DNS. `name` is absolute, without the trailing dot; an MX keeps its
    preference in `priority`, its host alone in `value`; an SRV its weight, port and host in `value`. `behind` is the
    text that must stand at the end of a signing key's alias, where there is a key."""

    purpose: str
    record_type: str
    name: str
    value: str
    necessity: str
    priority: int | None = None
    ttl: int = TTL_SECONDS
    behind: str = ""

    @property
    def why(self) -> str:
        return why(self.purpose, self.record_type)

    @property
    def rdata(self) -> str:
        """Return the value as a zone file has it (RFC 1035, 5.1): hosts with their dot, a TXT in strings."""
        match self.record_type:
            case "TXT":
                return quoted(self.value)
            case "MX" | "SRV":
                return f"{self.priority} {self.value}."
            case "CNAME" | "PTR":
                return f"{self.value}."
            case _:
                return self.value


def quoted(text: str) -> str:
    """Return a TXT value as strings of at most 255 bytes (RFC 7208, 3.3), escaped for a zone file."""
    data = text.encode()
    parts = [data[at : at + TXT_STRING_BYTES] for at in range(0, len(data), TXT_STRING_BYTES)] or [b""]
    return " ".join(f'"{"".join(map(escaped, part))}"' for part in parts)


def escaped(byte: int) -> str:
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03}"


def why(purpose: str, record_type: str = "") -> str:
    """Return the sentence that says what a record is for."""
    if (purpose, record_type) == (Purpose.DKIM, "CNAME"):
        return str(WHY_AN_ALIAS)
    return str(WHY[Purpose(purpose)])


def challenge_name(domain_name: str) -> str:
    return f"{CHALLENGE_LABEL}.{domain_name}"


def challenge_value(challenge: str) -> str:
    return f"mailhost-verification={challenge}"


def dkim_name(selector: str, domain_name: str) -> str:
    return f"{selector}._domainkey.{domain_name}"


def expected_records(
    domain_name: str,
    *,
    challenge: str,
    installation: Installation,
    keys: Iterable[SigningKey],
    mta_sts_mode: str = "",
    dmarc_policy: str = "none",
    logo: tuple[str, str] = ("", ""),
    uid: str = "",
) -> list[ExpectedRecord]:
    """Return what the domain should publish, in the order in which people set it up.

    `uid` is the domain's own, by which reports about it are told apart. `mta_sts_mode` is what
    the domain has chosen (`dns.mta_sts`), "" where it has not; `logo` the addresses of a picture and of its
    certificate, to be shown. A name that DNS cannot hold (over 253 characters, under
    a very long domain) is left out.
    """
    wanted = [
        ExpectedRecord(
            Purpose.OWNERSHIP, "TXT", challenge_name(domain_name), challenge_value(challenge), Necessity.REQUIRED
        ),
        ExpectedRecord(Purpose.MX, "MX", domain_name, installation.mail_host, Necessity.REQUIRED, MX_PRIORITY),
        ExpectedRecord(
            Purpose.SPF, "TXT", domain_name, f"v=spf1 {installation.spf_mechanism} ~all", Necessity.REQUIRED
        ),
        *key_records(domain_name, installation, list(keys), uid),
        ExpectedRecord(
            Purpose.DMARC,
            "TXT",
            f"_dmarc.{domain_name}",
            dmarc_value(installation, dmarc_policy, uid),
            Necessity.RECOMMENDED,
        ),
        *transport_records(domain_name, installation, mta_sts_mode, uid),
        *logo_records(domain_name, *logo),
        *client_records(domain_name, installation),
    ]
    return [record for record in wanted if len(record.name) <= MAX_NAME]


def key_records(
    domain_name: str, installation: Installation, keys: Sequence[SigningKey], uid: str
) -> list[ExpectedRecord]:
    """Return what shows the domain's keys, oldest first: their texts, or the aliases that lead to them.

    While the newest stands behind an alias, all aliases are asked for, so that the next one finds its own; after a
    change back to texts just those that still have a key. Without a zone of the operator's, each key has a text, and
    where a text stands no alias can.
    """
    texts = [key for key in keys if not (key.by_alias and installation.dkim_zone)]
    behind = [key.selector for key in keys if key not in texts]
    wanted = SELECTORS if behind and keys[-1].by_alias else behind
    return [
        *(
            ExpectedRecord(
                Purpose.DKIM,
                "TXT",
                dkim_name(key.selector, domain_name),
                public_record(key.public_key),
                Necessity.REQUIRED,
            )
            for key in texts
        ),
        *(
            ExpectedRecord(
                Purpose.DKIM,
                "CNAME",
                dkim_name(selector, domain_name),
                end_of_alias(selector, uid, installation.dkim_zone),
                Necessity.REQUIRED,
            )
            for selector in wanted
            if selector not in {key.selector for key in texts}
        ),
    ]


def dmarc_value(installation: Installation, policy: str = "none", uid: str = "") -> str:
    to = report_address_of(installation.dmarc_reports, uid)
    return f"v=DMARC1; p={policy}" + (f"; rua=mailto:{to}" if to else "")


def report_address_of(base: str, uid: str) -> str:
    """Return the address to which reports about one domain go: a report counts only for the domain it is sent for."""
    local, at, host = base.partition("@")
    return f"{local}+{uid}@{host}" if at and uid else base


def transport_records(
    domain_name: str, installation: Installation, mta_sts_mode: str, uid: str = ""
) -> list[ExpectedRecord]:
    """Return what makes delivery to the domain safer, as far as the installation serves it."""
    records = []
    if policy := installation.mta_sts_policy(mta_sts_mode):
        value = f"v=STSv1; id={mta_sts.policy_id(policy)}"
        records += [
            ExpectedRecord(
                Purpose.MTA_STS, "CNAME", f"mta-sts.{domain_name}", installation.setup_host, Necessity.OPTIONAL
            ),
            ExpectedRecord(Purpose.MTA_STS, "TXT", f"_mta-sts.{domain_name}", value, Necessity.OPTIONAL),
        ]
    if installation.tls_reports:
        value = f"v=TLSRPTv1; rua=mailto:{report_address_of(installation.tls_reports, uid)}"
        records.append(ExpectedRecord(Purpose.TLS_RPT, "TXT", f"_smtp._tls.{domain_name}", value, Necessity.OPTIONAL))
    if installation.caa_issuer:
        value = f'0 issue "{installation.caa_issuer}"'
        records.append(ExpectedRecord(Purpose.CAA, "CAA", domain_name, value, Necessity.OPTIONAL))
    return records


def logo_records(domain_name: str, logo_url: str, certificate_url: str) -> list[ExpectedRecord]:
    if not logo_url:
        return []
    value = bimi.value(logo_url, certificate_url)
    return [ExpectedRecord(Purpose.BIMI, "TXT", bimi.name(domain_name), value, Necessity.OPTIONAL)]


def client_records(domain_name: str, installation: Installation) -> list[ExpectedRecord]:
    """Return what lets mail programs find their servers."""
    records = [
        ExpectedRecord(
            Purpose.SRV,
            "SRV",
            f"{service}.{domain_name}",
            f"1 {port} {installation.mail_host}",
            Necessity.OPTIONAL,
            priority,
        )
        for service, priority, port in SERVICES
    ]
    if installation.setup_host:
        records += setup_records(domain_name, installation)
    return records


def setup_records(domain_name: str, installation: Installation) -> list[ExpectedRecord]:
    """Return what lets mail programs find the documents of `clientsetup`."""
    host = installation.setup_host
    return [
        *(
            ExpectedRecord(purpose, "CNAME", f"{purpose}.{domain_name}", host, Necessity.RECOMMENDED)
            for purpose in (Purpose.AUTOCONFIG, Purpose.AUTODISCOVER)
        ),
        ExpectedRecord(
            Purpose.AUTODISCOVER,
            "SRV",
            f"_autodiscover._tcp.{domain_name}",
            f"1 {HTTPS_PORT} {host}",
            Necessity.OPTIONAL,
            0,
        ),
        ExpectedRecord(Purpose.PACC, "CNAME", f"ua-auto-config.{domain_name}", host, Necessity.OPTIONAL),
        ExpectedRecord(
            Purpose.PACC,
            "TXT",
            f"_ua-auto-config.{domain_name}",
            pacc.record(domain_name, installation.mail_host),
            Necessity.OPTIONAL,
        ),
    ]
