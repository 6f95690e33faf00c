"""A removed domain comes back within its grace, with what went with it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from domains.claims import holder_of, lacks_consent
from domains.locks import lock_removed
from domains.models import Domain
from domains.names import display_name
from domains.operations import LOOK_FOR_PROOF, WANT_TABLES, needs_consent
from domains.proof import Proof
from domains.proof_operations import grace as proof_grace
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.effective import recalculate
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.said import gettext as _
from mailhost.scope import every_tenant
from mailhost.waiting import waiting
from tenants.limits import reserve

# By name, because these stand above this app.
FILL_AGAIN = "mailboxes.kept.bring_back"
FORGET_KEPT = "mailboxes.kept.forget"


def grace() -> timedelta:
    """Return how long a removed domain can be restored."""
    return timedelta(days=settings.MAILHOST_GRACE_DAYS)


def restorable_until(domain: Domain) -> datetime | None:
    """Return until when a removed domain can be restored, or None while it is not removed."""
    return domain.deleted_at + grace() if domain.deleted_at else None


def removed_domains(now: datetime) -> QuerySet[Domain]:
    """Return the domains in scope that can be restored now, the one removed last first."""
    rows = Domain.objects.filter(deleted_at__gt=now - grace()).select_related("tenant", "alias_of")
    return rows.order_by("-deleted_at", "-pk")


@operation("domains.restore")
def restore_domain(actor: Actor, *, domain: Domain) -> Domain:
    """Bring a removed domain back: the mailboxes that went with it with their mail, its aliases and its deny list.

    Its signing keys were destroyed with the removal, as those of every name that was given up: it gets a new one.
    Nobody holds a name longer without proof than `MAILHOST_PROOF_GRACE_DAYS`: who restores later than that must show
    it first. Raises Refused: not_found, unchanged, grace_over, taken, needs_consent, invalid_main_domain,
    dns_unavailable, no_proof, alias_loop, limit_reached.
    """
    # The DNS is asked before anything is locked: it may take seconds.
    proof = _look(domain)
    domain = lock_removed(actor, domain)
    now, removed_at = timezone.now(), domain.deleted_at
    shown = display_name(domain.domain_name)
    if removed_at is None:
        raise Refused("unchanged", "", _("%(domain)s is not removed.") % {"domain": shown})
    if removed_at <= now - grace():
        raise Refused(
            "grace_over",
            "",
            _("%(domain)s was removed more than %(days)s days ago. Add it again; its mailboxes are in the bin.")
            % {"domain": shown, "days": grace().days},
        )
    _refuse_taken(domain)
    _refuse_without_main(domain)
    if domain.has_proof:
        if related := lacks_consent(domain):
            raise needs_consent(domain, related)
        if proof is not Proof.STANDS and proof is not Proof.PARTLY:
            _refuse_late(domain, proof, now)
            domain.proof_lapsed_at = domain.proof_lapsed_at or (removed_at if proof is Proof.LACKING else None)
    domain.deleted_at = None
    try:
        with transaction.atomic():
            domain.save(update_fields=["deleted_at", "proof_lapsed_at", "updated_at"])
    except IntegrityError as error:
        raise _taken(domain) from error
    amounts = import_string(FILL_AGAIN)(domain, removed_at, now)
    recalculate(domain_id=domain.pk)
    later("dns.tasks.refresh_records", domain_id=domain.pk)
    if domain.has_proof:
        later("dns.tasks.make_key", domain_id=domain.pk)
    import_string(WANT_TABLES)(domain.domain_name)
    reserve(domain.owner_path, domains=1, **amounts)
    domain.refresh_from_db()
    return domain


def forget_removed(now: datetime) -> None:
    """Forget what was kept of domains whose grace is over; their mailboxes stay in the bin."""
    with every_tenant("a grace ends by the clock"):
        import_string(FORGET_KEPT)(now - grace())


def _look(domain: Domain) -> Proof:
    row = Domain.objects.filter(pk=domain.pk, verified_at__isnull=False, deleted_at__isnull=False).first()
    if row is None:
        return Proof.UNKNOWN
    with waiting():
        [seen] = import_string(LOOK_FOR_PROOF)([(row.domain_name, row.challenge)])
    return seen.proof


def _refuse_taken(domain: Domain) -> None:
    own = Domain.objects.live().filter(domain_name=domain.domain_name, tenant_id=domain.tenant_id)
    if own.exists() or holder_of(domain) is not None:
        raise _taken(domain)


def _taken(domain: Domain) -> Refused:
    return Refused(
        "taken",
        "",
        _("%(domain)s has been added again meanwhile, or has gone to another account. Its mailboxes are in the bin.")
        % {"domain": display_name(domain.domain_name)},
    )


def _refuse_without_main(domain: Domain) -> None:
    main = domain.alias_of
    if main is not None and main.deleted_at is not None:
        raise Refused(
            "invalid_main_domain",
            "",
            _("Its addresses follow those of %(main)s, which is removed too. Restore that one first.")
            % {"main": display_name(main.domain_name)},
        )


def _refuse_late(domain: Domain, proof: Proof, now: datetime) -> None:
    """Raise Refused when the proof would have had to be there all the time since the removal."""
    if domain.deleted_at > now - proof_grace():
        return
    shown = display_name(domain.domain_name)
    if proof is Proof.UNKNOWN:
        raise Refused(
            "dns_unavailable",
            "",
            _("DNS gave no answer for the ownership record of %(shown)s. Try again in a few minutes.")
            % {"shown": shown},
        )
    raise Refused(
        "no_proof",
        "",
        _("The ownership record of %(shown)s is not in the DNS any more. Publish it again, or add the domain anew.")
        % {"shown": shown},
    )
