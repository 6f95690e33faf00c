"""How a path points at a mailbox or an alias: by id, or by address with the domain in either form."""

from typing import Any

from django.db.models import QuerySet

from domains.models import Domain
from domains.references import find_domain
from mailboxes.addresses import normalise_address, normalise_source
from mailboxes.alias_groups import AliasGroup, group_with
from mailboxes.models import Alias, AppPassword, Mailbox
from mailboxes.shown import ShownMailbox, shown_mailboxes
from mailhost.api.ids import find, named

MAILBOX_PREFIX = "mbx"
ALIAS_PREFIX = "als"
APP_PASSWORD_PREFIX = "apw"  # noqa: S105 - no password


def find_mailbox(reference: str) -> Mailbox:
    """Return the live mailbox in scope, as lists show it. Raises Mailbox.DoesNotExist."""
    return find(_listed, reference, prefix=MAILBOX_PREFIX, natural=_by_address)


def _listed() -> QuerySet[Mailbox]:
    return Mailbox.objects.listed().select_related("own_row")


def find_shown_mailbox(reference: str) -> ShownMailbox:
    """The same, only to be shown. Raises Mailbox.DoesNotExist."""
    which = named(reference, prefix=MAILBOX_PREFIX, natural=_by_address)
    if which is None or not (rows := shown_mailboxes(**which)):
        raise Mailbox.DoesNotExist
    return rows[0]


def find_deleted_mailbox(reference: str) -> Mailbox:
    """Return a deleted mailbox in scope, by address the one deleted last. Raises Mailbox.DoesNotExist."""
    rows = Mailbox.objects.deleted().select_related("domain").order_by("-deleted_at", "-pk")
    return find(rows, reference, prefix=MAILBOX_PREFIX, natural=_by_address)


def find_alias(reference: str) -> AliasGroup:
    """Return a source in scope with all its targets: by the id of any of them, or by the source.

    Raises Alias.DoesNotExist.
    """
    return group_with(find(Alias.objects.listed, reference, prefix=ALIAS_PREFIX, natural=_by_source))


def find_denial(domain: Domain, reference: str) -> Alias:
    """Return an address on the deny list of this domain. Raises Alias.DoesNotExist."""
    return find(denials_of(domain), reference, prefix=ALIAS_PREFIX, natural=_by_source)


def denials_of(domain: Domain | int) -> QuerySet[Alias]:
    """Return the deny list of a domain."""
    return Alias.objects.denied().filter(domain=domain).select_related("domain")


def app_passwords_of(mailbox: Mailbox | int) -> QuerySet[AppPassword]:
    """Return a mailbox's app passwords, newest first."""
    return AppPassword.objects.filter(mailbox=mailbox).select_related("mailbox").order_by("-pk")


def find_app_password(mailbox: Mailbox, reference: str) -> AppPassword:
    """Return an app password of this mailbox. Raises AppPassword.DoesNotExist."""
    return find(app_passwords_of(mailbox), reference, prefix=APP_PASSWORD_PREFIX)


def in_domain(rows: QuerySet, reference: str) -> QuerySet:
    """Return the rows of the domain that a filter names; none when the domain is unknown or not in scope."""
    try:
        return rows.filter(domain=find_domain(reference))
    except Domain.DoesNotExist:
        return rows.none()


def _by_address(reference: str) -> dict[str, Any]:
    return {"email": normalise_address(reference)}


def _by_source(reference: str) -> dict[str, Any]:
    return {"alias_email": normalise_source(reference)}
