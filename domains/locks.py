"""The order of locks: tenants (shared), then domains by id, then what is in them.

Whoever changes mailboxes, aliases or switches of a domain holds the domain's row; whoever changes a tenant's
switches locks the tenant and then updates its domains' rows. So effective columns never follow from a switch that
somebody else is just changing, and the audit record, written last, finds its tenant locked already.
"""

from collections.abc import Iterable

from domains.models import Domain
from domains.names import display_name
from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.prepared import Prepared
from mailhost.said import gettext as _
from mailhost.scope import every_tenant
from tenants.locks import share_tenants


def lock_domain(actor: Actor, domain: Domain) -> Domain:
    """Return the live domain, locked and fresh. Raises Refused("not_found") when it is gone or not the actor's."""
    return lock_domains(actor, domain)[0]


def lock_domains(
    actor: Actor, domain: Domain, others: Iterable[int] = (), *, is_seen: bool = False
) -> tuple[Domain, dict[int, Domain]]:
    """Lock a domain of the actor's together with others by id, whoever owns them; return it and all of them.

    An alias domain is locked with its main domain, whose rows its own follow. The domain then knows how its tenant
    stands (`owner`), whose limits bind what is made in it. `is_seen`: the actor's scope has just shown it.
    """
    if not is_seen and not Domain.objects.live().filter(pk=domain.pk).exists():
        raise not_found()
    tenants = share_tenants({actor.tenant_id, domain.tenant_id})
    with every_tenant("a change waits for changes of the other domains it touches"):
        # No scope here: its join would lock the tenants' rows too. The actor's right to `domain` was asked above.
        wanted = {domain.pk, *others, *filter(None, [domain.alias_of_id])}
        locked = {row.pk: row for row in _locked(pks=tuple(wanted))}
    own = locked.get(domain.pk)
    if own is None or own.deleted_at is not None:
        raise not_found()
    own.owner = tenants[own.tenant_id]
    return own, locked


def lock_removed(actor: Actor, domain: Domain) -> Domain:
    """Return the domain, removed or not, locked and fresh. Raises Refused("not_found") when it is not the actor's."""
    if not Domain.objects.filter(pk=domain.pk).exists():
        raise not_found()
    tenants = share_tenants({actor.tenant_id, domain.tenant_id})
    with every_tenant("a change waits for changes of the other domains it touches"):
        wanted = {domain.pk, *filter(None, [domain.alias_of_id])}
        locked = {row.pk: row for row in _locked(pks=tuple(wanted))}
    own = locked[domain.pk]
    own.owner = tenants[own.tenant_id]
    return own


def lock_each(actor: Actor, domains: Iterable[Domain], others: Iterable[int] = ()) -> dict[int, Domain]:
    """Lock several domains that the actor has just seen together with others by id, in the same order; return the
    former by id, if they are still live."""
    domains = list(domains)
    tenants = share_tenants({actor.tenant_id, *(domain.tenant_id for domain in domains)})
    with every_tenant("a change waits for changes of the other domains it touches"):
        own = {domain.pk for domain in domains}
        rows = _locked(pks=tuple({*own, *others}))
    locked = {row.pk: row for row in rows if row.pk in own and row.deleted_at is None}
    for row in locked.values():
        row.owner = tenants[row.tenant_id]
    return locked


def refuse_frozen(domain: Domain, field: str = "") -> None:
    """Raise Refused("frozen", …) while a domain's proof is gone: who may not own it any more adds nothing to it."""
    if domain.is_frozen:
        raise frozen(domain, field)


def frozen(domain: Domain, field: str = "") -> Refused:
    return Refused(
        "frozen",
        field,
        _(
            "The ownership record of %(domain_name)s is no longer in the DNS, so changes are frozen. "
            "Publish the record again first."
        )
        % {"domain_name": display_name(domain.domain_name)},
    )


def not_found() -> Refused:
    return Refused("not_found", "", _("This domain does not exist."))


_locked = Prepared(lambda pks: Domain.objects.select_for_update().filter(pk__in=pks).order_by("pk"))
