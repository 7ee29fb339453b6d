from importlib import import_module

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin import apps as admin_apps
from django.core import checks

from backoffice.system_checks import check_export_folder


class BackofficeConfig(AppConfig):
    name = "backoffice"
    verbose_name = "Back-office"
    default = True

    def ready(self) -> None:
        checks.register(check_export_folder, deploy=True)


class PlatformAdminConfig(admin_apps.AdminConfig):
    """Django's admin with a site that masters may enter too."""

    default_site = "gameplatform.operations.site.BackofficeSite"
    default = False

    def ready(self) -> None:
        super().ready()
        # Every page is registered now.
        import_module("backoffice.vocabulary").translate(admin.site)
