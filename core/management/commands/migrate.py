"""`manage.py migrate`: Django's own, forwards only where the platform is in earnest."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate


class Command(migrate.Command):
    # Taking a migration back drops the tables and columns it made, with the money that stands in them.
    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        if action == "unapply_start" and not fake and not settings.DEBUG:
            raise CommandError(
                f"{migration} is not taken back: what was written since would be lost. The way to the version before"
                " is a backup (docs/operations.md); with DEBUG=true, on a development machine, migrations go back too."
            )
        super().migration_progress_callback(action, migration, fake)
