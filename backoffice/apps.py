from axes.apps import AppConfig as AxesConfig
from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.core import checks
from django.utils.translation import gettext_lazy as _

from backoffice.system_checks import check_export_folder


class BackofficeConfig(AppConfig):
    name = "backoffice"
    verbose_name = _("Back-office")
    default = True

    def ready(self) -> None:
        checks.register(check_export_folder, deploy=True)


class PlatformAdminConfig(admin_apps.AdminConfig):
    """Django's admin with a site that masters may enter too."""

    default_site = "gameplatform.operations.site.BackofficeSite"
    default = False


class SignInsConfig(AxesConfig):
    """django-axes under a name that says what it keeps."""

    verbose_name = _("Sign-ins")
    default = False
