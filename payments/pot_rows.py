"""The arguments of a pot's job as values: players, and the amounts they pay or earn (pure)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.utils.translation import gettext_noop

from core.amounts import AMOUNT_MINOR_MAX, InvalidAmount

ROWS_MAX = 100


@dataclass(frozen=True, kw_only=True)
class Seat:
    """A player of a job."""

    player_id: int
    plyr_id: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """An amount that a player pays or earns, in the token's minor units; 0 is allowed and moves nothing."""

    player_id: int
    plyr_id: str
    token_id: int
    symbol: str
    decimals: int
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class Order:
    """The arguments of a job; each kind uses its own part (contract: pots, "Rooms")."""

    pot_number: int | None = None
    lifetime_seconds: int | None = None
    capacity: int | None = None
    seats: tuple[Seat, ...] = ()
    rows: tuple[Row, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Order":
        return cls(
            pot_number=value["pot_number"],
            lifetime_seconds=value["lifetime_seconds"],
            capacity=value["capacity"],
            seats=tuple(Seat(**seat) for seat in value["seats"]),
            rows=tuple(Row(**row) for row in value["rows"]),
        )


def summed(rows: Sequence[Row]) -> list[Row]:
    """Sum to one row per player and token, in order of first appearance; drop rows of 0. Raises ``InvalidAmount``."""
    sums: dict[tuple[int, int], Row] = {}
    for row in rows:
        key = (row.player_id, row.token_id)
        before = sums[key].amount_minor if key in sums else 0
        sums[key] = replace(row, amount_minor=before + row.amount_minor)
    for row in sums.values():
        if not 0 <= row.amount_minor <= AMOUNT_MINOR_MAX:
            raise InvalidAmount(gettext_noop("The amount is too large"))
    return [row for row in sums.values() if row.amount_minor > 0]
