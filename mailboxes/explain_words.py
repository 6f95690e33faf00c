"""Why an answer is as it is, in words (`mailboxes.explain`)."""

from django.utils.translation import gettext

from domains.models import Domain
from mailboxes.models import Alias, Mailbox


def why_off(domain: Domain) -> str:
    if not domain.is_enabled:
        return gettext("The domain is switched off.")
    main = domain.alias_of
    if main is not None and not (main.is_enabled and main.has_proof and main.deleted_at is None):
        says = gettext("It follows %(name)s, which is switched off or not proven.")
        return says % {"name": main.domain_name}
    return gettext("Its account is suspended.")


def why_closed(mailbox: Mailbox, act: str) -> str:
    if not mailbox.is_enabled:
        return gettext("The mailbox is suspended.")
    if not (mailbox.receives_enabled if act == "receive" else mailbox.sends_enabled):
        return (
            gettext("The mailbox is switched off for receiving.")
            if act == "receive"
            else gettext("It is switched off for sending.")
        )
    return gettext("Its domain is switched off, or its account is suspended.")


def why_no_alias(asked: str) -> str:
    rows = list(Alias.objects.filter(alias_email=asked))
    if not rows:
        return gettext("The domain has no catch-all.") if asked.startswith("@") else gettext("It is no alias.")
    if rows[0].is_denial:
        return gettext("The domain is switched off.")
    if not any(row.is_enabled for row in rows):
        return gettext("The alias is switched off.")
    return gettext("None of its targets takes mail.")


def may_send(login: str) -> str:
    return gettext("%(login)s may send as it, in the envelope and in header From.") % {"login": login}


def others(logins: tuple[str, ...]) -> str:
    return gettext("Other logins may send as it, not this one.") if logins else gettext("No login may send as it.")
