from django.apps import AppConfig


class ClientSetupConfig(AppConfig):
    name = "clientsetup"
