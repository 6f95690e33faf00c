from django.apps import AppConfig


class GuardConfig(AppConfig):
    """The milter that judges under which address a signed-in person writes."""

    name = "guard"
