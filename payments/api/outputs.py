"""What game servers are told: jobs as tasks, sessions, rooms. Names and shapes of contract payments."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.amounts import format_amount
from core.wire import plyr
from core.wire.fields import iso_ms
from payments.models import Job, PlayerProfile, Pot, Token
from payments.player_access import Grant
from payments.pot_queries import PotView
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


def token_name(symbol: str) -> str:
    """A token on this wire: its symbol in lower case."""
    return symbol.lower()


def task_handle(job: Job) -> dict[str, Any]:
    """The answer to an asynchronous request, the same however often it is asked."""
    return {"task": {"id": str(job.public_id), "status": PENDING}}


def task_status(job: Job | None) -> dict[str, Any]:
    """The answer to a poll: pending, unknown, or the finished task."""
    if job is None:
        return {"status": "NOT_FOUND"}
    if job.finished_at is None:
        return {"status": PENDING}
    name = TASK_NAMES[job.kind]
    data: dict[str, Any] = {"method": name, "body": job.memo, "0": name, "1": job.memo}
    if job.result is not None:
        data["result"] = {"gameId": job.memo["gameId"], **_flat(job)}
        if job.kind in (Job.Kind.CREATE, Job.Kind.CREATE_JOIN_PAY):
            # "result for create and createJoinPay: {gameId, roomId, roomAddress}" and nothing more.
            data["result"] = {key: data["result"][key] for key in ("gameId", "roomId", "roomAddress")}
    return {
        "taskId": str(job.public_id),
        "taskData": data,
        "status": job.status.upper(),
        "hash": f"0x{job.receipt_hash}" if job.receipt_hash else None,
        "errorMessage": job.error_message or None,
        **({"code": job.error_code} if job.error_code else {}),
        "completedAt": iso_ms(job.finished_at),
    }


def finished_sync(job: Job) -> dict[str, Any]:
    """The finished task, "and on SUCCESS the documented flat keys beside it"."""
    return {**task_status(job), **(_flat(job) if job.result is not None else {})}


def timed_out(job: Job) -> dict[str, Any]:
    """The 504 of a synchronous request whose task goes on."""
    return {
        "taskId": str(job.public_id),
        "status": "TIMEOUT",
        "errorMessage": "The task takes longer than expected and goes on; ask for its status later",
        "code": "TIMEOUT",
    }


def _flat(job: Job) -> dict[str, Any]:
    result = job.result or {}
    flat: dict[str, Any] = {"roomId": str(result["pot_number"]), "roomAddress": result["pot_address"]}
    if "plyr_ids" in result:
        flat["plyrIds"] = result["plyr_ids"]
    if "payments" in result:
        flat["payments"] = [_payment(row) for row in result["payments"]]
    if "distributions" in result:
        flat["distributions"] = [_distribution(row) for row in result["distributions"]]
    if "returned" in result:
        flat["returned"] = [
            {"token": token_name(r["symbol"]), "amount": plyr.amount_value(r["amount_minor"], decimals=r["decimals"])}
            for r in result["returned"]
        ]
    return flat


def _payment(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "plyrId": row["plyr_id"],
        "token": token_name(row["symbol"]),
        "amount": plyr.amount_value(row["amount_minor"], decimals=row["decimals"]),
    }


def _distribution(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the player got; the house's fee is told when there was one."""
    fee = row["fee_minor"]
    told = _payment({**row, "amount_minor": row["amount_minor"] - fee})
    return {**told, "fee": plyr.amount_value(fee, decimals=row["decimals"])} if fee else told


def session(grant: Grant) -> dict[str, Any]:
    """A fresh session (contract, "Players")."""
    return {
        "sessionJwt": grant.token,
        **{name: grant.payload[name] for name in ("plyrId", "nonce", "gameId", "primaryAddress", "mirrorAddress")},
        **_badge(grant.player),
    }


def verified(grant: Grant) -> dict[str, Any]:
    return {"success": True, "isValid": True, "payload": {**grant.payload, **_badge(grant.player)}}


def player_info(player: PlayerProfile) -> dict[str, Any]:
    return {
        "plyrId": player.plyr_id,
        "mirrorAddress": player.mirror_address,
        "primaryAddress": player.primary_address,
        "createdAt": iso_ms(player.created_at),
        **_badge(player),
    }


def _badge(player: PlayerProfile) -> dict[str, Any]:
    return {"avatar": player.user.avatar, "ippClaimed": player.guest_claimed, "isIPP": player.is_guest}


def balances(rows: Sequence[Balance]) -> dict[str, str]:
    """ "balances as decimal strings, flat" (contract, "Players")."""
    return {token_name(row.symbol): format_amount(row.balance_minor, decimals=row.decimals) for row in rows}


def room(view: PotView) -> dict[str, Any]:
    """A room, ours: what the game's server may know of it."""
    pot: Pot = view.pot
    return {
        "roomId": str(pot.number),
        "roomAddress": pot.address,
        "status": pot.status,
        "players": view.plyr_ids,
        "maxPlayers": pot.capacity,
        "balances": balances(view.balances),
        "deadline": iso_ms(pot.deadline),
        "createdAt": iso_ms(pot.created_at),
    }


def token_list(tokens: Sequence[Token]) -> dict[str, Any]:
    rows = [{"apiId": token_name(t.symbol), "symbol": t.symbol, "name": t.name, "decimals": t.decimals} for t in tokens]
    return {"name": "gameplatform", "tokens": rows}
