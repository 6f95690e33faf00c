"""Mail of our own: rendered where something happened, sent by a worker through Postfix."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from email.utils import formataddr, parseaddr
from smtplib import SMTPRecipientsRefused

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils import translation

from mailhost.background import later

log = structlog.get_logger(__name__)

SEND = "mailhost.tasks.send_mail"
# RFC 3834: no vacation reply, no out-of-office answer.
HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


@dataclass(frozen=True)
class Dress:
    """Under whose name a mail goes out: `name` stands in it and before the address that sends, `panel` begins its
    links, `support` gets the answers, `footer` ends it. `is_own` says that it is a brand's, not the installation's."""

    panel: str
    name: str = "Mailhost"
    support: str = ""
    footer: str = ""
    is_own: bool = False


def compose(template: str, to: str, context: dict, dress: Dress | None = None, *, language: str = "") -> EmailMessage:
    """Render `template` in the language of who gets it: its first line is the subject, what follows the empty line is
    the text.

    Links in it are made of MAILHOST_URL or of a brand's proven host, never of what a request calls this host.
    """
    dress = dress or Dress(panel=settings.MAILHOST_URL)
    with speaking(language):
        text = render_to_string(template, {**context, "panel": dress.panel, "product": dress.name})
    subject, _, body = text.strip().partition("\n")
    body = f"{body.strip()}\n" + (f"\n{dress.footer}\n" if dress.footer else "")
    return letter(to, subject.strip(), body, sender=dress.name if dress.is_own else "", reply_to=dress.support)


def speaking(language: str) -> AbstractContextManager:
    """Speak a person's language, `User.language`; English to those who have chosen none."""
    return translation.override(language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE)


def letter(to: str, subject: str, text: str, *, sender: str = "", reply_to: str = "") -> EmailMessage:
    """Return a mail from our own address, under the name `sender` if there is one."""
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return EmailMessage(
        subject=subject,
        body=text,
        from_email=formataddr((sender, address)) if sender else None,
        to=[to],
        reply_to=[reply_to] if reply_to else None,
        headers=HEADERS,
    )


def deliver(messages: Sequence[EmailMessage]) -> int:
    """Send mails to one person each; return how many were taken.

    An address that is refused for good (5xx) is left: tried again it would be refused for ever, and would keep the mail
    from the others. Raises OSError or SMTPException for what may be tried again.
    """
    taken = 0
    with get_connection() as connection:
        for message in messages:
            try:
                taken += connection.send_messages([message]) or 0
            except SMTPRecipientsRefused as refused:
                if any(code < 500 for code, _ in refused.recipients.values()):
                    raise
                log.warning(
                    "recipient_refused_for_good", answers=sorted(code for code, _ in refused.recipients.values())
                )
    return taken


def send_later(template: str, to: str, context: dict, dress: Dress | None = None, *, language: str = "") -> None:
    """Send a mail once this transaction has committed. What stands in it is kept in the outbox for a day, so
    mail with a secret in it is composed by the task that sends it."""
    message = compose(template, to, context, dress, language=language)
    own = {"sender": dress.name, "reply_to": dress.support} if dress is not None and dress.is_own else {}
    later(SEND, to=to, subject=message.subject, text=message.body, **own)
