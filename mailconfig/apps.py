from django.apps import AppConfig


class MailconfigConfig(AppConfig):
    """What the mail daemons' configuration files say, and how they reach the daemons."""

    name = "mailconfig"
