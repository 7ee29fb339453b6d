"""`manage.py settle_stuck`: the sessions that kept failing, and their way back to the tick."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from accounts.management.actors import add_actor_argument, named_actor
from core.db import clock
from core.errors import DomainError
from rooms import quarantine


class Command(BaseCommand):
    help = (
        "List the sessions that were set aside because they kept failing. With --retry or --all, give them back to the"
        " tick, which takes them up within a second. void_session refunds one that cannot be helped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--retry", type=int, action="append", metavar="ID", help="this session; may be repeated")
        which.add_argument("--all", action="store_true", help="every session that was set aside")
        parser.add_argument("--reason", default="by hand", help="what was done about the cause, for the record")
        add_actor_argument(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say which would be retried")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = named_actor(options)
        waiting = list(quarantine.quarantined())
        for session in waiting:
            self.stdout.write(
                f"session {session.pk} of room {session.room_id} ({session.room.name}): {session.status},"
                f" {session.participants_count} entries, set aside {session.quarantined_at:%Y-%m-%d %H:%M:%S} UTC"
                f" after {session.failures} failures: {session.last_error}"
            )
        chosen = [session.pk for session in waiting] if options["all"] else options["retry"] or []
        if options["dry_run"] or not chosen:
            would = f" {len(chosen)} would be retried." if chosen else ""
            self.stdout.write(f"{len(waiting)} sessions are set aside.{would}")
            return
        refused = 0
        for session_id in tqdm(chosen, unit="session", leave=False, disable=None):
            try:
                quarantine.retry(session_id=session_id, now=clock.now(), reason=options["reason"], actor=actor)
            except DomainError as refusal:
                refused += 1
                self.stderr.write(f"session {session_id}: {refusal.message}")
        summary = f"{len(chosen) - refused} sessions go back to the tick, {len(waiting) - len(chosen) + refused} stay."
        if refused:
            raise CommandError(f"{refused} could not be retried. {summary}")
        self.stdout.write(self.style.SUCCESS(summary))
