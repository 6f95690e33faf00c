"""What a domain chooses for its records: its MTA-STS policy, in steps that each keep mail arriving, and its logo."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from dns import bimi, mta_sts
from dns.chosen import chosen_mta_sts
from dns.models import DnsRecord, Logo, MtaSts, Purpose, Status
from dns.mta_sts import Mode
from dns.purposes import status_word
from dns.record_operations import enforces_dmarc, refresh_later
from dns.records import Installation
from domains.locks import lock_domain, refuse_frozen
from domains.models import Domain
from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.inserts import put
from mailhost.operation import operation
from mailhost.said import gettext as _

# What senders look at before they trust a policy.
LOOKED_AT = {Purpose.MX: "MX", Purpose.MTA_STS: "MTA-STS"}


@dataclass(frozen=True)
class Standing:
    """A domain's present policy: its mode, since when, its text and id, and what holds each next step up ("" for
    what may be taken now)."""

    mode: str
    since: datetime | None
    policy: str
    policy_id: str
    steps: dict[str, str]


def standing(domain: Domain, now: datetime) -> Standing:
    """Return what a domain's policy is and may become. The caller has entered the scope."""
    row = MtaSts.objects.filter(domain=domain).first()
    mode = row.mode if row else settings.MAILHOST_MTA_STS_MODE or Mode.OFF
    since = row.since if row else domain.verified_at
    text = Installation.from_settings().mta_sts_policy(mode)
    steps = {
        step: mta_sts.unfit(mode, step, since, now) or not_ready(domain, step) for step in sorted(mta_sts.STEPS[mode])
    }
    return Standing(mode, since, text, mta_sts.policy_id(text) if text else "", steps)


def policy_text(domain: Domain) -> str:
    """Return the policy that senders get for a domain, "" without one. The caller has entered the scope."""
    return Installation.from_settings().mta_sts_policy(chosen_mta_sts(domain))


@operation("records.set_mta_sts")
def set_mta_sts_mode(actor: Actor, *, domain: Domain, mode: str) -> Domain:
    """Take the next step of the domain's MTA-STS policy: off, testing, enforce, and back by none.

    Raises Refused: not_found, frozen, not_offered, invalid_mode, not_ready.
    """
    now = timezone.now()
    if not settings.MAILHOST_SETUP_HOST:
        raise Refused("not_offered", "", _("No host of this installation serves MTA-STS policies."))
    if mode not in Mode.values:
        raise Refused("invalid_mode", "mode", _("Choose one of %(names)s.") % {"names": ", ".join(Mode.values)})
    domain = lock_domain(actor, domain)
    refuse_frozen(domain)
    present = standing(domain, now)
    if present.mode == mode:
        return domain
    reason = present.steps.get(mode) if mode in present.steps else mta_sts.unfit(present.mode, mode, present.since, now)
    if reason:
        raise Refused("not_ready", "mode", reason)
    put(MtaSts(domain=domain, mode=mode, since=now), "mode", "since")
    refresh_later(domain)
    return domain


def not_ready(domain: Domain, mode: str) -> str:
    """Return what DNS lacks before senders may be told to refuse everything else, or ""."""
    if mode != Mode.ENFORCE:
        return ""
    bad = DnsRecord.objects.filter(domain=domain, purpose__in=LOOKED_AT).exclude(status=Status.OK)
    row = bad.order_by("purpose", "pk").first()
    if row is None:
        return ""
    return _("The %(kind)s record at %(name)s is not right yet: %(status)s.") % {
        "kind": LOOKED_AT[Purpose(row.purpose)],
        "name": row.name,
        "status": status_word(row.status)[1],
    }


@operation("records.set_logo")
def set_logo(actor: Actor, *, domain: Domain, logo_url: str, certificate_url: str = "") -> Domain:
    """Choose the picture that is shown beside the domain's mail (BIMI), and the certificate that vouches for it.

    Raises Refused: not_found, frozen, invalid_url, not_ready.
    """
    for field, url in (("logo_url", logo_url), ("certificate_url", certificate_url)):
        if (url or field == "logo_url") and (problem := bimi.unfit(url)):
            raise Refused("invalid_url", field, _(problem.text) % problem.values)
    domain = lock_domain(actor, domain)
    refuse_frozen(domain)
    if not may_show_logo(domain):
        raise Refused("not_ready", "logo_url", _("Logos are shown once the DMARC policy is quarantine or reject."))
    logo = Logo(domain=domain, logo_url=logo_url, certificate_url=certificate_url, since=timezone.now())
    put(logo, "logo_url", "certificate_url", "since")
    refresh_later(domain)
    return domain


@operation("records.remove_logo")
def remove_logo(actor: Actor, *, domain: Domain) -> Domain:
    """Show no picture any more: its record is no longer asked for. Raises Refused: not_found, frozen, no_logo."""
    domain = lock_domain(actor, domain)
    refuse_frozen(domain)
    if not Logo.objects.filter(domain=domain).delete()[0]:
        raise Refused("no_logo", "", _("No logo is chosen for this domain."))
    refresh_later(domain)
    return domain


def may_show_logo(domain: Domain) -> bool:
    """Say whether a BIMI record would have an effect. The caller has entered the scope."""
    return enforces_dmarc(domain, DnsRecord.objects.filter(domain=domain, purpose=Purpose.DMARC))
