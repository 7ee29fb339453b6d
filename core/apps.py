from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _

from core.db.functions import check_installed


class CoreConfig(AppConfig):
    name = "core"
    label = "core"
    verbose_name = _("Core")

    def ready(self) -> None:
        checks.register(check_installed, checks.Tags.database)
