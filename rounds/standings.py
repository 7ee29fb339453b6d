"""Who is ahead of whom (pure): exact scores, both score orders, ties, and rows without a score.

The better score first; of equal scores the one submitted first; rows without a score behind all others. Scores are
exact decimals from the wire to the index: no comparison here, or in the SQL beside it, is of binary floats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_noop

from core.errors import Invalid

# Every score is nearer to zero than this, so as a standing it is behind all of them.
UNSCORED = Decimal(10) ** 21
SCORE_DECIMALS_MAX = 30


class InvalidScore(Invalid):
    """The number cannot be kept exactly as a score."""

    code = "INVALID_SCORE"
    default_message = gettext_noop("Score must be a number below 10^21 with at most 30 decimal places")


@dataclass(frozen=True, slots=True)
class Result:
    """What one row of a contest came to, before it is ranked. ``user_id`` is null for a player of the game alone."""

    round_id: int
    game_user_id: int
    user_id: int | None
    score: Decimal | None
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A ranked row: ranks are 1, 2, 3 … without gaps or shared places."""

    rank: int
    round_id: int
    game_user_id: int
    user_id: int | None
    score: Decimal | None
    submitted_at: datetime


def clean_score(score: Decimal) -> Decimal:
    """``score`` without trailing zeros. Raises ``InvalidScore`` when it is not a number or has too many digits."""
    # A Decimal's own arithmetic, abs() too, rounds to 28 digits; its copies, comparisons and parts are exact.
    if not score.is_finite() or score.copy_abs() >= UNSCORED:
        raise InvalidScore()
    sign, digits, exponent = score.as_tuple()
    assert isinstance(exponent, int)
    significant = "".join(map(str, digits)).rstrip("0")
    exponent += len(digits) - len(significant)
    if not significant:
        return Decimal(0)
    if exponent < -SCORE_DECIMALS_MAX:
        raise InvalidScore()
    return Decimal(f"{'-' if sign else ''}{significant}e{exponent}")


def score_text(score: Decimal) -> str:
    """The plain decimal text with the very digits of ``score``: no exponent, no trailing zeros."""
    text = format(score, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def standing_of(score: Decimal | None, *, order: str) -> Decimal:
    """The number that rows are ordered by, ascending: see `rounds.models`."""
    if score is None:
        return UNSCORED
    # copy_negate, unlike the minus sign, never rounds.
    return score.copy_negate() if order == "desc" else score


def final_order(results: Sequence[Result], *, order: str, tickets: Mapping[int, str]) -> list[Standing]:
    """All rows, best first: by score, then by submission, then by the user's ticket; unscored last, by ticket.

    ``tickets`` maps platform user ids to texts that decide what nothing else does; rows without one come in the order
    of their ids.
    """

    def key(result: Result) -> tuple[Decimal, datetime, str, int]:
        ticket = tickets.get(result.user_id, "") if result.user_id is not None else ""
        return standing_of(result.score, order=order), result.submitted_at, ticket, result.round_id

    scored = sorted((result for result in results if result.score is not None), key=key)
    unscored = sorted((result for result in results if result.score is None), key=lambda result: key(result)[2:])
    return [
        Standing(
            rank=rank,
            round_id=result.round_id,
            game_user_id=result.game_user_id,
            user_id=result.user_id,
            score=result.score,
            submitted_at=result.submitted_at,
        )
        for rank, result in enumerate([*scored, *unscored], start=1)
    ]
