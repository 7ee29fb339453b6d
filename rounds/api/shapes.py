"""How players, rounds and leaderboards look on the wire. Contract: rounds, "Endpoints"."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from accounts.models import GameUser
from core.wire.fields import iso_ms
from rounds.actors import month_of
from rounds.models import GameAccess
from rounds.standings import score_text

Body = dict[str, Any]

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


def game_body(access: GameAccess, *, variables: Iterable[Mapping[str, Any]]) -> Body:
    return {
        "id": access.pk,
        "name": access.game.name,
        "token": access.token,
        "description": access.description,
        "game_variables": list(variables),
    }


def user_body(user: GameUser, *, is_self: bool, token: str | None, now: datetime) -> Body:
    """A player; its email only to itself, and the token only to who has it already."""
    is_counted_now = user.counted_month == month_of(now)
    return {
        "id": user.pk,
        "username": user.username,
        "email": user.email if is_self else None,
        "display_email": user.email if is_self else None,
        "credits": user.credits,
        "score": user.score,
        "last_login": _time(user.last_login),
        "number_of_logins": user.number_of_logins,
        "authentication_token": token,
        "events_total": user.events_total,
        "events_current_month": user.events_current_month if is_counted_now else 0,
        "game_sessions_total": user.game_sessions_total,
        "game_sessions_current_month": user.game_sessions_current_month if is_counted_now else 0,
        "is_new_user": user.number_of_logins <= NEW_USER_LOGINS_MAX,
    }


def full_user_body(
    user: GameUser,
    *,
    is_self: bool,
    token: str | None,
    attributes: Sequence[Mapping[str, Any]],
    game_rounds: Sequence[Body],
    now: datetime,
) -> Body:
    """A player with everything that hangs on it."""
    body = user_body(user, is_self=is_self, token=token, now=now)
    return body | {name: [] for name in EMPTY_LISTS} | {"game_user_attributes": attributes, "game_rounds": game_rounds}


def round_body(row: Mapping[str, Any]) -> Body:
    """A round without its rankings."""
    return {
        "id": row["id"],
        "game_id": row["game_id"],
        "game_user_id": row["game_user_id"],
        "multiplayer_game_round_id": row["contest__multiplayer_id"],
        "game_type": row["game_type"],
        "place": row["effective_place"],
        "score": _number(row["score"]),
        "start_time": _time(row["start_time"]),
        "end_time": _time(row["end_time"]),
        "metadata": row["metadata"],
        "created_at": iso_ms(row["created_at"]),
        "updated_at": iso_ms(row["updated_at"]),
    }


def ranked_round_body(
    row: Mapping[str, Any], *, rankings: Mapping[int, Sequence[Mapping[str, Any]]], caller_id: int
) -> Body:
    """A round with its rankings, when it is in a contest."""
    body = round_body(row)
    if row["contest_id"] is not None:
        body["rankings"] = [_ranking_body(ranked, caller_id=caller_id) for ranked in rankings[row["id"]]]
        body["rankings_total"] = row["contest__rounds_count"]
    return body


def _ranking_body(row: Mapping[str, Any], *, caller_id: int) -> Body:
    is_self = row["user_id"] == caller_id
    user = {
        "id": row["user_id"],
        "username": row["username"],
        "credits": row["credits"],
        "score": row["user_score"],
        "is_new_user": row["number_of_logins"] <= NEW_USER_LOGINS_MAX,
        "display_email": row["email"] if is_self else None,
    }
    if is_self:
        user["email"] = row["email"]
    return {
        "id": row["id"],
        "place": row["place"],
        "score": _number(row["score"]),
        "start_time": _time(row["start_time"]),
        "end_time": _time(row["end_time"]),
        "user": user,
    }


def entry_body(row: Mapping[str, Any]) -> Body:
    """A leaderboard entry; its attributes under the names that the older and the newer clients read."""
    return {
        "username": row["game_user__username"],
        "score": _number(row["score"]),
        "leaderboard_name": row["leaderboard__name"],
        "game_user_id": row["game_user_id"],
        "metadata": row["metadata"],
        "extra_attributes": row["metadata"],
        "created_at": iso_ms(row["created_at"]),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso_ms(moment)


def _number(score: Decimal | None) -> orjson.Fragment | None:
    """The score's own digits: as a float it could be another number."""
    return None if score is None else orjson.Fragment(score_text(score))
