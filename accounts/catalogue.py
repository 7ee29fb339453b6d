"""The games that can be played."""

from typing import TypedDict

from accounts.errors import GameNotFound
from accounts.models import Game


class GameRow(TypedDict):
    id: int
    name: str
    symbol: str


def active_games() -> list[GameRow]:
    """The active games, oldest first."""
    return list(Game.objects.filter(status=Game.Status.ACTIVE).order_by("id").values("id", "name", "symbol"))


def find_game(game_id: int) -> GameRow:
    """One game, active or not: a session may outlive its game's place in the list.

    Raises ``GameNotFound``.
    """
    row = Game.objects.filter(pk=game_id).values("id", "name", "symbol").first()
    if row is None:
        raise GameNotFound
    return row
