"""Contests and who is in them (building blocks): what a paid session needs, and what the rounds' use cases share.

Locks: a contest's row is locked before the rounds in it are locked in the order of their ids; see `freeze`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import F

from accounts.models import Game, GameUser
from core.db import sql
from core.db.transactions import require_atomic
from rounds.errors import ContestNotRunning, NotEntered
from rounds.models import Contest, Round
from rounds.standings import Result, Standing, clean_score, final_order, standing_of


@dataclass(frozen=True, slots=True)
class Entrant:
    """A platform user in a session's contest."""

    game_user_id: int
    round_id: int


def open_contest(
    *,
    game: Game,
    controller: Contest.Controller,
    score_order: str,
    now: datetime,
    master: GameUser | None = None,
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
) -> Contest:
    """A new contest under the next free multiplayer id of the game. A session's has ``opens_at`` and ``closes_at``."""
    require_atomic()
    while True:
        contest, is_new = Contest.objects.get_or_create(
            game=game,
            multiplayer_id=_next_multiplayer_id(),
            defaults={
                "controller": controller,
                "score_order": score_order,
                "master": master,
                "opens_at": opens_at,
                "closes_at": closes_at,
                "created_at": now,
            },
        )
        if is_new:
            return contest


def find_or_open_contest(*, game: Game, multiplayer_id: int, master: GameUser, now: datetime) -> Contest:
    """The game's contest with this multiplayer id; the first who brings an unknown id opens it and is its master.

    The unique constraint decides who was first: of any number at once, one opens it and the others join.
    """
    require_atomic()
    contest, _ = Contest.objects.select_related("game").get_or_create(
        game=game,
        multiplayer_id=multiplayer_id,
        defaults={
            "controller": Contest.Controller.API,
            "score_order": game.score_order,
            "master": master,
            "created_at": now,
        },
    )
    return contest


def add_entrant(*, contest_id: int, user_id: int, now: datetime) -> Entrant:
    """Enter the platform user in a session's contest with its profile in that game; safe to repeat.

    One round trip; from SQL: ``contest_add_entrant(contest_id, user_id, now)``.
    """
    require_atomic()
    answer = sql.call("contest_add_entrant", contest_id, user_id, now)
    return Entrant(game_user_id=answer["game_user_id"], round_id=answer["round_id"])


def remove_entrant(*, contest_id: int, user_id: int) -> bool:
    """Take the platform user out again, False when it was not in or the contest is frozen.

    One round trip; from SQL: ``contest_remove_entrant(contest_id, user_id)``.
    """
    require_atomic()
    return bool(sql.call("contest_remove_entrant", contest_id, user_id)["removed"])


def submit_score(*, contest_id: int, user_id: int, score: Decimal, now: datetime) -> None:
    """Set the platform user's score in a session's contest.

    Raises ``NotEntered``, ``ContestNotRunning`` or ``InvalidScore``; nothing changes then.
    """
    require_atomic()
    entry = (
        Round.objects.select_for_update(no_key=True, of=("self",))
        .filter(contest_id=contest_id, authoritative=True, game_user__user_id=user_id)
        .first()
    )
    if entry is None:
        raise NotEntered()
    require_running(contest_id=contest_id, now=now)
    set_score(entry, score=score, order=order_of(contest_id), now=now)
    entry.updated_at = now
    entry.save(update_fields=["score", "standing", "submitted_at", "updated_at"])


def require_running(*, contest_id: int, now: datetime) -> None:
    """Raise ``ContestNotRunning`` unless the session's contest takes scores at ``now``.

    To be asked after the round's row was locked, in a statement of its own: `freeze` holds that lock until it has
    counted, and only a later statement sees what it did.
    """
    require_atomic()
    running = Contest.objects.filter(pk=contest_id, frozen_at__isnull=True, opens_at__lte=now, closes_at__gt=now)
    if not running.exists():
        raise ContestNotRunning()


def set_score(entry: Round, *, score: Decimal | None, order: str, now: datetime) -> None:
    """Put a score on the unsaved ``entry``. The same score again keeps the time of its first submission."""
    score = None if score is None else clean_score(score)
    if score == entry.score:
        return
    entry.score = score
    entry.standing = standing_of(score, order=order)
    entry.submitted_at = entry.created_at if score is None else now


def order_of(contest_id: int) -> str:
    """The contest's score order, frozen when it opened."""
    return Contest.objects.values_list("score_order", flat=True).get(pk=contest_id)


def count_round(*, contest_id: int, change: int) -> None:
    """Keep the contest's number of rounds, under its row lock."""
    require_atomic()
    Contest.objects.filter(pk=contest_id).update(rounds_count=F("rounds_count") + change)


def freeze(*, contest_id: int, tickets: Mapping[int, str], now: datetime) -> list[Standing]:
    """End a session's contest: no score is taken any more, the places are written once. Safe to repeat.

    ``tickets`` decide between what scores and submission times leave equal (`standings.final_order`). A score on its
    way is either committed before, and counts, or refused: its writer holds its row's lock, or waits for this one's.
    """
    require_atomic()
    Contest.objects.filter(pk=contest_id, frozen_at__isnull=True).update(frozen_at=now)
    rows = Round.objects.filter(contest_id=contest_id).order_by("id")
    list(rows.select_for_update(no_key=True).values_list("pk"))
    standings = final_standings(contest_id=contest_id, tickets=tickets)
    placed = [standing for standing in standings if standing.score is not None]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE rounds_round r SET place = p.place, updated_at = %s"
            " FROM unnest(%s::bigint[], %s::int[]) AS p (id, place) WHERE r.id = p.id AND r.place IS NULL",
            [now, [standing.round_id for standing in placed], [standing.rank for standing in placed]],
        )
    return standings


def final_standings(*, contest_id: int, tickets: Mapping[int, str]) -> list[Standing]:
    """Every row of the contest, best first: by score, submission and ticket, unscored last. Two statements."""
    rows = Round.objects.filter(contest_id=contest_id).values_list(
        "id", "game_user_id", "game_user__user_id", "score", "submitted_at"
    )
    return final_order([Result(*row) for row in rows], order=order_of(contest_id), tickets=tickets)


def _next_multiplayer_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('rounds_multiplayer_id')")
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])
