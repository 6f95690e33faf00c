"""Background doors of what all apps share."""

from mailhost.mail import deliver, letter


def send_mail(to: str, subject: str, text: str, sender: str = "", reply_to: str = "") -> None:
    """Hand one mail to Postfix. Raises SMTPException or OSError, and is then tried again."""
    deliver([letter(to, subject, text, sender=sender, reply_to=reply_to)])
