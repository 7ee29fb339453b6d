"""The answers to game servers: jobs as tasks, sessions, rooms (contract: pots)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.amounts import format_amount
from core.wire import plyr
from core.wire.fields import iso_ms
from core.wire.openapi import TIME
from core.wire.outputs import ABSENT, FLAG, TEXT, Member, Output, Schema, nested, same, value
from payments.models import Job, Pot
from payments.player_access import Grant
from payments.queries import Balance

TASK_NAMES: dict[str, str] = {
    Job.Kind.CREATE: "createGameRoom",
    Job.Kind.JOIN: "joinGameRoom",
    Job.Kind.LEAVE: "leaveGameRoom",
    Job.Kind.PAY: "batchPayGameRoom",
    Job.Kind.EARN: "batchEarnGameRoom",
    Job.Kind.END: "endGameRoom",
    Job.Kind.CLOSE: "closeGameRoom",
    Job.Kind.CREATE_JOIN_PAY: "createJoinPayGameRoom",
    Job.Kind.JOIN_PAY: "joinPayGameRoom",
    Job.Kind.EARN_LEAVE: "earnLeaveGameRoom",
    Job.Kind.EARN_LEAVE_END: "earnLeaveEndGameRoom",
}
# "status PENDING | SUCCESS | FAILED" (contract, "Sync and async"); ours in lower case.
PENDING = "PENDING"
# "result for create and createJoinPay: {gameId, roomId, roomAddress}" and nothing more.
_CREATED = ("pot_number", "pot_address")

AMOUNT: Schema = {
    "oneOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^(0|[1-9][0-9]*)(\.[0-9]+)?$"}],
    "description": "Whole tokens; a text where a double could not hold it exactly.",
}
ADDRESS: Schema = {"type": "string", "pattern": "^0x[0-9a-f]{40}$"}
TASK_ID: Schema = {"type": "string", "format": "uuid"}
TEXTS: Schema = {"type": "array", "items": TEXT}
BALANCES: Schema = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "description": "A decimal text for each token, by its symbol in lower case.",
}


def token_name(symbol: str) -> str:
    """A token on this wire: its symbol in lower case."""
    return symbol.lower()


def _optional(schema: Schema, key: str, *, write: Callable[[Any], Any] | None = None) -> Member:
    return value(schema, lambda row: row.get(key, ABSENT), write=write, required=False)


def _amount(row: Mapping[str, Any]) -> int | float | str:
    return plyr.amount_value(row["amount_minor"], decimals=row["decimals"])


def _received(row: Mapping[str, Any]) -> int | float | str:
    """What the player got, after the house's fee."""
    return plyr.amount_value(row["amount_minor"] - row["fee_minor"], decimals=row["decimals"])


def _fee(row: Mapping[str, Any]) -> Any:
    return plyr.amount_value(row["fee_minor"], decimals=row["decimals"]) if row["fee_minor"] else ABSENT


# --- Tasks -------------------------------------------------------------------------------------------------------

RETURN = Output("PotReturn", token=value(TEXT, "symbol", write=token_name), amount=value(AMOUNT, _amount))
PAYMENT = Output("PotPayment", plyrId=value(TEXT, "plyr_id"), **RETURN.members)
DISTRIBUTION = PAYMENT.extended(
    "PotDistribution", amount=value(AMOUNT, _received), fee=value(AMOUNT, _fee, required=False)
)


def _objects(output: Output, key: str) -> Member:
    return nested(output, lambda row: row.get(key, ABSENT), many=True, required=False)


