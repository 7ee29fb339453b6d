from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class BackofficeConfig(AppConfig):
    name = "gameplatform.backoffice"
    verbose_name = "Back-office"
    default = True


class PlatformAdminConfig(admin_apps.AdminConfig):
    """Django's admin with a site that masters may enter too."""

    default_site = "gameplatform.backoffice.site.BackofficeSite"
    default = False
