from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class RoomsConfig(AppConfig):
    name = "rooms"
    verbose_name = _("Rooms")

    def ready(self) -> None:
        # The models that the checks import are there only now.
        from rooms.system_checks import check_settings  # noqa: PLC0415

        checks.register(check_settings)