_MOVED: dict[str, Member] = {
    "plyrIds": _optional(TEXTS, "plyr_ids"),
    "payments": _objects(PAYMENT, "payments"),
    "distributions": _objects(DISTRIBUTION, "distributions"),
    "returned": _objects(RETURN, "returned"),
}
_RESULT = Output(
    "TaskResult",
    gameId=value(TEXT),
    roomId=value(TEXT, "pot_number", write=str),
    roomAddress=value(ADDRESS, "pot_address"),
    **_MOVED,
)
_REQUEST = Output(
    "TaskRequest",
    gameId=value(TEXT),
    roomId=_optional(TEXT, "roomId"),
    expiresIn=_optional({"type": "integer", "minimum": 1}, "expiresIn"),
    plyrIds=_optional(TEXTS, "plyrIds"),
    tokens=_optional(TEXTS, "tokens"),
    amounts=_optional({"type": "array", "items": AMOUNT}, "amounts"),
)
_METHOD: Schema = {"type": "string", "enum": [*TASK_NAMES.values()]}
_DATA: dict[str, Member] = {
    "method": value(_METHOD),
    "body": nested(_REQUEST, "memo"),
    "0": value(_METHOD, "method"),
    "1": nested(_REQUEST, "memo"),
    "result": nested(_RESULT, "result", required=False),
}
# A finished task, of ``_task_row``.
TASK = Output(
    "FinishedTask",
    taskId=value(TASK_ID, "public_id", write=str),
    taskData=nested(Output("TaskData", **_DATA), same),
    status=value({"type": "string", "enum": ["SUCCESS", "FAILED"]}),
    hash=value({"type": "string", "pattern": "^0x[0-9a-f]{64}$"}, nullable=True),
    errorMessage=value(TEXT, nullable=True),
    code=value(TEXT, required=False),
    completedAt=value(TIME, "finished_at", write=iso_ms),
)
# "the finished task, and on SUCCESS the documented flat keys beside it".
TASK_NOW = TASK.extended(
    "FinishedTaskNow",
    roomId=_optional(TEXT, "pot_number", write=str),
    roomAddress=_optional(ADDRESS, "pot_address"),
    **_MOVED,
)
TASK_HANDLE = Output(
    "TaskHandle",
    task=nested(
        Output(
            "PendingTask",
            id=value(TASK_ID, lambda job: str(job.public_id)),
            status=value({"type": "string", "enum": [PENDING]}, lambda job: PENDING),
        ),
        same,
    ),
)
TASK_UNFINISHED = Output("UnfinishedTask", status=value({"type": "string", "enum": [PENDING, "NOT_FOUND"]}))
TASK_TIMED_OUT = Output(
    "TimedOutTask",
    taskId=value(TASK_ID, lambda job: str(job.public_id)),
    status=value({"type": "string", "enum": ["TIMEOUT"]}, lambda job: "TIMEOUT"),
    errorMessage=value(TEXT, lambda job: "The task takes longer than expected and goes on; ask for its status later"),
    code=value({"type": "string", "enum": ["TIMEOUT"]}, lambda job: "TIMEOUT"),
)


def task_status(job: Job | None) -> dict[str, Any]:
    """The answer to a poll: pending, unknown, or the finished task."""
    if job is None:
        return TASK_UNFINISHED.of({"status": "NOT_FOUND"})
    if job.finished_at is None:
        return TASK_UNFINISHED.of({"status": PENDING})
    return TASK.of(_task_row(job))


def task_now(job: Job) -> dict[str, Any]:
    """The answer to a synchronous request whose task is finished."""
    return TASK_NOW.of(_task_row(job))


def _task_row(job: Job) -> dict[str, Any]:
    done = job.result or {}
    is_new_pot = job.kind in (Job.Kind.CREATE, Job.Kind.CREATE_JOIN_PAY)
    result = {key: done[key] for key in _CREATED} if done and is_new_pot else done
    return {
        **done,
        "public_id": job.public_id,
        "method": TASK_NAMES[job.kind],
        "memo": job.memo,
        "result": {**result, "gameId": job.memo["gameId"]} if done else ABSENT,
        "status": job.status.upper(),
        "hash": f"0x{job.receipt_hash}" if job.receipt_hash else None,
        "errorMessage": job.error_message or None,
        "code": job.error_code or ABSENT,
        "finished_at": job.finished_at,
    }


# --- Players -----------------------------------------------------------------------------------------------------


def _claim(name: str) -> Callable[[Grant], Any]:
    return lambda grant: grant.payload[name]


