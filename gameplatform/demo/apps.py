from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "gameplatform.demo"
    label = "demo"
