"""Other tenants' claims to a name, and domains above and below it: what of them decides about a claim."""

from django.conf import settings
from django.db.models import Q

from domains.models import Domain, DomainConsent
from domains.names import parents
from mailhost.scope import every_tenant

ABOVE, BELOW = "above", "below"


def holder_of(claim: Domain) -> Domain | None:
    """Return the proven domain of this name, whoever has it, unless it is the claim itself."""
    with every_tenant("one name has one holder among all tenants"):
        return Domain.objects.filter(owned_name=claim.domain_name).exclude(pk=claim.pk).first()


def rivals_of(claim: Domain) -> list[int]:
    """Return the ids of all other live claims to the name: the holder's, a former holder's, and anybody's."""
    with every_tenant("any number of tenants may claim a name"):
        rows = Domain.objects.live().filter(domain_name=claim.domain_name).exclude(pk=claim.pk)
        return list(rows.order_by("pk").values_list("pk", flat=True))


def lacks_consent(claim: Domain) -> Domain | None:
    """Return a proven domain of another tenant above or below the claimed name whose owner has not agreed, or None.

    MAILHOST_CONSENT says in which direction an owner is asked.
    """
    related = Q()
    if ABOVE in settings.MAILHOST_CONSENT:
        related |= Q(owned_name__in=parents(claim.domain_name))
    if BELOW in settings.MAILHOST_CONSENT:
        related |= Q(owned_name__endswith=f".{claim.domain_name}")
    if not related:
        return None
    with every_tenant("who owns the names above and below a claim has a say"):
        agreed = DomainConsent.objects.filter(name=claim.domain_name).values("domain_id")
        rows = Domain.objects.filter(related).exclude(tenant_id=claim.tenant_id).exclude(pk__in=agreed)
        return rows.order_by("pk").first()
