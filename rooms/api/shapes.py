"""The wire shapes of rooms, sessions and participations (contract: rooms).

Whether an amount is a number or a text differs by endpoint, as in the documents' own examples: the functions that end
in ``_text`` give texts.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.amounts import amount_number, format_amount
from core.wire.fields import iso_ms
from rooms import queries
from rooms.models import Participant, Room, Session
from rooms.terms import AMOUNT_DECIMALS

Shape = dict[str, Any]

SESSION_STATUS = {
    Session.Status.PENDING: "pending",
    Session.Status.RUNNING: "running",
    Session.Status.ENDED: "end",
    Session.Status.OUT: "out",
    Session.Status.VOID: "out",
}
PARTICIPANT_STATUS = {
    Participant.Status.PAID: "executed",
    Participant.Status.LEFT: "cancelled",
    Participant.Status.REFUNDED: "refunded",
}
# By result mode.
RULES = {
    "score": "Entries are ranked by their scores while the session ran; equal scores by earlier submission, then by"
    " ticket; entries without a score come last.",
    "submitted": "Entries are ranked by the game's own server, which posts the ranking once, with its key.",
    "draw": "Entries are ranked by their tickets, drawn from a seed that was committed to before the first join.",
}
ROUNDING = "The pool is divided by the prize table in minor units; units left over go to the largest remainders."


def number(minor: int) -> int | float:
    """An amount as a JSON number: ``30.5``."""
    return amount_number(minor, decimals=AMOUNT_DECIMALS)


def text(minor: int) -> str:
    """An amount as a text without trailing zeros: ``"30.5"``."""
    return format_amount(minor, decimals=AMOUNT_DECIMALS)


def percent(share_bp: int) -> int | float:
    """Basis points as a percent: ``33.33``."""
    return amount_number(share_bp, decimals=2)


def prize_table(shares_bp: Sequence[int]) -> list[Shape]:
    """``game_set_prizes``."""
    return [{"rank": rank, "percent": percent(share)} for rank, share in enumerate(shares_bp, start=1)]


def room_status(*, status: str, session_status: str | None) -> str:
    """wait, run, inactive or delete (contract: rooms, "room status")."""
    if status == Room.Status.DELETED:
        return "delete"
    if status == Room.Status.INACTIVE:
        return "inactive"
    return "run" if session_status == Session.Status.RUNNING else "wait"


def room(row: queries.Row, now: datetime) -> Shape:
    """An item of the room list."""
    status = row["current_session__status"]
    pool_minor = (
        queries.pool_minor(
            status=status,
            entry_fee_minor=row["current_session__entry_fee_minor"],
            participants_count=row["current_session__participants_count"],
        )
        if status
        else 0
    )
    return {
        "id": row["id"],
        "name": row["name"],
        "symbol": row["symbol"],
        "participation_amount": number(row["entry_fee_minor"]),
        "prizes_num": len(row["prize_shares_bp"]),
        "total_amount": number(pool_minor),
        "game_type_id": {
            "id": row["game_id"],
            "name": row["game__name"],
            "symbol": row["game__symbol"],
            "status": row["game__status"],
        },
        "status": room_status(status=row["status"], session_status=status),
        "owner_id": {"id": row["owner_id"], "username": row["owner__username"]},
        "current_session": _current_session(row, now) if status else None,
        # Where the lobby's events of this room go on from.
        "event_seq": row["event_seq"],
    }


def _current_session(row: queries.Row, now: datetime) -> Shape:
    session = {
        name.removeprefix("current_session__"): value
        for name, value in row.items()
        if name.startswith("current_session__")
    }
    return {
        "id": session["id"],
        "status": SESSION_STATUS[session["status"]],
        "time_start": iso_ms(session["starts_at"]),
        "time_end": iso_ms(session["ends_at"]),
        "session": session["code"],
        "participants_count": session["participants_count"],
        "max_participants": session["max_participants"],
        "can_join": queries.can_join(
            status=session["status"],
            opens_at=session["opens_at"],
            starts_at=session["starts_at"],
            count=session["participants_count"],
            seats=session["max_participants"],
            now=now,
        ),
    }


def room_detail(row: queries.Row, joiners: Sequence[queries.Row], *, may_manage: bool, now: datetime) -> Shape:
    """A room by itself: with its prizes and who joined; its pending change for those who manage it."""
    detail = room(row, now) | {
        "max_participants": row["max_participants"],
        "join_window_seconds": row["join_window_seconds"],
        "run_seconds": row["run_seconds"],
        "game_set_prizes": prize_table(row["prize_shares_bp"]),
        # The room's chat, for the calls of the chat API.
        "conversation_id": row["conversation_id"] and str(row["conversation_id"]),
        "join_room_num": len(joiners),
        "joiners": [
            {
                "username": joiner["user__username"],
                "amount": number(joiner["amount_minor"]),
                "status": PARTICIPANT_STATUS[joiner["status"]],
                "time_join": iso_ms(joiner["joined_at"]),
                "tx_hash": joiner["entry_tx_hash"],
            }
            for joiner in joiners
        ],
    }
    if may_manage and row["pending_change"] is not None:
        detail["pending_change"] = pending_change(row["pending_change"])
    return detail


def pending_change(change: Mapping[str, Any]) -> Shape:
    """The terms that apply when the current session is over."""
    shape = dict(change)
    if "entry_fee_minor" in shape:
        shape["participation_amount"] = number(shape.pop("entry_fee_minor"))
    if "prize_shares_bp" in shape:
        shape["game_set_prizes"] = prize_table(shape.pop("prize_shares_bp"))
    return shape


def user(row: queries.Row) -> Shape:
    """The player of a participation."""
    return {"id": row["user_id"], "username": row["user__username"]}


def participation(row: queries.Row) -> Shape:
    """An item of the participation lists, amounts as numbers."""
    return {
        "id": row["id"],
        "wallet_address": row["wallet_address"],
        "amount": number(row["amount_minor"]),
        "time_join": iso_ms(row["joined_at"]),
        "status": PARTICIPANT_STATUS[row["status"]],
        "tx_hash": row["entry_tx_hash"],
        "session": {
            "id": row["session_id"],
            "session": row["session__code"],
            "time_start": iso_ms(row["session__starts_at"]),
            "status": SESSION_STATUS[row["session__status"]],
        },
        "room": {
            "id": row["room_id"],
            "name": row["room__name"],
            "participation_amount": number(row["room__entry_fee_minor"]),
            "prizes_num": len(row["room__prize_shares_bp"]),
        },
        "user": user(row),
    }


def joiner_text(row: queries.Row) -> Shape:
    """An item of ``joiners``, the amount as a text: the union of the documents' two forms."""
    return participation(row) | {
        "amount": text(row["amount_minor"]),
        "user": user(row) | {"fullname": row["user__fullname"], "avatar": row["user__avatar"]},
        "room": {"id": row["room_id"], "name": row["room__name"], "symbol": row["room__symbol"]},
    }


