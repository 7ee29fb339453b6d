"""The words and amounts of the rooms contract, as the API and the live streams write them (contract: rooms)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from core.amounts import amount_number, format_amount
from rooms.models import Participant, Room, Session
from rooms.terms import AMOUNT_DECIMALS

SESSION_STATUS: Mapping[str, str] = {
    Session.Status.PENDING: "pending",
    Session.Status.RUNNING: "running",
    Session.Status.ENDED: "end",
    Session.Status.OUT: "out",
    Session.Status.VOID: "out",
}
PARTICIPANT_STATUS: Mapping[str, str] = {
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


def prize_table(shares_bp: Sequence[int]) -> list[dict[str, Any]]:
    """``game_set_prizes``."""
    return [{"rank": rank, "percent": percent(share)} for rank, share in enumerate(shares_bp, start=1)]


def room_status(*, status: str, session_status: str | None) -> str:
    """wait, run, inactive or delete (contract: rooms, "room status")."""
    if status == Room.Status.DELETED:
        return "delete"
    if status == Room.Status.INACTIVE:
        return "inactive"
    return "run" if session_status == Session.Status.RUNNING else "wait"


def arithmetic(*, pool_minor: int, share_bp: int, prize_minor: int) -> str:
    """How a prize came about, for people: ``30.03 × 50 % = 15.015 → 15.02``."""
    exact = Decimal(pool_minor * share_bp).scaleb(-4 - AMOUNT_DECIMALS).normalize()
    return f"{text(pool_minor)} × {percent(share_bp)} % = {exact:f} → {text(prize_minor)}"
