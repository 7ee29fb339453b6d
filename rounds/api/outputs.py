"""The objects of the GameFuse answers. Contract: rounds, "Endpoints"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

import orjson

from accounts.models import GameUser
from core.wire.fields import iso_ms
from core.wire.openapi import ID, TIME
from core.wire.outputs import ABSENT, FLAG, TEXT, Member, Output, Row, nested, same, value
from rounds import queries
from rounds.actors import month_of
from rounds.standings import score_text

# A player is new until it signs in a second time.
NEW_USER_LOGINS_MAX = 1
# What GameFuse's other parts would fill; their clients expect the lists.
EMPTY_LISTS = (
    "game_user_store_items",
    "friends",
    "outgoing_friend_requests",
    "incoming_friend_requests",
    "groups",
    "group_join_requests",
    "group_invites",
    "direct_chats",
    "group_chats",
)

COUNT = {"type": "integer", "minimum": 0}
WHOLE = {"type": "integer"}
OBJECT = {"type": "object"}
SCORE = {"type": "number", "description": "Exact: its digits are those that were sent."}
PLACE = {"type": "integer", "minimum": 0}


def _exact(score: Decimal) -> orjson.Fragment:
    """The score's own digits: as a float it could be another number."""
    return orjson.Fragment(score_text(score))


def _time(source: str | None = None, *, nullable: bool = False) -> Member:
    return value(TIME, source, write=iso_ms, nullable=nullable)


