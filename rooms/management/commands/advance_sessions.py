"""`manage.py advance_sessions`: move every due session on by hand; `--loop` does what the worker and beat do."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, close_old_connections

from core.db import clock
from core.observability import health
from rooms import tick


class Command(BaseCommand):
    help = "Settle, start, cancel and open every session that is due. Safe beside the worker and safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true", help="keep going, once a second, until interrupted")
        parser.add_argument("--dry-run", action="store_true", help="only say what is due")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            due = tick.due(now=clock.now())
            self.stdout.write(f"due: settle {due.settled}, start or cancel {due.started}, open in rooms {due.opened}")
            return
        self._once()
        while options["loop"]:
            time.sleep(1)
            try:
                self._once()
            except OperationalError as error:
                self.stderr.write(f"The database did not answer, trying again: {str(error).splitlines()[0]}")
                close_old_connections()

    def _once(self) -> None:
        now = clock.now()
        report = tick.advance(now=now)
        health.beat_heartbeat(now)
        if not report.is_idle():
            self.stdout.write(
                f"settled {report.settled}, started or cancelled {report.started}, opened in rooms {report.opened},"
                f" failed {report.failed}, put off {report.put_off}"
            )
