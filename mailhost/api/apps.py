from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "mailhost.api"
    label = "api"
    verbose_name = "REST API"
