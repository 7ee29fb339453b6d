from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "gameplatform.core"
    label = "core"
    verbose_name = "Core"
