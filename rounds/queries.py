"""Reading rounds, rankings and players as plain rows (no locks, no writes)."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, F, Func, QuerySet

from accounts.models import GameUser
from rounds.models import GameUserAttribute, GameVariable, Round

Row = dict[str, Any]

# What a round's answer holds of its rankings, however large the contest is (docs/rounds.md).
RANKINGS_TOP = 100
RANKINGS_AROUND = 5
# The newest rounds that come with a user.
USER_ROUNDS_MAX = 100

ROUND_FIELDS = (
    "id",
    "game_id",
    "game_user_id",
    "contest_id",
    "contest__multiplayer_id",
    "contest__rounds_count",
    "game_type",
    "score",
    "start_time",
    "end_time",
    "metadata",
    "created_at",
    "updated_at",
    "effective_place",
)

_RANKINGS_SQL = """
SELECT asked.round_id AS asked_for, ranked.place, r.id, r.score, r.start_time, r.end_time, u.id AS user_id, u.username,
    u.email, u.credits, u.score AS user_score, u.number_of_logins
FROM unnest(%s::bigint[], %s::bigint[]) AS asked (contest_id, round_id)
CROSS JOIN LATERAL contest_rankings(asked.contest_id, asked.round_id, %s, %s) AS ranked
JOIN rounds_round r ON r.id = ranked.round_id
JOIN accounts_gameuser u ON u.id = r.game_user_id
ORDER BY asked.round_id, ranked.position
"""


def round_row(round_id: int) -> Row | None:
    """One round with its effective place, or ``None``."""
    rows = round_rows(Round.objects.filter(pk=round_id))
    return rows[0] if rows else None


def round_rows(rounds: QuerySet[Round]) -> Sequence[Row]:
    """Rounds with their effective places (contract: rounds, "place"): one statement."""
    place = Func(
        *(F(name) for name in ("id", "contest_id", "place", "score", "standing", "submitted_at")),
        function="round_place",
        output_field=BigIntegerField(),
    )
    return list(rounds.annotate(effective_place=place).values(*ROUND_FIELDS))


def rounds_of(*, game_user_id: int) -> QuerySet[Round]:
    """A player's rounds, oldest first."""
    return Round.objects.filter(game_user_id=game_user_id).order_by("id")


def newest_rounds_of(*, game_user_id: int) -> Sequence[Row]:
    """The newest rounds that come with a user, oldest of them first."""
    newest = Round.objects.filter(game_user_id=game_user_id).order_by("-id")
    return round_rows(newest[:USER_ROUNDS_MAX])[::-1]


def rankings_of(rounds: Iterable[Row]) -> dict[int, list[Row]]:
    """The rankings that each of these rounds shows, by round id: one statement for all that are in a contest.

    The first ``RANKINGS_TOP`` rows of its contest, and ``RANKINGS_AROUND`` rows on either side of the round.
    """
    asked = [(row["contest_id"], row["id"]) for row in rounds if row["contest_id"] is not None]
    rankings: dict[int, list[Row]] = {round_id: [] for _, round_id in asked}
    if not asked:
        return rankings
    contest_ids, round_ids = map(list, zip(*asked, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_RANKINGS_SQL, [contest_ids, round_ids, RANKINGS_TOP, RANKINGS_AROUND])
        names = [column.name for column in cursor.description]
        for values in cursor:
            row = dict(zip(names, values, strict=True))
            rankings[row.pop("asked_for")].append(row)
    return rankings


def game_user(game_user_id: int) -> GameUser | None:
    """One player of any game, or ``None``."""
    return GameUser.objects.filter(pk=game_user_id).first()


def attributes_of(game_user_id: int) -> Sequence[Row]:
    """The player's attributes in the order they were first set."""
    rows = GameUserAttribute.objects.filter(game_user_id=game_user_id).order_by("id")
    return [dict(row) for row in rows.values("id", "key", "value")]


def variables_of(game_id: int) -> Sequence[Row]:
    """What the game's clients read at start-up, in the order it was entered."""
    rows = GameVariable.objects.filter(access_id=game_id).order_by("id")
    return [dict(row) for row in rows.values("id", "key", "value")]


def contest_table(*, contest_id: int, limit: int) -> Sequence[Row]:
    """The first ``limit`` rows of a contest's rankings, each with its player: one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ranked.position, ranked.place, r.id, u.username, r.score, r.submitted_at, r.end_time"
            " FROM contest_rankings(%s, NULL, %s, 0) AS ranked"
            " JOIN rounds_round r ON r.id = ranked.round_id JOIN accounts_gameuser u ON u.id = r.game_user_id"
            " ORDER BY ranked.position",
            [contest_id, limit],
        )
        names = [column.name for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor]
