"""`manage.py backup FILE`."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gameplatform.launcher import dumps


class Command(BaseCommand):
    help = "Write the whole database, as of one instant, to a file. Safe while the platform runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="only say whether it could be written")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"].resolve()
        if file.exists():
            raise CommandError(f"{file} exists already. A backup never replaces another: choose a new name.")
        if not file.parent.is_dir():
            raise CommandError(f"{file.parent} is no folder.")
        try:
            programs = dumps.find_programs()
            if options["dry_run"]:
                self.stdout.write(
                    f"Would write {dumps.tables_in_the_database()} tables to {file} with {programs.folder}/pg_dump."
                )
                return
            started = time.monotonic()
            size = dumps.backup(programs, file)
        except (dumps.DumpError, OSError) as error:
            raise CommandError(str(error)) from error
        seconds = time.monotonic() - started
        self.stdout.write(self.style.SUCCESS(f"{file}: {size / 1e6:.1f} MB in {seconds:.1f} s."))
        self.stdout.write("Keep the settings' secrets with it: FIELD_ENCRYPTION_KEYS opens the draws' seeds in it.")
