"""Every change of a domain."""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from domains.locks import lock_domain, not_found
from domains.models import Domain
from domains.names import display_name, normalise_domain
from mailhost.actor import Actor
from mailhost.background import later
from mailhost.effective import recalculate
from mailhost.errors import Refused
from mailhost.operation import operation
from tenants.limits import release, reserve
from tenants.locks import share_tenants

# By name, because these stand above this app.
HAS_PROOF = "dns.lookup.has_ownership_proof"
WANT_TABLES = "dns.operations.want_tables"
EMPTY_DOMAIN = "mailboxes.contents.empty_domain"
FOLLOW_MAIN_DOMAIN = "mailboxes.contents.follow_main_domain"


@operation("domains.create")
def create_domain(actor: Actor, *, name: str, alias_of: Domain | None = None) -> Domain:
    """Claim a domain name for the actor's tenant; it carries no mail until `verify_domain` has seen proof.

    With `alias_of` every address of that domain will be an address of this one too. Any tenant may claim any name:
    whether somebody else has it is not told here.
    Raises Refused: invalid_domain, taken, invalid_main_domain, limit_reached.
    """
    name = normalise_domain(name)
    if name == settings.MAILHOST_HOSTNAME:
        raise Refused("invalid_domain", "name", f"{name} is the mail server's own name. Use another one for mail.")
    paths = share_tenants([actor.tenant_id])
    main = _main_domain(actor, alias_of) if alias_of is not None else None
    try:
        with transaction.atomic():
            domain = Domain.objects.create(tenant_id=actor.tenant_id, domain_name=name, alias_of=main)
    except IntegrityError as error:
        raise Refused("taken", "name", f"You have added {display_name(name)} already.") from error
    recalculate(domain_id=domain.pk)
    later("dns.tasks.refresh_records", domain_id=domain.pk)
    reserve(paths[actor.tenant_id], domains=1)
    domain.refresh_from_db()
    return domain


@operation("domains.verify")
def verify_domain(actor: Actor, *, domain: Domain) -> Domain:
    """Look for the domain's ownership record in the DNS and, once it is there, let the domain carry mail.

    Raises Refused: not_found, already_verified, no_proof, taken (to one who has shown proof), alias_loop.
    """
    # The DNS is asked before anything is locked: it may take seconds.
    domain = Domain.objects.live().filter(pk=domain.pk).first() or _missing()
    shown = display_name(domain.domain_name)
    if domain.has_proof:
        raise Refused("already_verified", "", f"{shown} is verified already.")
    if not import_string(HAS_PROOF)(domain):
        raise Refused(
            "no_proof",
            "",
            f"The ownership record of {shown} is not in the DNS yet. Publish it as shown, wait for your DNS provider "
            "to serve it, and try again.",
        )
    domain = lock_domain(actor, domain)
    domain.verified_at = timezone.now()
    try:
        with transaction.atomic():
            domain.save(update_fields=["verified_at", "updated_at"])
    except IntegrityError as error:
        raise Refused(
            "taken",
            "",
            f"{shown} is in use by another account on this server. If it is yours, ask there to give it up, or ask us.",
        ) from error
    if domain.alias_of_id is not None:
        import_string(FOLLOW_MAIN_DOMAIN)(domain)
    recalculate(domain_id=domain.pk)
    later("dns.tasks.make_key", domain_id=domain.pk)
    later("dns.tasks.refresh_records", domain_id=domain.pk)
    # A name that comes back may have its key still, and then nothing else would tell the signer.
    import_string(WANT_TABLES)()
    domain.refresh_from_db()
    return domain


@operation("domains.set_enabled")
def set_domain_enabled(actor: Actor, *, domain: Domain, enabled: bool) -> Domain:
    """Switch a domain on or off. Off: no mail in or out, no sign-in, open sessions end; nothing is deleted.

    Raises Refused: not_found, unchanged.
    """
    domain = lock_domain(actor, domain)
    if domain.is_enabled == enabled:
        state = "on" if enabled else "off"
        raise Refused("unchanged", "enabled", f"{display_name(domain.domain_name)} is switched {state} already.")
    domain.is_enabled = enabled
    domain.save(update_fields=["is_enabled", "updated_at"])
    recalculate(domain_id=domain.pk)
    if not enabled:
        later("mailboxes.tasks.end_sessions", address_mask=f"*@{domain.domain_name}")
    domain.refresh_from_db()
    return domain


@operation("domains.delete")
def delete_domain(actor: Actor, *, domain: Domain) -> Domain:
    """Give a domain up: its mailboxes are deleted with it (their mail is kept), its aliases are gone for good.

    Raises Refused: not_found, has_alias_domains.
    """
    domain = lock_domain(actor, domain)
    alias_domain = Domain.objects.live().filter(alias_of=domain).order_by("domain_name").first()
    if alias_domain is not None:
        raise Refused(
            "has_alias_domains",
            "",
            f"{display_name(alias_domain.domain_name)} is an alias domain of {display_name(domain.domain_name)}. "
            "Delete the alias domain first.",
        )
    now = timezone.now()
    freed = import_string(EMPTY_DOMAIN)(domain, now)
    domain.deleted_at = now
    domain.save(update_fields=["deleted_at", "updated_at"])
    recalculate(domain_id=domain.pk)
    later("mailboxes.tasks.end_sessions", address_mask=f"*@{domain.domain_name}")
    release(domain.owner_path, domains=1, **freed)
    import_string(WANT_TABLES)()
    domain.refresh_from_db()
    return domain


def _main_domain(actor: Actor, alias_of: Domain) -> Domain:
    """Return the domain that an alias domain may follow, locked. Raises Refused("invalid_main_domain", …)."""
    main = lock_domain(actor, alias_of)
    shown = display_name(main.domain_name)
    if main.tenant_id != actor.tenant_id:
        raise Refused("invalid_main_domain", "alias_of", f"{shown} belongs to another account than the new domain.")
    if main.alias_of_id is not None:
        raise Refused("invalid_main_domain", "alias_of", f"{shown} is an alias domain itself. Name its main domain.")
    if not main.has_proof:
        raise Refused("invalid_main_domain", "alias_of", f"{shown} is not verified yet. Verify it first.")
    return main


def _missing() -> Domain:
    raise not_found()
