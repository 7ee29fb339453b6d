from django.apps import AppConfig


class LauncherConfig(AppConfig):
    name = "gameplatform.launcher"
    label = "launcher"
