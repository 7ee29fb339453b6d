"""A game as its clients reach it: its token, its variables, its service keys, and throw-away games (use cases)."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_noop

from accounts import roles
from accounts.models import ApiClient, Game, GameUser, User
from core import trail
from core.db.transactions import use_case
from rounds.errors import GameDisabled, GameInUse, GameNotFound
from rounds.models import Contest, GameAccess, Leaderboard, Round, new_game_token

RENEW_TOKEN = "rounds.change_gameaccess"


def find_access(*, game_id: int | None, token: str | None) -> GameAccess | None:
    """The access of this game with this token, its game loaded, or ``None``."""
    return GameAccess.objects.select_related("game").filter(pk=game_id, token=token).first()


def playable_game(*, game_id: int | None, token: str | None, token_needed: bool) -> Game:
    """The game a player may sign up or in at. Raises ``GameNotFound`` or ``GameDisabled``.

    The token counts when it is needed or given; a game without access has no players of its own.
    """
    if token_needed or token:
        access = find_access(game_id=game_id, token=token)
    else:
        access = GameAccess.objects.select_related("game").filter(pk=game_id).first()
    if access is None:
        raise GameNotFound()
    if access.game.status != Game.Status.ACTIVE:
        raise GameDisabled()
    return access.game


@use_case
def open_access(*, game: Game, now: datetime) -> GameAccess:
    """Let game clients sign players up for the game; an access that is there already stays as it is."""
    return GameAccess.objects.get_or_create(game=game, defaults={"created_at": now})[0]


@use_case
def renew_token(*, game: Game, actor: User, reason: str, now: datetime) -> str:
    """Give the game a new token: clients that still send the old one can no longer sign players up.

    The trail says that it was renewed, and neither token. Raises ``NotPermitted``, and ``GameNotFound``
    for a game without access.
    """
    roles.require(actor, RENEW_TOKEN)
    access = GameAccess.objects.select_for_update(no_key=True).filter(game=game).first()
    if access is None:
        raise GameNotFound()
    access.token = new_game_token()
    access.save(update_fields=["token"])
    trail.record(actor=actor, action=gettext_noop("game token renewed"), target=access, reason=reason, now=now)
    return access.token


@use_case
def create_test_game(*, now: datetime) -> GameAccess:
    """A throw-away game with access, for the test suites of client libraries."""
    mark = secrets.token_hex(6)
    game = Game.objects.create(name=f"Test game {mark}", symbol=f"TEST_{mark.upper()}", created_at=now)
    return GameAccess.objects.create(game=game, is_test=True, created_at=now)


@use_case
def delete_test_game(*, game_id: int) -> None:
    """Delete a throw-away game with everything in it.

    Raises ``GameNotFound`` for any other game and ``GameInUse`` when paid rooms were made for it.
    """
    access = GameAccess.objects.select_for_update().filter(pk=game_id, is_test=True).first()
    if access is None:
        raise GameNotFound()
    owned: Sequence[type[models.Model]] = (Round, Contest, Leaderboard, GameUser, ApiClient)
    try:
        for model in owned:
            model._default_manager.filter(game_id=game_id).delete()
        Game.objects.filter(pk=game_id).delete()
    except models.ProtectedError as error:
        raise GameInUse() from error
