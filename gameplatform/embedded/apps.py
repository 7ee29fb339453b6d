from django.apps import AppConfig


class EmbeddedConfig(AppConfig):
    name = "gameplatform.embedded"
    label = "embedded"
