from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Game, User
from core.errors import DomainError
from payments.player_access import game_public_id
from payments.players import set_pot_game


class Command(BaseCommand):
    help = "Say who owns a game (and gets what its expired rooms hold), and by which gameId it goes in the pots API."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbol", help="the game's symbol in the catalogue")
        parser.add_argument("--owner", required=True, help="a user's name")
        parser.add_argument("--game-id", help="the gameId that clients send; without it the symbol in lower case")

    def handle(self, *args: Any, **options: Any) -> None:
        game = Game.objects.filter(symbol=options["symbol"].upper()).first()
        owner = User.objects.filter(username__iexact=options["owner"]).first()
        if game is None or owner is None:
            raise CommandError("There is no such game." if game is None else "There is no such user.")
        try:
            set_pot_game(game=game, public_id=options["game_id"], owner=owner)
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{game.name} goes by {game_public_id(game)} and is owned by {owner.username}.")
