from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat import retention
from core.db import clock
from core.errors import Invalid
from core.progress import Progress, parse_period


class Command(BaseCommand):
    help = "Deactivate tenants' rooms in which nothing was said for a period. May be stopped and started again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--idle", default="30d", metavar="PERIOD", help="default: 30d")
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        try:
            since = now - parse_period(options["idle"])
        except Invalid as error:
            raise CommandError(error.message) from error
        rooms = retention.idle_rooms(since=since)
        total = rooms.count()
        if options["dry_run"]:
            self.stdout.write(f"Would deactivate {total} rooms idle since {since:%Y-%m-%d %H:%M:%S} UTC.")
            return
        closed = 0
        with Progress("looked at", total=total, say=self.stderr.write) as progress:
            for room_id in rooms.values_list("pk", flat=True).iterator(chunk_size=retention.BATCH_ROWS):
                closed += retention.close_idle_room(room_id=room_id, since=since, now=now)
                progress.add(1)
        self.stdout.write(f"Deactivated {closed} rooms.")
