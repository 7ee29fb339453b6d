from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from gameplatform.core import clock
from payments import jobs


class Command(BaseCommand):
    help = "Delete the results of pot jobs that finished more than 7 days ago. Pending jobs stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        if options["dry_run"]:
            self.stdout.write(f"Would delete {jobs.prunable(now=now).count()} jobs.")
            return
        self.stdout.write(f"Deleted {jobs.prune(now=now)} jobs.")