def refunded_text(row: queries.Row) -> Shape:
    """A participant of a session that was called off, the amount as a text."""
    return {
        "id": row["id"],
        "wallet_address": row["wallet_address"],
        "amount": text(row["amount_minor"]),
        "time_join": iso_ms(row["joined_at"]),
        "status": PARTICIPANT_STATUS[row["status"]],
        "user": user(row),
    }


def joiner_detail(joiner: Participant, *, email: str | None) -> Shape:
    """One participation: its flat keys, and the same under ``data`` with user, session and room in detail."""
    session = joiner.session
    held_minor = queries.pool_minor(
        status=session.status, entry_fee_minor=session.entry_fee_minor, participants_count=session.participants_count
    )
    flat = {
        "id": joiner.pk,
        "wallet_address": joiner.wallet_address,
        "amount": text(joiner.amount_minor),
        "total_amount": text(held_minor),
        "hash": joiner.entry_tx_hash,
        "time_join": iso_ms(joiner.joined_at),
        "status": PARTICIPANT_STATUS[Participant.Status(joiner.status)],
    }
    detail = flat | {
        "tx_hash": joiner.entry_tx_hash,
        "user": {"id": joiner.user_id, "username": joiner.user.username, "email": email},
        "session": {
            "id": session.pk,
            "status": SESSION_STATUS[Session.Status(session.status)],
            "time_start": iso_ms(session.starts_at),
            "session": session.code,
        },
        "room": {
            "id": joiner.room_id,
            "name": joiner.room.name,
            "symbol": joiner.room.symbol,
            "game_type_id": {
                "id": joiner.room.game_id,
                "name": joiner.room.game.name,
                "symbol": joiner.room.game.symbol,
            },
            "owner_id": {"id": joiner.room.owner_id, "username": joiner.room.owner.username},
        },
    }
    return flat | {"data": detail}


def session_brief(session: Session) -> Shape:
    """A session as the refund answers name it."""
    return {
        "id": session.pk,
        "session": session.code,
        "time_start": iso_ms(session.starts_at),
        "status": SESSION_STATUS[Session.Status(session.status)],
    }


def session_detail(session: Session, now: datetime) -> Shape:
    """A session with its frozen terms."""
    return session_brief(session) | {
        "public_id": str(session.public_id),
        "room": {"id": session.room_id, "name": session.room.name},
        "time_open": iso_ms(session.opens_at),
        "time_end": iso_ms(session.ends_at),
        "participation_amount": number(session.entry_fee_minor),
        "prizes_num": len(session.prize_shares_bp),
        "game_set_prizes": prize_table(session.prize_shares_bp),
        "participants_count": session.participants_count,
        "max_participants": session.max_participants,
        "total_amount": number(
            queries.pool_minor(
                status=session.status,
                entry_fee_minor=session.entry_fee_minor,
                participants_count=session.participants_count,
            )
        ),
        "result_mode": session.result_mode,
        "score_order": session.score_order if session.contest_id else None,
        # The number under which game clients send their rounds (contract: rounds).
        "multiplayer_game_round_id": session.contest.multiplayer_id if session.contest else None,
        "draw_commit": session.draw_commit,
        "draw_roster": session.draw_roster,
        "can_join": queries.can_join(
            status=session.status,
            opens_at=session.opens_at,
            starts_at=session.starts_at,
            count=session.participants_count,
            seats=session.max_participants,
            now=now,
        ),
    }


def arithmetic(*, pool_minor: int, share_bp: int, prize_minor: int) -> str:
    """How a prize came about, for people: ``30.03 × 50 % = 15.015 → 15.02``."""
    exact = Decimal(pool_minor * share_bp).scaleb(-4 - AMOUNT_DECIMALS).normalize()
    return f"{text(pool_minor)} × {percent(share_bp)} % = {exact:f} → {text(prize_minor)}"
