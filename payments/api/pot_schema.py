"""The rooms and tasks of the pots API as the OpenAPI document shows them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer
from rest_framework import serializers

from core.json_text import MalformedJSON
from core.wire import plyr
from core.wire.openapi import Refusals, documented, in_path, query, shape
from core.wire.outputs import TEXT, Described, Schema
from payments.api import outputs
from payments.errors import (
    AllowanceExceeded,
    InvalidPlyrId,
    NotInPot,
    PlayerNotFound,
    PotNotFound,
)
from payments.models import Job
from payments.pot_rows import ROWS_MAX
from payments.pots import CAPACITY_MAX, LIFETIME_SECONDS_MAX

TASK = "6ae1c3a6-51b7-4f0e-8d35-2f7f0f5ac1de"
POT_ADDRESS = "0x5b2e8a7c9d1f40362b8e6a1c3f59072c4b8e6d1f"
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJwbHlySWQiOiJhZGEtbGFrZSJ9.c2ln"
TIME_SHOWN = "2026-03-01T12:00:41.250Z"

# Every signed request can be refused for these, in this order.
SIGNED: Refusals = (
    plyr.missing_headers(),
    plyr.invalid_key(),
    plyr.invalid_signature(),
    plyr.request_expired(),
    plyr.signature_used(),
    plyr.Refused(403, "Insufficient permissions", code="FORBIDDEN"),
)
_UNREADABLE: Refusals = (MalformedJSON(), plyr.bad_input("The body must be a JSON object"))

SESSIONS: Schema = {
    "type": "array",
    "minItems": 1,
    "maxItems": ROWS_MAX,
    "items": TEXT,
    "description": "The players' session tokens. An object of plyrId and token counts by its values.",
}
SYMBOLS: Schema = {"type": "array", "minItems": 1, "maxItems": ROWS_MAX, "items": TEXT, "description": "Any case."}
AMOUNTS: Schema = {
    "type": "array",
    "minItems": 1,
    "maxItems": ROWS_MAX,
    "items": {"type": ["number", "string"]},
    "description": "Whole tokens, by the position of their token.",
}
ROOM_ID: Schema = {"type": ["string", "integer"], "description": "The room's number."}
PLYR_ID: Schema = {
    "type": "string",
    "minLength": 5,
    "maxLength": 64,
    "description": "a-z, 0-9 and dash, at least one letter, in any case.",
}


def whole(maximum: int, description: str) -> Schema:
    """A whole number from 1, also as a text."""
    return {
        "oneOf": [
            {"type": "integer", "minimum": 1, "maximum": maximum},
            {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"},
        ],
        "description": description,
    }


def member(schema: Schema, *, required: bool = True) -> Described:
    """A member of a body. Members that a route does not know are ignored."""
    return Described(schema, required=required)


def operation(
    operation_id: str,
    summary: str,
    *,
    tag: str,
    answer: Any,
    examples: Mapping[str, Any],
    body: type[serializers.Serializer[Any]] | None = None,
    bodies: Mapping[str, Any] | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    refusals: Refusals = (),
    others: Mapping[int, OpenApiResponse] | None = None,
) -> Callable[[Any], Any]:
    """A signed operation."""
    return documented(
        operation_id,
        tag=tag,
        summary=summary,
        answer=answer,
        examples=examples,
        body=body,
        bodies=bodies,
        parameters=parameters,
        refusals=[*SIGNED, *refusals],
        others=others,
        signed_in=False,
        unreadable=_UNREADABLE,
        style=plyr.STYLE,
    )


# --- Tasks -------------------------------------------------------------------------------------------------------

_HANDLE = {"task": {"id": TASK, "status": outputs.PENDING}}
_FAILED = {"hash": None, "errorMessage": "Room has expired", "code": "ROOM_EXPIRED"}
_ROOM = {"roomId": "12", "roomAddress": POT_ADDRESS}


def _finished(kind: Job.Kind, memo: Mapping[str, Any], flat: Mapping[str, Any] | None) -> dict[str, Any]:
    """A finished task of this request; ``flat`` is what was done, ``None`` for a task that failed."""
    name = outputs.TASK_NAMES[kind]
    request = {"gameId": "lantern", **memo}
    data: dict[str, Any] = {"method": name, "body": request, "0": name, "1": request}
    if flat is not None:
        told = _ROOM if kind in (Job.Kind.CREATE, Job.Kind.CREATE_JOIN_PAY) else flat
        data["result"] = {"gameId": "lantern", **told}
    outcome = _FAILED if flat is None else {"hash": "0x" + "8f3b6c1d5e9a4f70" * 4, "errorMessage": None}
    return {
        "taskId": TASK,
        "taskData": data,
        "status": "FAILED" if flat is None else "SUCCESS",
        **outcome,
        "completedAt": TIME_SHOWN,
        **(flat or {}),
    }


_TIMED_OUT = OpenApiResponse(
    outputs.TASK_TIMED_OUT.serializer,
    "The task takes longer than 25 seconds and goes on.",
    [
        OpenApiExample(
            "timed out",
            {
                "taskId": TASK,
                "status": "TIMEOUT",
                "errorMessage": "The task takes longer than expected and goes on; ask for its status later",
                "code": "TIMEOUT",
            },
        )
    ],
)


def _job(
    kind: Job.Kind,
    summary: str,
    *,
    members: Mapping[str, serializers.Field],
    sample: Mapping[str, Any],
    memo: Mapping[str, Any],
    flat: Mapping[str, Any],
    refusals: Refusals = (),
) -> Callable[[Any], Any]:
    """A POST that becomes a task: answered with its id or, with ``sync``, with the finished task."""
    name = outputs.TASK_NAMES[kind]
    title = name[0].upper() + name[1:]
    answers = [outputs.TASK_HANDLE.serializer, outputs.TASK_NOW.serializer]
    examples: dict[str, Any] = {
        "without sync": _HANDLE,
        "with sync": _finished(kind, memo, flat),
        "with sync, refused by the rules": _finished(kind, memo, None),
    }
    if kind == Job.Kind.JOIN:
        answers.append(outputs.MESSAGE.serializer)
        examples["all are in it"] = {"message": "All players are already joined"}
    sync = member(
        {"type": ["boolean", "string"], "default": False, "description": "Wait for the task."}, required=False
    )
    return operation(
        name,
        summary,
        tag="pots",
        body=shape(f"{title}Body", **members, sync=sync),
        bodies={"in the background": sample, "at once": {**sample, "sync": True}},
        answer=PolymorphicProxySerializer(f"{title}Answer", answers, None),
        examples=examples,
        refusals=refusals,
        others={504: _TIMED_OUT},
    )


_NEW_POT: dict[str, serializers.Field] = {
    "expiresIn": member(whole(LIFETIME_SECONDS_MAX, "Seconds until the room's deadline."), required=False),
    "maxPlayers": member(whole(CAPACITY_MAX, "Seats; without it any number."), required=False),
}
_TERMS: Refusals = (plyr.bad_input(f"expiresIn must be a whole number from 1 to {LIFETIME_SECONDS_MAX}"),)
_IN_ROOM: dict[str, serializers.Field] = {"roomId": member(ROOM_ID)}
_POT: Refusals = (plyr.Refused(400, "roomId is required", code="ROOM_ID_REQUIRED"), PotNotFound())
_PLAYERS: dict[str, serializers.Field] = {"sessionJwts": member(SESSIONS)}
_BEARERS: Refusals = (
    plyr.Refused(400, "sessionJwts is empty", code="SESSION_JWTS_EMPTY"),
    plyr.Refused(
        401,
        "Invalid sessionJwts",
        code="INVALID_SESSION",
        invalidPlyrIds={"ada-lake": "JWT deadline is expired"},
    ),
)
_STAKES: dict[str, serializers.Field] = {"tokens": member(SYMBOLS), "amounts": member(AMOUNTS)}
_AMOUNTS: Refusals = (
    plyr.Refused(401, "Token is required", code="TOKEN_REQUIRED"),
    plyr.Refused(401, "Invalid token: nickel", code="INVALID_TOKEN"),
    plyr.Refused(401, "Invalid amount: -1", code="INVALID_AMOUNT", error=["Invalid amount: -1"]),
)
_ALLOWED: Refusals = (AllowanceExceeded(["ada-lake"]),)
_LENGTHS = "Tokens and amounts must be the same length"
_EARNERS: dict[str, serializers.Field] = {
    "plyrIds": member({"type": "array", "minItems": 1, "maxItems": ROWS_MAX, "items": PLYR_ID})
}
_EARNING: Refusals = (*_POT, *_AMOUNTS, InvalidPlyrId(), PlayerNotFound(), NotInPot(["ada-lake"]), plyr.bad_input())

_STAKED = {"tokens": ["gold"], "amounts": [5]}
_PAID = {"plyrIds": ["ada-lake"], "payments": [{"plyrId": "ada-lake", "token": "gold", "amount": 5}]}
_GIVEN = {
    "plyrIds": ["ada-lake"],
    "distributions": [{"plyrId": "ada-lake", "token": "gold", "amount": 4.75, "fee": 0.25}],
}
_WHO = {"plyrIds": ["ada-lake"]}

create = _job(
    Job.Kind.CREATE,
    "Make a room",
    members=_NEW_POT,
    sample={"expiresIn": 3600},
    memo={"expiresIn": 3600},
    flat=_ROOM,
    refusals=_TERMS,
)
join = _job(
    Job.Kind.JOIN,
    "Put players into a room",
    members=_IN_ROOM | _PLAYERS,
    sample={"roomId": "12", "sessionJwts": [JWT]},
    memo={"roomId": "12", **_WHO},
    flat=_ROOM | _WHO,
    refusals=(*_BEARERS, *_POT),
)
leave = _job(
    Job.Kind.LEAVE,
    "Take players out of a room",
    members=_IN_ROOM | _PLAYERS,
    sample={"roomId": "12", "sessionJwts": [JWT]},
    memo={"roomId": "12", **_WHO},
    flat=_ROOM | _WHO,
    refusals=(*_BEARERS, *_POT, NotInPot(["ada-lake"])),
)
pay = _job(
    Job.Kind.PAY,
    "Pay from players' wallets into a room, within their allowances",
    members=_IN_ROOM | _PLAYERS | _STAKES,
    sample={"roomId": "12", "sessionJwts": [JWT], **_STAKED},
    memo={"roomId": "12", **_WHO, **_STAKED},
    flat=_ROOM | _PAID,
    refusals=(
        *_BEARERS,
        *_AMOUNTS,
        plyr.Refused(401, _LENGTHS, code="LENGTHS_DIFFER"),
        *_ALLOWED,
        *_POT,
        NotInPot(["ada-lake"]),
    ),
)
create_join_pay = _job(
    Job.Kind.CREATE_JOIN_PAY,
    "Make a room, put players into it and let them pay",
    members=_NEW_POT | _PLAYERS | _STAKES,
    sample={"expiresIn": 3600, "sessionJwts": [JWT], **_STAKED},
    memo={"expiresIn": 3600, **_WHO, **_STAKED},
    flat=_ROOM | _PAID,
    refusals=(*_BEARERS, *_AMOUNTS, *_ALLOWED, *_TERMS, plyr.bad_input()),
)
join_pay = _job(
    Job.Kind.JOIN_PAY,
    "Put players into a room and let them pay",
    members=_IN_ROOM | _PLAYERS | _STAKES,
    sample={"roomId": "12", "sessionJwts": [JWT], **_STAKED},
    memo={"roomId": "12", **_WHO, **_STAKED},
    flat=_ROOM | _PAID,
    refusals=(*_BEARERS, *_AMOUNTS, *_ALLOWED, *_POT, plyr.bad_input()),
)
earn = _job(
    Job.Kind.EARN,
    "Pay from a room to players who are or were in it",
    members=_IN_ROOM | _EARNERS | _STAKES,
    sample={"roomId": "12", **_WHO, **_STAKED},
    memo={"roomId": "12", **_WHO, **_STAKED},
    flat=_ROOM | _GIVEN,
    refusals=(*_EARNING, plyr.Refused(400, _LENGTHS, code="LENGTHS_DIFFER")),
)
earn_leave = _job(
    Job.Kind.EARN_LEAVE,
    "Pay from a room to players in it and take them out",
    members=_IN_ROOM | _EARNERS | _STAKES,
    sample={"roomId": "12", **_WHO, **_STAKED},
    memo={"roomId": "12", **_WHO, **_STAKED},
    flat=_ROOM | _GIVEN,
    refusals=_EARNING,
)
earn_leave_end = _job(
    Job.Kind.EARN_LEAVE_END,
    "Pay from a room to its last players, take them out and end it",
    members=_IN_ROOM | _EARNERS | _STAKES,
    sample={"roomId": "12", **_WHO, **_STAKED},
    memo={"roomId": "12", **_WHO, **_STAKED},
    flat=_ROOM | _GIVEN,
    refusals=_EARNING,
)
end = _job(
    Job.Kind.END,
    "End an empty room",
    members=_IN_ROOM,
    sample={"roomId": "12"},
    memo={"roomId": "12"},
    flat=_ROOM,
    refusals=_POT,
)
close = _job(
    Job.Kind.CLOSE,
    "Close a room after its deadline; the game's owner receives the rest",
    members=_IN_ROOM,
    sample={"roomId": "12"},
    memo={"roomId": "12"},
    flat=_ROOM | {"returned": [{"token": "gold", "amount": 1.5}]},
    refusals=_POT,
)

task = operation(
    "getTask",
    "What became of a task",
    tag="pots",
    parameters=[in_path("task_id", outputs.TASK_ID, "The id that the request answered.", example=TASK)],
    answer=PolymorphicProxySerializer(
        "TaskAnswer", [outputs.TASK_UNFINISHED.serializer, outputs.TASK.serializer], None
    ),
    examples={
        "pending": {"status": outputs.PENDING},
        "unknown, or another game's": {"status": "NOT_FOUND"},
        "finished": _finished(Job.Kind.CREATE, {"expiresIn": 3600}, {}) | {"hash": None},
        "failed": _finished(Job.Kind.END, {"roomId": "12"}, None),
    },
)
room = operation(
    "getPotRoom",
    "A room of the game",
    tag="pots",
    parameters=[in_path("room_id", {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"}, "Its number.", example="12")],
    answer=outputs.ROOM.serializer,
    examples={
        "a room": {
            **_ROOM,
            "status": "open",
            "players": ["ada-lake"],
            "maxPlayers": None,
            "balances": {"gold": "5"},
            "deadline": "2026-03-01T13:00:00.000Z",
            "createdAt": "2026-03-01T12:00:00.000Z",
        }
    },
    refusals=[PotNotFound()],
)
is_joined = operation(
    "isJoined",
    "Whether a player is in a room",
    tag="pots",
    parameters=[
        query("plyrId", PLYR_ID, "The player.", required=True, example="ada-lake"),
        query("roomId", {"type": "string"}, "The room's number.", required=True, example="12"),
    ],
    answer=outputs.JOINED.serializer,
    examples={"in it": {"isJoined": True}},
    refusals=[
        plyr.Refused(400, "plyrId is required", code="PLYR_ID_REQUIRED"),
        plyr.Refused(400, "roomId is required", code="ROOM_ID_REQUIRED"),
        InvalidPlyrId(),
        PotNotFound(),
    ],
)
