"""A room's terms: their rules, and changes pending until the live session is over (building blocks)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext_noop

from core.amounts import format_amount, parse_amount
from core.db.transactions import require_atomic
from rooms import prizes
from rooms.errors import RoomInvalid
from rooms.models import Room

WINDOW_SECONDS_MAX = 7 * 24 * 3600
# Rooms play for a token of two decimals (contract: rooms, "Amounts").
AMOUNT_DECIMALS = 2


@dataclass(frozen=True, kw_only=True)
class TermsChange:
    """The wanted terms; ``None`` leaves a term as it is, an empty ``symbol`` removes the room's."""

    name: str | None = None
    symbol: str | None = None
    entry_fee_minor: int | None = None
    prize_shares_bp: list[int] | None = None
    max_participants: int | None = None
    join_window_seconds: int | None = None
    run_seconds: int | None = None
    gap_seconds: int | None = None

    def asked(self) -> dict[str, Any]:
        """The terms that change, by field name of ``Room``."""
        return {name: value for name, value in asdict(self).items() if value is not None}


TERM_NAMES = tuple(field.name for field in fields(TermsChange))


class CountTerm(NamedTuple):
    """A term that is a whole number: the setting a new room takes when it names none, and its bounds."""

    setting: str
    minimum: int
    maximum: int


COUNT_TERMS = {
    # The highest allowed number is the setting itself.
    "max_participants": CountTerm("ROOM_MAX_PARTICIPANTS", 1, 1_000_000),
    "join_window_seconds": CountTerm("ROOM_JOIN_WINDOW_SECONDS", 1, WINDOW_SECONDS_MAX),
    "run_seconds": CountTerm("ROOM_RUN_SECONDS", 1, WINDOW_SECONDS_MAX),
    "gap_seconds": CountTerm("ROOM_GAP_SECONDS", 0, WINDOW_SECONDS_MAX),
}


def counts(given: Mapping[str, int | None]) -> dict[str, int]:
    """The count terms of a new room: those ``given``, and the settings' for the rest."""
    return {
        name: getattr(settings, term.setting) if (number := given.get(name)) is None else number
        for name, term in COUNT_TERMS.items()
    }


def check_terms(*, room: Room) -> None:
    """Raise ``RoomInvalid`` unless the room's terms are valid (contract: rooms, "Terms")."""
    if room.entry_fee_minor <= 0:
        raise RoomInvalid(gettext_noop("Game room participation amount must be greater than 0"))
    highest = parse_amount(settings.ROOM_MAX_PARTICIPATION_AMOUNT, decimals=AMOUNT_DECIMALS)
    if room.entry_fee_minor > highest:
        text = format_amount(highest, decimals=AMOUNT_DECIMALS)
        raise RoomInvalid(
            gettext_noop("Game room participation amount must not be greater than %(amount)s"), amount=text
        )
    if room.max_participants < len(room.prize_shares_bp):
        raise RoomInvalid(gettext_noop("Game room max participants must be at least the number of prizes"))
    if room.max_participants > settings.ROOM_MAX_PARTICIPANTS:
        raise RoomInvalid(
            gettext_noop("Game room max participants must not be greater than %(max)s"),
            max=settings.ROOM_MAX_PARTICIPANTS,
        )
    prizes.require_payable(
        shares_bp=room.prize_shares_bp, entry_fee_minor=room.entry_fee_minor, seats=room.max_participants
    )
    for name, (_, minimum, maximum) in COUNT_TERMS.items():
        if not minimum <= getattr(room, name) <= maximum:
            template = gettext_noop("Game room %(term)s must be between %(min)s and %(max)s")
            raise RoomInvalid(template, term=name, min=minimum, max=maximum)


def apply(*, room: Room, change: dict[str, Any]) -> None:
    """Set the terms on the row in memory; the caller saves it."""
    for name, value in change.items():
        setattr(room, name, (value or None) if name == "symbol" else value)


def apply_pending(*, room: Room) -> bool:
    """Apply the pending change of a locked room. True when there was one; the caller saves the row."""
    require_atomic()
    if room.pending_change is None:
        return False
    apply(room=room, change=room.pending_change)
    room.pending_change = None
    room.pending_name = None
    return True
