"""Mail of our own: rendered where something happened, sent by a worker through Postfix."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from mailhost.background import later

SEND = "mailhost.tasks.send_mail"
# RFC 3834: no vacation reply, no out-of-office answer.
HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


def compose(template: str, to: str, context: dict) -> EmailMessage:
    """Render `template`: its first line is the subject, what follows the empty line is the text.

    Links in it are made of MAILHOST_URL, never of what a request calls this host.
    """
    text = render_to_string(template, {**context, "panel": settings.MAILHOST_URL})
    subject, _, body = text.strip().partition("\n")
    return EmailMessage(subject=subject.strip(), body=f"{body.strip()}\n", to=[to], headers=HEADERS)


def send_later(template: str, to: str, context: dict) -> None:
    """Send a mail once this transaction has committed. What stands in it is kept in the outbox for a day, so
    mail with a secret in it is composed by the task that sends it."""
    message = compose(template, to, context)
    later(SEND, to=to, subject=message.subject, text=message.body)