def _nothing() -> Member:
    return value({"type": "array", "items": OBJECT, "maxItems": 0}, lambda _: [])


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A player as a caller sees it: ``token`` is for the caller that has it already."""

    user: GameUser
    is_self: bool
    token: str | None
    now: datetime
    attributes: Sequence[Row] = ()
    rounds: Sequence[Row] = ()

    @property
    def own_email(self) -> str | None:
        """The email is for the player alone."""
        return self.user.email if self.is_self else None

    def this_month(self, name: str) -> int:
        """A monthly counter; it starts again with each month."""
        count: int = getattr(self.user, name)
        return count if self.user.counted_month == month_of(self.now) else 0


MESSAGE = Output("GameFuseMessage", message=value(TEXT))

PAIR = Output("GameFusePair", id=value(ID), key=value(TEXT), value=value(TEXT))

GAME = Output(
    "GameFuseGame",
    id=value(ID),
    name=value(TEXT),
    token=value(TEXT),
    description=value(TEXT),
    game_variables=nested(PAIR, many=True),
)

STORE_ITEMS = Output("GameFuseStoreItems", store_items=_nothing())
USER_STORE_ITEMS = Output("GameFuseUserStoreItems", game_user_store_items=_nothing())

USER = Output(
    "GameFuseUser",
    id=value(ID, attrgetter("user.pk")),
    username=value(TEXT, attrgetter("user.username")),
    email=value(TEXT, attrgetter("own_email"), nullable=True),
    display_email=value(TEXT, attrgetter("own_email"), nullable=True),
    credits=value(WHOLE, attrgetter("user.credits")),
    score=value(WHOLE, attrgetter("user.score")),
    last_login=value(TIME, attrgetter("user.last_login"), write=iso_ms, nullable=True),
    number_of_logins=value(COUNT, attrgetter("user.number_of_logins")),
    authentication_token=value(TEXT, attrgetter("token"), nullable=True),
    events_total=value(COUNT, attrgetter("user.events_total")),
    events_current_month=value(COUNT, lambda seen: seen.this_month("events_current_month")),
    game_sessions_total=value(COUNT, attrgetter("user.game_sessions_total")),
    game_sessions_current_month=value(COUNT, lambda seen: seen.this_month("game_sessions_current_month")),
    is_new_user=value(FLAG, lambda seen: seen.user.number_of_logins <= NEW_USER_LOGINS_MAX),
)

# Rows of `queries.rankings_of`, each with the ``caller_id``.
RANKED_USER = Output(
    "GameFuseRankedUser",
    id=value(ID, "user_id"),
    username=value(TEXT),
    credits=value(WHOLE),
    score=value(WHOLE, "user_score"),
    is_new_user=value(FLAG, lambda row: row["number_of_logins"] <= NEW_USER_LOGINS_MAX),
    display_email=value(TEXT, lambda row: row["email"] if row["user_id"] == row["caller_id"] else None, nullable=True),
    email=value(
        TEXT,
        lambda row: row["email"] if row["user_id"] == row["caller_id"] else ABSENT,
        nullable=True,
        required=False,
    ),
)

RANKING = Output(
    "GameFuseRanking",
    id=value(ID),
    place=value(PLACE, nullable=True),
    score=value(SCORE, write=_exact, nullable=True),
    start_time=_time(nullable=True),
    end_time=_time(nullable=True),
    user=nested(RANKED_USER, same),
)

# Rows of `queries.round_rows`.
ROUND = Output(
    "GameFuseRound",
    id=value(ID),
    game_id=value(ID),
    game_user_id=value(ID),
    multiplayer_game_round_id=value(ID, "contest__multiplayer_id", nullable=True),
    game_type=value(TEXT),
    place=value(PLACE, "effective_place", nullable=True),
    score=value(SCORE, write=_exact, nullable=True),
    start_time=_time(nullable=True),
    end_time=_time(nullable=True),
    metadata=value(OBJECT, nullable=True),
    created_at=_time(),
    updated_at=_time(),
)

ROUNDS = Output("GameFuseRounds", game_rounds=nested(ROUND, many=True))

# Rows of `with_rankings`: the last two are there when the round is in a contest.
RANKED_ROUND = ROUND.extended(
    "GameFuseRankedRound",
    rankings=nested(RANKING, lambda row: row.get("rankings", ABSENT), many=True, required=False),
    rankings_total=value(
        COUNT, lambda row: row["contest__rounds_count"] if "rankings" in row else ABSENT, required=False
    ),
)

FULL_USER = USER.extended(
    "GameFuseFullUser",
    **{name: _nothing() for name in EMPTY_LISTS},
    game_user_attributes=nested(PAIR, attrgetter("attributes"), many=True),
    game_rounds=nested(RANKED_ROUND, attrgetter("rounds"), many=True),
)

ATTRIBUTES = Output("GameFuseAttributes", game_user_attributes=nested(PAIR, many=True))

# Its attributes stand under the names that the older and the newer clients read.
ENTRY = Output(
    "GameFuseEntry",
    username=value(TEXT, "game_user__username"),
    score=value(SCORE, write=_exact, nullable=True),
    leaderboard_name=value(TEXT, "leaderboard__name"),
    game_user_id=value(ID),
    metadata=value(OBJECT, nullable=True),
    extra_attributes=value(OBJECT, "metadata", nullable=True),
    created_at=_time(),
)

ENTRIES = Output("GameFuseEntries", leaderboard_entries=nested(ENTRY, many=True))


def with_rankings(row: Row, rankings: Mapping[int, Sequence[Row]], *, caller_id: int) -> Row:
    """A round with its rankings as the caller sees them, when it is in a contest."""
    if row["contest_id"] is None:
        return row
    return {**row, "rankings": [{**ranked, "caller_id": caller_id} for ranked in rankings[row["id"]]]}


def full_user(user: GameUser, *, caller: GameUser, token: str | None, now: datetime) -> dict[str, Any]:
    """A player with its attributes and its newest rounds, as ``caller`` may see it: four statements."""
    rounds = queries.newest_rounds_of(game_user_id=user.pk)
    rankings = queries.rankings_of(rounds)
    return FULL_USER.of(
        Seen(
            user=user,
            is_self=user.pk == caller.pk,
            token=token,
            now=now,
            attributes=queries.attributes_of(user.pk),
            rounds=[with_rankings(row, rankings, caller_id=caller.pk) for row in rounds],
        )
    )
