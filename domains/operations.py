"""Every change of a domain."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_noop

from domains.claims import lacks_consent, rivals_of
from domains.effective import flags_of_new
from domains.effective import recalculate as recalculate_domains
from domains.locks import lock_domain, lock_domains, not_found, refuse_frozen
from domains.models import Domain
from domains.names import display_name, is_below, normalise_domain
from domains.notices import tell
from domains.proof import Proof
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.effective import recalculate
from mailhost.errors import Refused
from mailhost.inserts import insert
from mailhost.operation import operation
from mailhost.said import Said
from mailhost.said import gettext as _
from mailhost.scope import every_tenant
from mailhost.waiting import waiting
from tenants.brands import panel_host
from tenants.limits import release, reserve
from tenants.locks import share_tenant, share_tenants
from tenants.models import Tenant

MAX_QUOTA_MB = 100_000_000
# Left as it is, where None says something itself.
UNSAID: Any = object()
# By name, because these stand above this app.
LOOK_FOR_PROOF = "dns.proof.look_for_proof"
WANT_TABLES = "dns.operations.want_tables"
EMPTY_DOMAIN = "mailboxes.contents.empty_domain"
KEEP_ALIASES = "mailboxes.kept.keep"
FOLLOW_MAIN_DOMAIN = "mailboxes.contents.follow_main_domain"


@operation("domains.create")
def create_domain(actor: Actor, *, name: str, alias_of: Domain | None = None, tenant: Tenant | None = None) -> Domain:
    """Claim a domain name for a tenant (without one: the actor's own); it carries no mail until `verify_domain` has
    seen proof.

    With `alias_of` every address of that domain will be an address of this one too. Any tenant may claim any name:
    whether somebody else has it is not told here.
    Raises Refused: not_found, invalid_domain, taken, invalid_main_domain, limit_reached.
    """
    name = normalise_domain(name)
    _refuse_own_name(name)
    tenant_id = actor.tenant_id if tenant is None else share_tenant(actor, tenant).pk
    owner = share_tenants({actor.tenant_id, tenant_id})[tenant_id]
    main = _main_domain(actor, alias_of, tenant_id) if alias_of is not None else None
    try:
        domain = insert(Domain(tenant_id=tenant_id, domain_name=name, alias_of=main, **flags_of_new(owner, main)))
    except IntegrityError as error:
        raise Refused("taken", "name", _("You have added %(name)s already.") % {"name": display_name(name)}) from error
    later("dns.tasks.refresh_records", domain_id=domain.pk)
    reserve(owner.path, domains=1)
    return domain


@operation("domains.verify")
def verify_domain(actor: Actor, *, domain: Domain) -> Domain:
    """Look for the domain's ownership record in the DNS and, once it is there, let the domain carry mail.

    Where another tenant holds the name the claim is contested: its proof is noted, the holder is told, and after the
    grace whose proof stands has the name (`domains.proof_operations.settle_claim`).
    Raises Refused: not_found, already_verified, challenge_expired, dns_unavailable, no_proof, needs_consent,
    alias_loop.
    """
    # The DNS is asked before anything is locked: it may take seconds.
    domain = Domain.objects.live().filter(pk=domain.pk).first() or _missing()
    if domain.has_proof:
        raise Refused(
            "already_verified",
            "",
            _("%(domain_name)s is verified already.") % {"domain_name": display_name(domain.domain_name)},
        )
    now = timezone.now()
    if domain.challenge_expires_at <= now:
        raise Refused(
            "challenge_expired",
            "",
            _("The ownership record is too old to be used. Ask for a new one and publish that."),
        )
    _refuse_without_proof(domain)
    challenge = domain.challenge
    domain, locked = lock_domains(actor, domain, rivals_of(domain))
    rivals = [one for one in locked.values() if one.pk != domain.pk and one.domain_name == domain.domain_name]
    if domain.challenge != challenge:
        raise Refused("no_proof", "", _("The ownership record was renewed meanwhile. Publish the new one."))
    if holder := next((one for one in rivals if one.owned_name), None):
        return _contest(domain, holder, now)
    if related := lacks_consent(domain):
        raise needs_consent(domain, related)
    freed = [displace(former, now) for former in rivals if former.lost_at is not None]
    domain = open_domain(domain, now)
    give_back(freed)
    return domain


def open_domain(domain: Domain, now: datetime) -> Domain:
    """Let a claim whose proof was seen carry mail. Its row is locked. Raises Refused: alias_loop, taken."""
    domain.verified_at, domain.proof_checked_at = now, now
    domain.proof_lapsed_at = domain.contested_at = domain.lost_at = None
    try:
        with transaction.atomic():
            domain.save(
                update_fields=[
                    *("verified_at", "proof_checked_at", "proof_lapsed_at", "contested_at", "lost_at", "updated_at")
                ]
            )
    except IntegrityError as error:
        # Somebody else proved the name between the look at all claims and this line.
        raise Refused(
            "taken",
            "",
            _("%(domain_name)s was just proven by another account.")
            % {"domain_name": display_name(domain.domain_name)},
        ) from error
    if domain.alias_of_id is not None:
        import_string(FOLLOW_MAIN_DOMAIN)(domain)
    recalculate(domain_id=domain.pk)
    later("dns.tasks.make_key", domain_id=domain.pk)
    later("dns.tasks.refresh_records", domain_id=domain.pk)
    proven = gettext_noop("%(name)s is proven to be yours.")
    tell(domain, "domain.verified", Said(proven, name=display_name(domain.domain_name)))
    # A name that comes back may have its key still, and then nothing else would tell the signer.
    import_string(WANT_TABLES)(domain.domain_name)
    domain.refresh_from_db()
    return domain


def displace(former: Domain, now: datetime) -> tuple[str, dict[str, int]]:
    """Close what a former holder left under a name, so that nothing of it stands in the next one's way or reach.

    The mailboxes stay deleted with their mail, for the former holder alone; aliases are gone for good. Returns what
    of the former holder's limits is free again, for `give_back` at the transaction's end.
    """
    with every_tenant("a former holder's mailboxes and aliases make room"):
        freed = import_string(EMPTY_DOMAIN)(former, now)
        recalculate(domain_id=former.pk)
        return former.tenant.path, freed


def give_back(freed: Iterable[tuple[str, dict[str, int]]]) -> None:
    """Count what `displace` has freed as free: last, because many wait for these rows."""
    for path, amounts in freed:
        release(path, **amounts)


def needs_consent(domain: Domain, related: Domain) -> Refused:
    return Refused(
        "needs_consent",
        "",
        _(
            "A name above or below %(domain_name)s belongs to another account (%(domain_name_2)s). "
            "Its owner must agree first."
        )
        % {"domain_name": display_name(domain.domain_name), "domain_name_2": display_name(related.domain_name)},
    )


def _contest(claim: Domain, holder: Domain, now: datetime) -> Domain:
    if claim.contested_at is None:
        claim.contested_at = now
        claim.save(update_fields=["contested_at", "updated_at"])
        told = {"name": display_name(claim.domain_name), "days": settings.MAILHOST_PROOF_GRACE_DAYS}
        held = gettext_noop("%(name)s is held by another account. It is decided in %(days)s days.")
        tell(claim, "domain.claim_contested", Said(held, **told))
        with every_tenant("the holder of a name is told of a proven claim to it"):
            tell(
                holder,
                "domain.contested",
                Said(
                    gettext_noop(
                        "Another account has shown proof that %(name)s is theirs. In %(days)s days the name stays "
                        "yours if your ownership record is in the DNS then, and goes to them if only theirs is."
                    ),
                    **told,
                ),
            )
    return claim


def _refuse_without_proof(domain: Domain) -> None:
    with waiting():
        [seen] = import_string(LOOK_FOR_PROOF)([(domain.domain_name, domain.challenge)])
    shown = display_name(domain.domain_name)
    if seen.proof is Proof.UNKNOWN:
        raise Refused(
            "dns_unavailable",
            "",
            _("DNS gave no answer for the ownership record of %(shown)s. %(detail)s Try again in a few minutes.")
            % {"shown": shown, "detail": seen.detail},
        )
    if seen.proof is not Proof.STANDS:
        hint = seen.detail or _("Publish it as shown, wait for your DNS provider to serve it, and try again.")
        raise Refused(
            "no_proof",
            "",
            _("The ownership record of %(shown)s is not in the DNS yet. %(hint)s") % {"shown": shown, "hint": hint},
        )


def _refuse_own_name(name: str) -> None:
    served = {settings.MAILHOST_SETUP_HOST, settings.MAILHOST_DKIM_ZONE, panel_host()}
    own = {settings.MAILHOST_HOSTNAME, *settings.MAILHOST_OWN_NAMES, *served} - {""}
    if any(name == one or is_below(name, one) for one in own):
        raise Refused(
            "invalid_domain",
            "name",
            _("%(name)s is a name of the mail service itself. Use another one for mail.")
            % {"name": display_name(name)},
        )


@operation("domains.set_enabled")
def set_domain_enabled(actor: Actor, *, domain: Domain, enabled: bool) -> Domain:
    """Switch a domain on or off. Off: no mail in or out, no sign-in, open sessions end; nothing is deleted.

    Raises Refused: not_found, unchanged, frozen.
    """
    domain = lock_domain(actor, domain)
    if enabled:
        refuse_frozen(domain)
    if domain.is_enabled == enabled:
        fact = _("%(domain)s is switched on already.") if enabled else _("%(domain)s is switched off already.")
        raise Refused("unchanged", "enabled", fact % {"domain": display_name(domain.domain_name)})
    domain.is_enabled = enabled
    domain.save(update_fields=["is_enabled", "updated_at"])
    recalculate(domain_id=domain.pk)
    if not enabled:
        later("mailboxes.tasks.end_sessions", address_mask=f"*@{domain.domain_name}")
    domain.refresh_from_db()
    return domain


@operation("domains.update")
def update_domain(
    actor: Actor, *, domain: Domain, default_quota_mb: int | None = UNSAID, plus_addressing: bool | None = None
) -> Domain:
    """Change what is given and leave the rest.

    `default_quota_mb`: the size of a new mailbox whose maker says none, None for no usual size; what is there keeps its
    own. `plus_addressing`: whether mail for anna+news@ is anna@'s, as in its alias domains too, or refused.
    Raises Refused: not_found, invalid_quota, alias_domain, takes_reports.
    """
    domain = lock_domain(actor, domain)
    if default_quota_mb is not UNSAID:
        _check_quota(default_quota_mb)
        domain.default_quota_mb = default_quota_mb
    if plus_addressing is not None:
        _check_plus_addressing(domain, plus_addressing)
        domain.plus_addressing = plus_addressing
    domain.save(update_fields=["default_quota_mb", "plus_addressing", "updated_at"])
    if plus_addressing is not None:
        recalculate_domains(domain_id=domain.pk)
    return domain


def _check_quota(size_mb: int | None) -> None:
    if size_mb is not None and not 1 <= size_mb <= MAX_QUOTA_MB:
        raise Refused(
            "invalid_quota",
            "default_quota_mb",
            _("The size of a mailbox is 1 to %(max_quota_mb)s MB.") % {"max_quota_mb": MAX_QUOTA_MB},
        )


def _check_plus_addressing(domain: Domain, wanted: bool) -> None:
    if domain.alias_of is not None and wanted != domain.plus_addressing:
        raise Refused(
            "alias_domain",
            "plus_addressing",
            _("%(domain)s follows %(main)s. Change it there.")
            % {"domain": display_name(domain.domain_name), "main": display_name(domain.alias_of.domain_name)},
        )
    reports = (settings.MAILHOST_DMARC_REPORTS, settings.MAILHOST_TLS_REPORTS)
    if not wanted and domain.domain_name in {address.rpartition("@")[2] for address in reports}:
        raise Refused(
            "takes_reports",
            "plus_addressing",
            _("The reports about all domains come to %(domain)s by plus addressing.")
            % {"domain": display_name(domain.domain_name)},
        )


@operation("domains.delete")
def delete_domain(actor: Actor, *, domain: Domain) -> Domain:
    """Remove a domain with its mailboxes and aliases, which `restore_domain` brings back while the grace lasts.

    Its signing keys are destroyed, and others may prove the name from now on.

    Raises Refused: not_found, has_alias_domains.
    """
    domain = lock_domain(actor, domain)
    alias_domain = Domain.objects.live().filter(alias_of=domain).order_by("domain_name").first()
    if alias_domain is not None:
        raise Refused(
            "has_alias_domains",
            "",
            _("%(domain_name)s is an alias domain of %(domain_name_2)s. Delete the alias domain first.")
            % {
                "domain_name": display_name(alias_domain.domain_name),
                "domain_name_2": display_name(domain.domain_name),
            },
        )
    now = timezone.now()
    import_string(KEEP_ALIASES)(domain)
    freed = import_string(EMPTY_DOMAIN)(domain, now)
    domain.deleted_at = now
    domain.save(update_fields=["deleted_at", "updated_at"])
    recalculate(domain_id=domain.pk)
    later("mailboxes.tasks.end_sessions", address_mask=f"*@{domain.domain_name}")
    release(domain.owner_path, domains=1, **freed)
    import_string(WANT_TABLES)(domain.domain_name)
    domain.refresh_from_db()
    return domain


def _main_domain(actor: Actor, alias_of: Domain, tenant_id: int) -> Domain:
    """Return the domain that an alias domain may follow, locked. Raises Refused("invalid_main_domain", …)."""
    main = lock_domain(actor, alias_of)
    refuse_frozen(main, field="alias_of")
    shown = display_name(main.domain_name)
    if main.tenant_id != tenant_id:
        raise Refused(
            "invalid_main_domain",
            "alias_of",
            _("%(shown)s belongs to another account than the new domain.") % {"shown": shown},
        )
    if main.alias_of_id is not None:
        raise Refused(
            "invalid_main_domain",
            "alias_of",
            _("%(shown)s is an alias domain itself. Name its main domain.") % {"shown": shown},
        )
    if not main.has_proof:
        raise Refused(
            "invalid_main_domain", "alias_of", _("%(shown)s is not verified yet. Verify it first.") % {"shown": shown}
        )
    return main


def _missing() -> Domain:
    raise not_found()
