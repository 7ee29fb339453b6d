"""`manage.py prune`: delete expired rows. Never touches money."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from core.db import clock
from gameplatform.operations import pruning


class Command(BaseCommand):
    help = (
        "Delete answers to idempotency keys older than 24 hours, expired refresh tokens, ended sessions and old logins"
        " of the back-office, wrong passwords that lock nobody out any more, results of pot jobs older than 7 days,"
        " webhooks older than 30 days, old events of sessions that are over, export files whose time is over and, when"
        " CHAT_MESSAGES_KEEP_DAYS says so, old chat messages. In small batches; safe to stop, to repeat, and while the"
        " platform runs. Beat runs it every night."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--event-days",
            type=int,
            default=pruning.EVENT_DAYS,
            metavar="N",
            help=f"days to keep events (default {pruning.EVENT_DAYS})",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, **options: Any) -> None:
        total = 0
        for part in pruning.parts(now=clock.now(), event_days=options["event_days"]):
            count = part.count()
            if not options["dry_run"]:
                with tqdm(total=count, desc=part.name, unit="row", leave=False, disable=None) as bar:
                    count = part.prune(bar.update)
            self.stdout.write(f"{part.name}: {count}")
            total += count
        summary = f"{total} rows would be deleted." if options["dry_run"] else f"{total} rows deleted."
        self.stdout.write(self.style.SUCCESS(summary))
