"""Proof for life: what follows when it lapses, comes back, or when somebody else shows proof of the same name."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext, gettext_noop

from accounts.actors import system_actor
from domains.claims import holder_of
from domains.locks import lock_domain, lock_domains
from domains.models import Domain, DomainConsent, new_challenge
from domains.names import display_name, is_below, normalise_domain
from domains.notices import tell
from domains.operations import LOOK_FOR_PROOF, displace, give_back, open_domain
from domains.proof import CHALLENGE_HOLDS, Proof
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.effective import recalculate
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.said import Day, Said
from mailhost.scope import every_tenant

LABEL = "proof of ownership"
DESTROY_KEYS = "dns.key_operations.destroy_keys"
STOP_PUBLISHING = "dns.publishing_operations.stop_publishing"


def grace() -> timedelta:
    """Return how long a domain goes on without its proof."""
    return timedelta(days=settings.MAILHOST_PROOF_GRACE_DAYS)


@operation("domains.renew_challenge")
def renew_challenge(actor: Actor, *, domain: Domain) -> Domain:
    """Give an unproven claim a new token; the former one proves nothing any more.

    Raises Refused: not_found, already_verified.
    """
    domain = lock_domain(actor, domain)
    if domain.has_proof:
        raise Refused(
            "already_verified",
            "",
            gettext("%(domain_name)s is verified already.") % {"domain_name": display_name(domain.domain_name)},
        )
    domain.challenge, domain.challenge_expires_at = new_challenge(), timezone.now() + CHALLENGE_HOLDS
    domain.contested_at = None
    domain.save(update_fields=["challenge", "challenge_expires_at", "contested_at", "updated_at"])
    later("dns.tasks.refresh_records", domain_id=domain.pk)
    return domain


@operation("domains.consent")
def give_consent(actor: Actor, *, domain: Domain, name: str) -> DomainConsent:
    """Let another account use a name above or below the actor's proven domain, once it shows proof of that name.

    Raises Refused: not_found, not_verified, invalid_domain, unrelated_name.
    """
    name = normalise_domain(name)
    domain = lock_domain(actor, domain)
    if not domain.has_proof:
        raise Refused(
            "not_verified",
            "",
            gettext("%(domain_name)s is not verified yet.") % {"domain_name": display_name(domain.domain_name)},
        )
    if not (is_below(name, domain.domain_name) or is_below(domain.domain_name, name)):
        raise Refused(
            "unrelated_name",
            "name",
            gettext("%(name)s lies neither above nor below %(domain_name)s.")
            % {"name": display_name(name), "domain_name": display_name(domain.domain_name)},
        )
    consent, _ = DomainConsent.objects.get_or_create(domain=domain, name=name)
    return consent


@operation("domains.withdraw_consent")
def withdraw_consent(actor: Actor, *, domain: Domain, name: str) -> Domain:
    """Take a consent back; what was verified under it stays. Raises Refused: not_found, no_consent."""
    domain = lock_domain(actor, domain)
    if not DomainConsent.objects.filter(domain=domain, name=name).delete()[0]:
        raise Refused("no_consent", "name", gettext("There is no consent for %(name)s.") % {"name": display_name(name)})
    return domain


def note_proof(domain: Domain, proof: Proof, *, now: datetime) -> None:
    """Follow what DNS shows of a domain's proof today. Silence of DNS changes nothing."""
    actor = system_actor(domain.tenant, LABEL)
    if proof is not Proof.UNKNOWN:
        Domain.objects.filter(pk=domain.pk).update(proof_checked_at=now)
    if not domain.has_proof:
        if proof is Proof.STANDS and domain.contested_at is None and domain.challenge_expires_at > now:
            later("domains.tasks.verify_domain", domain_id=domain.pk)
    elif proof is Proof.LACKING and domain.proof_lapsed_at is None:
        lapse_proof(actor, domain=domain, now=now)
    elif proof in {Proof.STANDS, Proof.PARTLY} and domain.proof_lapsed_at is not None:
        restore_proof(actor, domain=domain)


@operation("domains.lapse_proof")
def lapse_proof(actor: Actor, *, domain: Domain, now: datetime) -> Domain:
    """Note that a proven domain's record is gone: changes are frozen, and its mail stops after the grace."""
    domain = lock_domain(actor, domain)
    if domain.has_proof and domain.proof_lapsed_at is None:
        domain.proof_lapsed_at = now
        domain.save(update_fields=["proof_lapsed_at", "updated_at"])
        tell(
            domain,
            "domain.proof_lapsed",
            Said(
                gettext_noop(
                    "The ownership record of %(name)s is no longer in the DNS. Changes are frozen, and its mail stops "
                    "on %(day)s unless the record is published again."
                ),
                name=display_name(domain.domain_name),
                day=Day((now + grace()).date()),
            ),
        )
    return domain


