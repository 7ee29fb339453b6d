"""`manage.py seed_demo`: what `manage.py play` and a newcomer need."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gameplatform.core import clock
from gameplatform.core.errors import DomainError
from gameplatform.demo import seeding
from gameplatform.demo.logins import CAST, FILE_NAME, LoginsUnreadable, complete_logins, keep_logins


class Command(BaseCommand):
    help = (
        "Make the demo's token, people, games and rooms, and print the logins. Safe to repeat. It makes a superuser:"
        " not for a platform with real players."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be made")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["dry_run"]:
                self._list_missing()
            else:
                self._make_missing()
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
