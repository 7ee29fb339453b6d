from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat import retention
from core.db import clock
from core.errors import Invalid
from core.progress import Progress, parse_period


class Command(BaseCommand):
    help = "Delete chat messages older than a period. May be stopped at any time and started again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", required=True, metavar="PERIOD", help="for example 90d")
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            before = clock.now() - parse_period(options["older_than"])
        except Invalid as error:
            raise CommandError(error.message) from error
        total = retention.old_messages(before=before).count()
        if options["dry_run"]:
            self.stdout.write(f"Would delete {total} messages posted before {before:%Y-%m-%d %H:%M:%S} UTC.")
            return
        with Progress("deleted", total=total, say=self.stderr.write) as progress:
            deleted = retention.prune(before=before, on_batch=progress.add)
        self.stdout.write(f"Deleted {deleted} messages.")