@operation("domains.restore_proof")
def restore_proof(actor: Actor, *, domain: Domain) -> Domain:
    """Note that the record is back; changes are open again."""
    domain = lock_domain(actor, domain)
    if domain.has_proof and domain.proof_lapsed_at is not None:
        domain.proof_lapsed_at = None
        domain.save(update_fields=["proof_lapsed_at", "updated_at"])
        tell(
            domain,
            "domain.proof_restored",
            Said(
                gettext_noop("The ownership record of %(name)s is found again. All goes on as before."),
                name=display_name(domain.domain_name),
            ),
        )
    return domain


@operation("domains.withdraw_proof")
def withdraw_proof(actor: Actor, *, domain: Domain, now: datetime) -> Domain:
    """End a domain whose proof has been gone for the grace: no mail, no signature, no map names it.

    Its mailboxes stay for whom they belong to, closed, until the same tenant proves the name again.
    """
    domain = lock_domain(actor, domain)
    if domain.has_proof and domain.proof_lapsed_at is not None and domain.proof_lapsed_at <= now - grace():
        _end(domain, now)
        tell(
            domain,
            "domain.lost",
            Said(
                gettext_noop(
                    "%(name)s takes no mail any more: its ownership record has been gone for %(days)s days. Publish "
                    "the new record and verify the domain to open it again."
                ),
                name=display_name(domain.domain_name),
                days=grace().days,
            ),
        )
    domain.refresh_from_db()
    return domain


@operation("domains.settle_claim")
def settle_claim(actor: Actor, *, claim: Domain, now: datetime) -> Domain:
    """Decide, after the grace, between the holder of a name and a claim that showed proof of it.

    Whose proof stands now has it; while both stand the holder keeps it, and while DNS is silent nobody loses.
    """
    holder = holder_of(claim)
    claims = [claim, *([holder] if holder else [])]
    seen = import_string(LOOK_FOR_PROOF)([(one.domain_name, one.challenge) for one in claims])
    claim, locked = lock_domains(actor, claim, [holder.pk] if holder else [])
    holder = locked.get(holder.pk) if holder else None
    if claim.contested_at is None or claim.contested_at > now - grace():
        return claim
    its_proof = seen[0].proof
    holders_proof = seen[1].proof if holder is not None and holder.has_proof else Proof.LACKING
    if its_proof is Proof.UNKNOWN or holders_proof is Proof.UNKNOWN:
        return claim
    claim.contested_at = None
    claim.save(update_fields=["contested_at", "updated_at"])
    shown = display_name(claim.domain_name)
    if its_proof is not Proof.STANDS or holders_proof is not Proof.LACKING:
        stands = gettext_noop("Your claim to %(name)s has ended: its holder's proof stands.")
        gone = gettext_noop("Your claim to %(name)s has ended: your ownership record is gone.")
        tell(claim, "domain.claim_ended", Said(stands if its_proof is Proof.STANDS else gone, name=shown))
        if holder is not None:
            kept = gettext_noop("%(name)s stays yours: the other account's claim has ended.")
            _tell_other(holder, "domain.contest_ended", Said(kept, name=shown))
        return claim
    freed = []
    if holder is not None and holder.has_proof:
        with every_tenant("the former holder of a name loses it to the proven claim"):
            _end(holder, now)
            freed.append(displace(holder, now))
        _tell_other(
            holder,
            "domain.taken_over",
            Said(
                gettext_noop(
                    "%(name)s is no longer yours: your ownership record is gone, and another account has shown proof. "
                    "Your mailboxes and their mail are kept; nobody else reaches them."
                ),
                name=shown,
            ),
        )
    claim = open_domain(claim, now)
    give_back(freed)
    return claim


def lapsed_domains(now: datetime) -> list[Domain]:
    """Return the domains whose grace is over, of all tenants."""
    with every_tenant("proof is kept by the clock"):
        rows = Domain.objects.tended().filter(verified_at__isnull=False, proof_lapsed_at__lte=now - grace())
        return list(rows.order_by("pk"))


def ripe_claims(now: datetime) -> list[Domain]:
    """Return the claims that showed proof of somebody's domain and have waited for the grace, the oldest first."""
    with every_tenant("claims are settled by the clock"):
        rows = Domain.objects.tended().filter(verified_at=None, contested_at__lte=now - grace())
        return list(rows.order_by("contested_at", "pk"))


def _end(domain: Domain, now: datetime) -> None:
    domain.verified_at = domain.proof_lapsed_at = None
    domain.lost_at = now
    # The former token may stand in a zone that is somebody else's by now, and so nothing more is written there.
    domain.challenge, domain.challenge_expires_at = new_challenge(), now + CHALLENGE_HOLDS
    domain.save(
        update_fields=["verified_at", "proof_lapsed_at", "lost_at", "challenge", "challenge_expires_at", "updated_at"]
    )
    import_string(DESTROY_KEYS)(domain, now)
    import_string(STOP_PUBLISHING)(domain)
    recalculate(domain_id=domain.pk)
    later("mailboxes.tasks.end_sessions", address_mask=f"*@{domain.domain_name}")
    later("dns.tasks.refresh_records", domain_id=domain.pk)


def _tell_other(domain: Domain, event: str, text: Said) -> None:
    with every_tenant("the other side of a contest is told too"):
        tell(domain, event, text)
