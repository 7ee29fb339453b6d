from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from core.db import clock
from core.errors import DomainError
from payments.players import create_player


class Command(BaseCommand):
    help = (
        "Make a player for the pots API and print its one-time-password address (otpauth://) for an authenticator app."
        " It is shown this once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("plyr_id", help="5 to 64 of a-z, 0-9 and dash")
        parser.add_argument("--user", help="an existing user's name; without it a user of the player's name is made")

    def handle(self, *args: Any, **options: Any) -> None:
        user = None
        if options["user"]:
            user = User.objects.filter(username__iexact=options["user"]).first()
            if user is None:
                raise CommandError(f"There is no user {options['user']}.")
        try:
            made = create_player(plyr_id=options["plyr_id"], user=user, now=clock.now())
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stderr.write(f"Created the player {made.player.plyr_id}. Add this to an authenticator app:")
        self.stdout.write(made.otpauth_uri)
