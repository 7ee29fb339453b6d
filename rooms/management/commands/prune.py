"""`manage.py prune`: delete what nobody can use any more. Never touches money."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import QuerySet
from tqdm import tqdm

from gameplatform.accounts import pruning
from gameplatform.backoffice import pruning as backoffice_pruning
from gameplatform.core import clock, idempotency
from gameplatform.core.batches import delete_in_batches
from gameplatform.webhooks import deliveries
from payments import jobs
from rooms import events

IDEMPOTENCY_KEPT = timedelta(hours=24)
EVENT_DAYS = 30


class Command(BaseCommand):
    help = (
        "Delete answers to idempotency keys older than 24 hours, expired refresh tokens, ended sessions and old logins"
        " of the back-office, wrong passwords that lock nobody out any more, results of pot jobs older than 7 days,"
        " webhooks older than 30 days, and old events of sessions that are over. In small batches; safe to stop, to"
        " repeat, and while the platform runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--event-days",
            type=int,
            default=EVENT_DAYS,
            metavar="N",
            help=f"days to keep events (default {EVENT_DAYS})",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        kinds: dict[str, QuerySet[Any]] = {
            "idempotency records": idempotency.prunable(older_than=IDEMPOTENCY_KEPT, now=now),
            "refresh tokens": pruning.expired_tokens(now=now),
            "ended sessions of the back-office": backoffice_pruning.ended_sessions(now=now),
            "wrong passwords": backoffice_pruning.forgiven_failures(now=now),
            "logins to the back-office": backoffice_pruning.old_logins(now=now),
            "pot jobs": jobs.prunable(now=now),
            "webhook events": deliveries.prunable(now=now),
            "room events": events.prunable(before=now - timedelta(days=options["event_days"])),
        }
        total = 0
        for name, rows in kinds.items():
            count = rows.count()
            if not options["dry_run"]:
                with tqdm(total=count, desc=name, unit="row", leave=False, disable=None) as bar:
                    count = delete_in_batches(rows, bar.update)
            self.stdout.write(f"{name}: {count}")
            total += count
        summary = f"{total} rows would be deleted." if options["dry_run"] else f"{total} rows deleted."
        self.stdout.write(self.style.SUCCESS(summary))
