from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "gameplatform.webhooks"
    verbose_name = "Webhooks"
