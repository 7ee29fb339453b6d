from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat import retention
from gameplatform.core import clock
from gameplatform.core.errors import Invalid
from gameplatform.core.progress import Progress, parse_period

CONVERSATIONS_AT_ONCE = 100


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
        self.stdout.write(f"Deleted {self._prune(before, total)} messages.")

    def _prune(self, before: datetime, total: int) -> int:
        deleted = 0
        with Progress("deleted", total=total, say=self.stderr.write) as progress:
            while chosen := retention.conversations_with_old_messages(before=before, limit=CONVERSATIONS_AT_ONCE):
                round_deleted = 0
                for conversation_id in chosen:
                    while count := retention.prune_batch(conversation_id=conversation_id, before=before):
                        round_deleted += count
                        progress.add(count)
                deleted += round_deleted
                if not round_deleted:
                    break
        return deleted
