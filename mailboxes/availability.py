"""Whether an address could be given to a mailbox now: what the form says while it is typed.

It promises nothing: the operation that creates the mailbox asks again, under its locks.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from mailboxes.addresses import display_address, domain_of, normalise_address
from mailboxes.models import Mailbox
from mailboxes.operations import refuse_taken
from mailboxes.ownership import homes_of
from mailhost.errors import Refused


@dataclass(frozen=True)
class Verdict:
    """`message` says the fact; `mailbox_uid` names the mailbox that has the address already, if one has."""

    is_free: bool
    message: str
    mailbox_uid: str = ""


def verdict_on(address: str) -> Verdict:
    """Judge an address within the present scope."""
    try:
        address = normalise_address(address)
        [home] = homes_of([domain_of(address)], field="address").values()
        if isinstance(home, Refused):
            raise home
        refuse_taken(address)
    except Refused as refusal:
        holder = Mailbox.objects.live().filter(email=address).values_list("uid", flat=True).first()
        return Verdict(is_free=False, message=refusal.message, mailbox_uid=holder or "")
    return Verdict(is_free=True, message=_("%(address)s is free.") % {"address": display_address(address)})
