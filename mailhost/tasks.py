"""Background doors of what all apps share."""

from django.core.mail import EmailMessage

from mailhost.mail import HEADERS


def send_mail(to: str, subject: str, text: str) -> None:
    """Hand one mail to Postfix. Raises SMTPException or OSError, and is then tried again."""
    EmailMessage(subject=subject, body=text, to=[to], headers=HEADERS).send()
