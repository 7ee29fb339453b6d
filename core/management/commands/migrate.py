"""`manage.py migrate`: Django's own, then the SQL functions; forwards only unless DEBUG is on."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.migrations.executor import MigrationExecutor

from core.db import clock, functions


class Command(migrate.Command):
    def get_check_kwargs(self, options: Any) -> Any:
        # Without the checks of the database: one of them finds what this command is about to install.
        return BaseCommand.get_check_kwargs(self, options)

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if options["database"] != DEFAULT_DB_ALIAS:
            return
        if options["plan"] or options["check_unapplied"]:
            names = functions.differing()
            if options["plan"]:
                self._say("SQL files to install", names)
            if names and options["check_unapplied"]:
                sys.exit(1)
            return
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self._say("SQL functions", ["Not installed before all migrations are applied."])
            return
        self._say("SQL functions", functions.install(now=clock.now()))

    def _say(self, title: str, lines: list[str]) -> None:
        if self.verbosity >= 1:
            self.stdout.write(self.style.MIGRATE_HEADING(f"{title}:"))
            for line in lines or ["Nothing to do."]:
                self.stdout.write(f"  {line}")

    # Taking a migration back drops the tables and columns it made, with the money that stands in them.
    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        if action == "unapply_start" and not fake and not settings.DEBUG:
            raise CommandError(
                f"{migration} is not taken back: what was written since would be lost. The way to the version before"
                " is a backup (docs/operations.md); with DEBUG=true, on a development machine, migrations go back too."
            )
        super().migration_progress_callback(action, migration, fake)