_BADGE: dict[str, Member] = {
    "avatar": value(TEXT, lambda player: player.user.avatar),
    "ippClaimed": value(FLAG, lambda player: player.guest_claimed),
    "isIPP": value(FLAG, lambda player: player.is_guest),
}
_GRANT_BADGE: dict[str, Member] = {
    "avatar": value(TEXT, lambda grant: grant.player.user.avatar),
    "ippClaimed": value(FLAG, lambda grant: grant.player.guest_claimed),
    "isIPP": value(FLAG, lambda grant: grant.player.is_guest),
}
_CLAIMS: dict[str, Member] = {
    "plyrId": value(TEXT, _claim("plyrId")),
    "nonce": value({"type": "integer", "minimum": 1}, _claim("nonce")),
    "gameId": value(TEXT, _claim("gameId")),
    "primaryAddress": value(ADDRESS, _claim("primaryAddress")),
    "mirrorAddress": value(ADDRESS, _claim("mirrorAddress")),
}
_SECONDS: Schema = {"type": "integer", "description": "Seconds since 1970."}
# A fresh session (contract, "Players").
SESSION = Output("PlayerSession", sessionJwt=value(TEXT, lambda grant: grant.token), **_CLAIMS, **_GRANT_BADGE)
_PAYLOAD = Output(
    "PlayerSessionPayload",
    **_CLAIMS,
    iat=value(_SECONDS, _claim("iat")),
    exp=value(_SECONDS, _claim("exp")),
    **_GRANT_BADGE,
)
VERIFIED = Output(
    "VerifiedSession",
    success=value(FLAG, lambda grant: True),
    isValid=value(FLAG, lambda grant: True),
    payload=nested(_PAYLOAD, same),
)
PLAYER = Output(
    "PlayerInfo",
    plyrId=value(TEXT, lambda player: player.plyr_id),
    mirrorAddress=value(ADDRESS, lambda player: player.mirror_address),
    primaryAddress=value(ADDRESS, lambda player: player.primary_address),
    createdAt=value(TIME, lambda player: iso_ms(player.created_at)),
    **_BADGE,
)


def balances(rows: Sequence[Balance]) -> dict[str, str]:
    """ "balances as decimal strings, flat" (contract, "Players")."""
    return {token_name(row.symbol): format_amount(row.balance_minor, decimals=row.decimals) for row in rows}


# --- Rooms, tokens and single values -----------------------------------------------------------------------------

# A room, ours: what the game's server may know of it.
ROOM = Output(
    "PotRoom",
    roomId=value(TEXT, lambda view: str(view.pot.number)),
    roomAddress=value(ADDRESS, lambda view: view.pot.address),
    status=value({"type": "string", "enum": [*Pot.Status.values]}, lambda view: view.pot.status),
    players=value(TEXTS, lambda view: view.plyr_ids),
    maxPlayers=value({"type": "integer", "minimum": 1}, lambda view: view.pot.capacity, nullable=True),
    balances=value(BALANCES, lambda view: balances(view.balances)),
    deadline=value(TIME, lambda view: iso_ms(view.pot.deadline)),
    createdAt=value(TIME, lambda view: iso_ms(view.pot.created_at)),
)
_TOKEN = Output(
    "ListedToken",
    apiId=value(TEXT, lambda token: token_name(token.symbol)),
    symbol=value(TEXT, lambda token: token.symbol),
    name=value(TEXT, lambda token: token.name),
    decimals=value({"type": "integer", "minimum": 0, "maximum": 8}, lambda token: token.decimals),
)
TOKENS = Output("TokenList", name=value(TEXT, lambda rows: "gameplatform"), tokens=nested(_TOKEN, same, many=True))
MESSAGE = Output("Acknowledgement", message=value(TEXT))
APPROVED = MESSAGE.extended("Approval", success=value(FLAG))
JOINED = Output("IsJoined", isJoined=value(FLAG))
EXISTS = Output("PlayerExists", exists=value(FLAG))
ALLOWANCE = Output("AllowanceLeft", allowance=value(AMOUNT))
PUBLIC_KEY = Output("PublicKey", publicKey=value({"type": "string", "description": "PEM; ES256."}))
NOW = Output("Now", now=value(TIME, write=iso_ms))
