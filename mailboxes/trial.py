"""What a test message says, and whether it has come."""

from django.conf import settings

from mailboxes import doveadm
from mailboxes.addresses import display_address
from mailboxes.models import Mailbox
from mailhost.mail import compose, deliver
from tenants.brands import dress_of

# A mailbox is not read through for a message of this minute.
SAVED_SINCE = "10mins"


def send(mailbox: Mailbox, token: str, language: str) -> bool:
    """Send it now; return whether it was taken, or refused for good. Raises OSError or SMTPException for what may be
    tried again. `mailbox` is read with its tenant's brand."""
    told = {"address": display_address(mailbox.email)}
    message = compose("mailboxes/mail/trial.txt", mailbox.email, told, dress_of(mailbox.tenant), language=language)
    message.extra_headers = {**message.extra_headers, "Message-ID": message_id(token)}
    return bool(deliver([message]))


def has_come(mailbox: Mailbox, token: str) -> bool:
    """Whether the message lies in the mailbox, in whatever folder. Raises OSError when Dovecot does not answer."""
    query = ["savedsince", SAVED_SINCE, "header", "message-id", message_id(token)]
    [[kind, found, _tag]] = doveadm.ask([["search", {"user": mailbox.email, "query": query}, "trial"]])
    if kind != "doveadmResponse":
        raise doveadm.Refusal(f"search answered {kind} {found}")
    return bool(found)


def message_id(token: str) -> str:
    return f"<{token}@{settings.MAILHOST_HOSTNAME}>"
