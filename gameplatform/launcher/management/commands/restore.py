"""`manage.py restore FILE`."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from gameplatform.launcher import dumps


class Command(BaseCommand):
    help = (
        "Put a backup in place of all that the database holds, bring it up to this version, and verify the ledger."
        " Stop the platform first. When it fails, the database is as it was."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--yes", action="store_true", help="replace what a database that is not empty holds")
        parser.add_argument("--dry-run", action="store_true", help="only read the backup and say what would happen")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"].resolve()
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        try:
            programs = dumps.find_programs()
            tables = dumps.contents(programs, file)
            present = dumps.tables_in_the_database()
            if options["dry_run"]:
                needs = " This needs --yes." if present else ""
                self.stdout.write(f"Would replace {present} tables by the {tables} of {file}.{needs}")
                return
            if present and not options["yes"]:
                raise CommandError(f"The database is not empty ({present} tables). Replace all of it with --yes.")
            with tqdm(unit="B", unit_scale=True, desc="restore", leave=False, disable=None) as bar:
                dumps.restore(programs, file, bar.update)
        except dumps.DumpError as error:
            raise CommandError(str(error)) from error
        call_command("migrate", interactive=False, verbosity=0)
        call_command("verify_ledger", stdout=self.stdout, stderr=self.stderr)
        self.stdout.write(self.style.SUCCESS(f"{tables} tables restored from {file}; the ledger was verified."))
