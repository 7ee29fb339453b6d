from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "gameplatform.operations"
    verbose_name = "Operations"
