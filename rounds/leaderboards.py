"""Named leaderboards of a game (use cases to write, queries to read), ranked by `rounds.standings`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_noop

from accounts import roles
from accounts.models import User
from core import trail
from core.db.transactions import use_case
from core.security.names import clean_name
from rounds.actors import Actor, count_activity
from rounds.models import LEADERBOARD_NAME_LENGTH_MAX, Leaderboard, LeaderboardEntry
from rounds.players import require_self
from rounds.standings import clean_score, score_text, standing_of

ENTRY_FIELDS = ("score", "leaderboard__name", "game_user_id", "game_user__username", "metadata", "created_at")

REMOVE_ENTRY = "rounds.delete_leaderboardentry"


@use_case
def add_entry(
    *, actor: Actor, game_user_id: int, name: str, score: Decimal, metadata: Mapping[str, Any], now: datetime
) -> None:
    """Put the actor's score on a leaderboard of its game, which the first entry makes.

    Raises ``NotYourself``, ``InvalidName`` or ``InvalidScore``.
    """
    require_self(actor, game_user_id)
    name = clean_name(name, max_length=LEADERBOARD_NAME_LENGTH_MAX, label="Leaderboard name")
    score = clean_score(score)
    board, _ = Leaderboard.objects.get_or_create(
        game_id=actor.user.game_id,
        name=name,
        defaults={"score_order": actor.user.game.score_order, "created_at": now},
    )
    LeaderboardEntry.objects.create(
        leaderboard=board,
        game_user=actor.user,
        score=score,
        standing=standing_of(score, order=board.score_order),
        metadata=metadata,
        created_at=now,
    )
    count_activity(game_user_id=actor.user.pk, now=now)


@use_case
def clear_entries(*, actor: Actor, game_user_id: int, name: str | None, now: datetime) -> None:
    """Take the actor's own entries away: those of one leaderboard, or all. Raises ``NotYourself``."""
    require_self(actor, game_user_id)
    entries = LeaderboardEntry.objects.filter(game_user=actor.user)
    if name is not None:
        entries = entries.filter(leaderboard__name=name)
    entries.delete()
    count_activity(game_user_id=actor.user.pk, now=now)


@use_case
def remove_entry(*, actor: User, entry_id: int, reason: str, now: datetime) -> bool:
    """Take one entry off its board, by staff: a board is only as good as its worst cheat. False when it is gone.

    Raises ``NotPermitted``.
    """
    roles.require(actor, REMOVE_ENTRY)
    entry = LeaderboardEntry.objects.select_for_update().filter(pk=entry_id).first()
    if entry is None:
        return False
    before = {
        "leaderboard": entry.leaderboard_id,
        "game_user": entry.game_user_id,
        "score": score_text(entry.score),
        "metadata": entry.metadata,
        "created_at": entry.created_at,
    }
    trail.record(
        actor=actor,
        action=gettext_noop("leaderboard entry removed"),
        target=entry,
        reason=reason,
        before=before,
        now=now,
    )
    entry.delete()
    return True


def game_entries(*, game_id: int, name: str, one_per_user: bool, limit: int) -> Sequence[dict[str, Any]]:
    """The best entries of a game's leaderboard, best first; ``one_per_user``: of each player the best one only."""
    entries = LeaderboardEntry.objects.filter(leaderboard__game_id=game_id, leaderboard__name=name)
    return _rows(entries.order_by("standing", "created_at", "id"), one_per_user=one_per_user, limit=limit)


def user_entries(*, game_user_id: int, name: str | None, one_per_user: bool, limit: int) -> Sequence[dict[str, Any]]:
    """A player's entries: best first on one leaderboard, newest first over all.

    ``one_per_user``: the best one only, of each leaderboard.
    """
    entries = LeaderboardEntry.objects.filter(game_user_id=game_user_id)
    if name is None:
        entries = entries.order_by("-created_at", "-id")
    else:
        entries = entries.filter(leaderboard__name=name).order_by("standing", "created_at", "id")
    return _rows(entries, one_per_user=one_per_user, limit=limit)


def _rows(entries: QuerySet[LeaderboardEntry], *, one_per_user: bool, limit: int) -> Sequence[dict[str, Any]]:
    if one_per_user:
        entries = entries.filter(~Exists(_better_of_same_player()))
    return list(entries.values(*ENTRY_FIELDS)[:limit])


def _better_of_same_player() -> QuerySet[LeaderboardEntry]:
    # Asked row by row along the board's index, each a look at the player's own: cheap however long the board is.
    same = LeaderboardEntry.objects.filter(
        leaderboard=OuterRef("leaderboard"), game_user=OuterRef("game_user"), standing__lte=OuterRef("standing")
    )
    return same.filter(
        Q(standing__lt=OuterRef("standing"))
        | Q(created_at__lt=OuterRef("created_at"))
        | Q(created_at=OuterRef("created_at"), id__lt=OuterRef("id"))
    )
