"""The prize table and the division of a pool by it (pure)."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext_noop

from core.amounts import allocate
from rooms.errors import RoomInvalid

PRIZES_MAX = 20
FULL_BP = 10_000


def prize_shares(rows: Sequence[tuple[int, Decimal]]) -> list[int]:
    """Basis points by rank of a table of (rank, percent).

    Ranks are 1..n in order, percents > 0 with at most 2 decimals, strictly decreasing, 100 in all, at most 20 rows
    (contract: rooms, "prizes"). Raises ``RoomInvalid`` with the rule that is broken.
    """
    if not 1 <= len(rows) <= PRIZES_MAX:
        raise RoomInvalid(gettext_noop("A game room must have between 1 and %(max)s prizes"), max=PRIZES_MAX)
    shares: list[int] = []
    for position, (rank, percent) in enumerate(rows, start=1):
        if rank != position:
            raise RoomInvalid(
                gettext_noop("Rank must be sequential starting from 1, but got rank %(rank)s at position %(position)s"),
                rank=rank,
                position=position,
            )
        share = percent * 100
        if share != share.to_integral_value():
            raise RoomInvalid(gettext_noop("Percent of rank %(rank)s must have at most 2 decimal places"), rank=rank)
        if not 0 < share <= FULL_BP:
            raise RoomInvalid(
                gettext_noop("Percent of rank %(rank)s must be greater than 0 and at most 100"), rank=rank
            )
        if shares and share >= shares[-1]:
            raise RoomInvalid(gettext_noop("Percent must decrease with rank, but rank %(rank)s does not"), rank=rank)
        shares.append(int(share))
    if sum(shares) != FULL_BP:
        total = Decimal(sum(shares)) / 100
        raise RoomInvalid(
            gettext_noop("Total percent of prizes must equal 100, but is %(total)s"), total=f"{total.normalize():f}"
        )
    return shares


def require_payable(*, shares_bp: Sequence[int], entry_fee_minor: int, seats: int) -> None:
    """Refuse a table under which some pool that can run would round a prize to nothing. Raises ``RoomInvalid``.

    The contract names the smallest pool (fee × prizes). That is not enough: by largest remainder a larger pool may give
    a small share nothing where a smaller one gave it the unit left over. So every pool is tried up to the seats, or to
    where the smallest share is worth a unit by itself.
    """
    for entries in range(len(shares_bp), seats + 1):
        pool_minor = entry_fee_minor * entries
        if pool_minor * shares_bp[-1] >= FULL_BP:
            return
        if min(allocate(pool_minor, shares_bp)) < 1:
            raise RoomInvalid(
                gettext_noop(
                    "The smallest possible prize pool would leave a prize of 0; raise the fee or the last percent"
                )
            )


def award(*, pool_minor: int, shares_bp: Sequence[int], entries: int) -> list[int]:
    """The prize of every entry in rank order; together exactly the pool, never more for a worse rank (I8).

    ``entries`` is at least the number of prizes, as only such sessions run.
    """
    if entries < len(shares_bp):
        raise ValueError(f"{len(shares_bp)} prizes need as many entries, not {entries}")
    return allocate(pool_minor, shares_bp) + [0] * (entries - len(shares_bp))
