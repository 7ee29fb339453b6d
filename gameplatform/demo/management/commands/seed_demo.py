"""`manage.py seed_demo`: what `manage.py play` and a newcomer need."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.db import clock
from core.errors import DomainError
from core.progress import Progress
from gameplatform.demo import crowd, seeding
from gameplatform.demo.crowd import Crowd
from gameplatform.demo.logins import CAST, FILE_NAME, LoginsUnreadable, complete_logins, keep_logins


class Command(BaseCommand):
    help = (
        "Make the demo's token, people, games and rooms, and print the logins; with --size large, days of play as well."
        " Safe to stop and to repeat. It makes a superuser: not for a platform with real players."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--size",
            choices=("small", "large"),
            default="small",
            help="large: also 100,000 sessions that are over, with 1,000,000 transfers; a few minutes",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would be made")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["dry_run"]:
                self._list_missing()
            else:
                self._make_missing()
            if options["size"] == "large":
                self._crowd(crowd.LARGE, is_dry=options["dry_run"])
        except DomainError as error:
            raise CommandError(error.message) from error
        except LoginsUnreadable as error:
            raise CommandError(str(error)) from error

    def _list_missing(self) -> None:
        missing = list(seeding.missing_parts(logins=complete_logins(settings.DATA_DIR), now=clock.now()))
        for part in missing:
            self.stdout.write(f"Would make {part.title}")
        if not missing:
            self.stdout.write("The demo data is complete.")

    def _make_missing(self) -> None:
        logins = complete_logins(settings.DATA_DIR)
        # Kept before the accounts exist: a password that was set is never lost.
        keep_logins(settings.DATA_DIR, logins)
        made = 0
        for part in seeding.missing_parts(logins=logins, now=clock.now()):
            part.make()
            made += 1
            self.stdout.write(f"Made {part.title}")
        if not made:
            self.stdout.write("The demo data is complete.")
        self.stdout.write(f"Demo logins (kept in {settings.DATA_DIR / FILE_NAME}):")
        for username, role in CAST.items():
            self.stdout.write(f"{role.value:<7} {username:<13} {logins[username].password}")

    def _crowd(self, size: Crowd, *, is_dry: bool) -> None:
        players, rooms = crowd.missing_players(size), crowd.missing_rooms(size)
        batches = crowd.missing_batches(size)
        sessions = sum(len(size.numbers(batch)) for batch in batches)
        if not (players or rooms or batches):
            self.stdout.write(f"The crowd is complete: {size.sessions:,} sessions, {size.transfers():,} transfers.")
            return
        what = f"{len(players):,} players, {len(rooms):,} rooms, {sessions:,} sessions"
        if is_dry:
            self.stdout.write(f"Would make {what}; {size.transfers():,} transfers in all.")
            return
        now = clock.now()
        if players:
            crowd.make_players(names=players, now=now)
        if rooms:
            crowd.make_rooms(names=rooms, now=now)
        with Progress("sessions", total=sessions, say=self.stderr.write) as progress:
            for batch in batches:
                crowd.make_batch(crowd=size, batch=batch, now=now)
                progress.add(len(size.numbers(batch)))
        crowd.analyse()
        self.stdout.write(f"Made {what}; {size.transfers():,} transfers in all.")
