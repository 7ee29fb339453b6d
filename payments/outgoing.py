"""Webhooks of pots, for the game's servers, and of wallets, for the platform (building blocks; docs/webhooks.md)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from core.amounts import format_amount_fixed
from core.db.sql import Also
from payments.models import Adjustment, Job
from webhooks import outbox
from webhooks.catalogue import EventType
from webhooks.outbox import Audience

Kind = Job.Kind

_ENDS = frozenset({Kind.END, Kind.EARN_LEAVE_END})
_OF_SUCCESS = (
    EventType.JOB_FINISHED,
    EventType.POT_PAID,
    EventType.POT_EARNED,
    EventType.POT_ENDED,
    EventType.POT_CLOSED,
)
_ADJUSTED = {
    Adjustment.Kind.DEPOSIT: EventType.WALLET_DEPOSITED,
    Adjustment.Kind.WITHDRAWAL: EventType.WALLET_WITHDRAWN,
}


def listening() -> Also:
    """Whether an endpoint listens to finished jobs, asked along with another statement."""
    return outbox.listening(*_OF_SUCCESS)


def tell_success(job: Job, *, now: datetime) -> None:
    """Record the webhook of a finished job and its pot, in one statement, once ``listening`` has said yes."""
    result: Mapping[str, Any] = job.result or {}
    told = [(EventType.JOB_FINISHED, {**_job(job, result), "receipt_hash": job.receipt_hash})]
    if "payments" in result:
        told.append((EventType.POT_PAID, {**_job(job, result), "payments": _rows(result["payments"])}))
    if "distributions" in result:
        told.append((EventType.POT_EARNED, {**_job(job, result), "distributions": _rows(result["distributions"])}))
    if job.kind in _ENDS:
        told.append((EventType.POT_ENDED, _job(job, result)))
    if job.kind == Kind.CLOSE:
        told.append((EventType.POT_CLOSED, {**_job(job, result), "returned": _rows(result["returned"])}))
    outbox.record_all(events=told, audience=Audience(game_id=job.game_id), now=now)


def tell_failure(job: Job, *, now: datetime) -> None:
    """Record the webhook of a refused job, or one that failed too often; it changed nothing."""
    data = {
        **_job(job, {"pot_number": job.arguments["pot_number"]}),
        "error_code": job.error_code,
        "error_message": job.error_message,
    }
    outbox.record(type=EventType.JOB_FAILED, data=data, audience=Audience(game_id=job.game_id), now=now)


def tell_adjustment(adjustment: Adjustment, *, now: datetime) -> None:
    """Record the webhook of an adjustment; its reason stays in the audit trail."""
    token = adjustment.token
    data = {
        "adjustment_id": str(adjustment.public_id),
        "user_id": adjustment.user_id,
        "username": adjustment.user.username,
        "token": token.symbol,
        "amount": format_amount_fixed(adjustment.amount_minor, decimals=token.decimals),
    }
    outbox.record(type=_ADJUSTED[Adjustment.Kind(adjustment.kind)], data=data, audience=Audience(), now=now)


def _job(job: Job, result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "job_id": str(job.public_id),
        "kind": job.kind,
        "game_id": job.game_id,
        "pot_number": result["pot_number"],
    }


def _rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Player, token, amount and the fee taken out of it; without a player where the game's owner receives it."""
    return [
        {
            **({"plyr_id": row["plyr_id"]} if "plyr_id" in row else {}),
            "token": row["symbol"],
            "amount": format_amount_fixed(row["amount_minor"], decimals=row["decimals"]),
            **({"fee": format_amount_fixed(row["fee_minor"], decimals=row["decimals"])} if "fee_minor" in row else {}),
        }
        for row in rows
    ]
