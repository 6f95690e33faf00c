"""The deny list of a catch-all: addresses for which a message is refused at RCPT TO, although a catch-all takes all
others (`mailboxes.models.Alias.is_denial`)."""

from django.db import IntegrityError, transaction

from domains.locks import lock_domain
from domains.models import Domain
from domains.names import display_name
from mailboxes.addresses import display_address, domain_of, normalise_address
from mailboxes.effective import recalculate_addresses
from mailboxes.mirror import follow_addresses
from mailboxes.models import Alias
from mailboxes.operations import refuse_taken
from mailboxes.ownership import domain_for
from mailhost.actor import Actor
from mailhost.errors import Refused
from mailhost.operation import operation
from mailhost.said import gettext as _

# In one domain. Whoever keeps more addresses away is better off without a catch-all.
MAX_DENIED = 500


@operation("aliases.deny")
def deny_address(actor: Actor, *, domain: Domain, address: str) -> Alias:
    """Keep an address of the domain from its catch-all, with and without a detail (info+news@…).

    It holds for whatever catch-all the domain has or gets, and in its alias domains. Raises Refused: invalid_address,
    unrelated_address, domain_not_verified, frozen, alias_domain, denied, taken, too_many_denied.
    """
    address = normalise_address(address if "@" in address else f"{address}@{domain.domain_name}")
    if domain_of(address) != domain.domain_name:
        raise Refused(
            "unrelated_address",
            "address",
            _("%(address)s is no address of %(domain)s.")
            % {"address": display_address(address), "domain": display_name(domain.domain_name)},
        )
    domain = domain_for(actor, address, field="address")
    refuse_taken(address)
    if Alias.objects.denied().filter(domain=domain).count() >= MAX_DENIED:
        raise Refused(
            "too_many_denied",
            "address",
            _("The deny list of a domain holds at most %(most)s addresses.") % {"most": MAX_DENIED},
        )
    row = Alias(domain=domain, alias_email=address, destination_email=address, is_denial=True)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Refused("taken", "address", _("%(row)s exists already.") % {"row": display_address(address)}) from error
    recalculate_addresses(follow_addresses(domain.pk, [address]))
    row.refresh_from_db()
    return row


@operation("aliases.allow")
def allow_address(actor: Actor, *, denial: Alias) -> None:
    """Take an address off the deny list; the catch-all takes it again. Raises Refused: not_found."""
    domain = lock_domain(actor, denial.domain)
    row = Alias.objects.denied().filter(pk=denial.pk).first()
    if row is None:
        raise Refused("not_found", "", _("This address is not on the deny list."))
    row.delete()
    recalculate_addresses(follow_addresses(domain.pk, [row.alias_email]))
