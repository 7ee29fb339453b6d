"""Playing rounds (use cases): create, update, delete. Contract: rounds, "Rules"."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from accounts.models import GameUser
from core.db.transactions import require_atomic, use_case
from rounds import contests
from rounds.actors import Actor, count_activity
from rounds.errors import (
    EntrantStays,
    GameUserNotFound,
    NotEntered,
    NotOwner,
    OtherGame,
    RoundNotFound,
)
from rounds.models import Contest, Round

# What a client may set; of an authoritative round the place is not the client's to set and is left out.
FIELDS = ("game_type", "start_time", "end_time", "score", "place", "metadata")


@use_case
def create_round(
    *,
    actor: Actor,
    game_user_id: int,
    multiplayer: bool,
    multiplayer_id: int | None,
    values: Mapping[str, Any],
    now: datetime,
) -> int:
    """A new round, its id; ``values`` hold any of ``FIELDS``, at least ``game_type``.

    ``multiplayer`` without an id opens a contest, an id joins it. In a session's contest it is the player's one round
    that takes the values. Raises ``NotOwner``, ``OtherGame``, ``GameUserNotFound``, ``NotEntered``,
    ``ContestNotRunning`` or ``InvalidScore``.
    """
    player = actor.user if game_user_id == actor.user.pk else _player(actor, game_user_id)
    contest = _contest(actor, multiplayer=multiplayer, multiplayer_id=multiplayer_id, now=now)
    if contest is not None and contest.controller == Contest.Controller.SESSION:
        entry = _locked(contest.rounds.filter(game_user=player, authoritative=True))
        if entry is None:
            raise NotEntered()
        _change(entry, actor=actor, values=values, now=now)
        return entry.pk
    if player.pk != actor.user.pk and (contest is None or contest.master_id != actor.user.pk):
        raise NotOwner(gettext_noop("Only the master of a multiplayer game round can add rounds of other users"))
    entry = Round(
        game_id=player.game_id,
        game_user=player,
        contest=contest,
        created_at=now,
        updated_at=now,
        submitted_at=now,
        start_time=now,
    )
    _put(entry, values=values, order=contest.score_order if contest else actor.user.game.score_order, now=now)
    if contest is not None:
        contests.count_round(contest_id=contest.pk, change=1)
    entry.save(force_insert=True)
    count_activity(game_user_id=actor.user.pk, now=now)
    return entry.pk


@use_case
def update_round(*, actor: Actor, round_id: int, values: Mapping[str, Any], now: datetime) -> None:
    """Set the given ``FIELDS`` of a round and leave the others.

    Raises ``RoundNotFound``, ``OtherGame``, ``NotOwner``, ``ContestNotRunning`` or ``InvalidScore``.
    """
    _change(_find(actor, round_id), actor=actor, values=values, now=now)


@use_case
def delete_round(*, actor: Actor, round_id: int, now: datetime) -> None:
    """Take a round away. Raises ``RoundNotFound``, ``OtherGame``, ``NotOwner`` or ``EntrantStays``."""
    entry = _find(actor, round_id)
    _require_right(entry, actor=actor)
    if entry.authoritative:
        raise EntrantStays()
    if entry.contest_id is not None:
        contests.count_round(contest_id=entry.contest_id, change=-1)
    entry.delete()
    count_activity(game_user_id=actor.user.pk, now=now)


def _player(actor: Actor, game_user_id: int) -> GameUser:
    player = GameUser.objects.filter(pk=game_user_id).first()
    if player is None:
        raise GameUserNotFound(gettext_noop("Game user must exist"))
    if player.game_id != actor.user.game_id:
        raise OtherGame(gettext_noop("You cannot add game rounds of another game's users"))
    return player


def _contest(actor: Actor, *, multiplayer: bool, multiplayer_id: int | None, now: datetime) -> Contest | None:
    game = actor.user.game
    if multiplayer_id is not None:
        return contests.find_or_open_contest(game=game, multiplayer_id=multiplayer_id, master=actor.user, now=now)
    if multiplayer:
        return contests.open_contest(
            game=game,
            controller=Contest.Controller.API,
            score_order=game.score_order,
            master=actor.user,
            now=now,
        )
    return None


def _find(actor: Actor, round_id: int) -> Round:
    entry = _locked(Round.objects.filter(pk=round_id))
    if entry is None:
        raise RoundNotFound()
    if entry.game_id != actor.user.game_id:
        raise OtherGame(gettext_noop("You cannot change game rounds of another game"))
    return entry


def _locked(rounds: Any) -> Round | None:
    require_atomic()
    entry: Round | None = rounds.select_for_update(no_key=True, of=("self",)).first()
    return entry


def _require_right(entry: Round, *, actor: Actor) -> None:
    is_own = entry.game_user_id == actor.user.pk
    if entry.authoritative:
        allowed = is_own or actor.by_service
    else:
        allowed = is_own or (
            entry.contest_id is not None
            and Contest.objects.filter(pk=entry.contest_id, master_id=actor.user.pk).exists()
        )
    if not allowed:
        raise NotOwner()


def _change(entry: Round, *, actor: Actor, values: Mapping[str, Any], now: datetime) -> None:
    _require_right(entry, actor=actor)
    if entry.authoritative:
        assert entry.contest_id is not None
        contests.require_running(contest_id=entry.contest_id, now=now)
    order = contests.order_of(entry.contest_id) if entry.contest_id is not None else actor.user.game.score_order
    _put(entry, values=values, order=order, now=now)
    entry.updated_at = now
    # Only what was sent: a field that another request wrote meanwhile is none of ours.
    changed = {name for name in FIELDS if name in values} | {"standing", "submitted_at", "updated_at"}
    entry.save(update_fields=changed)
    count_activity(game_user_id=actor.user.pk, now=now)


def _put(entry: Round, *, values: Mapping[str, Any], order: str, now: datetime) -> None:
    for name in ("game_type", "start_time", "end_time", "metadata"):
        if name in values:
            setattr(entry, name, values[name])
    if "score" in values:
        contests.set_score(entry, score=values["score"], order=order, now=now)
    if "place" in values and not entry.authoritative:
        entry.place = values["place"]
