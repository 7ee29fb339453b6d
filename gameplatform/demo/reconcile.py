"""What a bot expects to own, from the answers to what it did, and whether the platform agrees (pure).

The balance a wallet shows is never an input: deposits, joins, departures and results alone make the expectation, and
the results themselves are held against the terms that were shown at joining.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

FULL_BP = 10_000
# How far the clocks of two web processes may be apart: of scores sent closer together nobody outside knows the first.
CLOCKS_APART_SECONDS = 0.5
# What names the session of a difference. A bot that plays for months remembers its newest.
REFERENCES_MAX = 5_000


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The frozen terms of a session as shown when joining: the fee in minor units, the prizes in basis points.

    ``score_order`` is ``asc`` or ``desc`` where the players' scores decide, and ``None`` elsewhere.
    """

    session_id: int
    fee_minor: int
    shares_bp: tuple[int, ...]
    score_order: str | None


@dataclass(frozen=True, kw_only=True)
class Results:
    """How a session ended: refunded, or who (by join id) won what with which score, in the order of the ranks."""

    session_id: int
    is_refunded: bool
    pool_minor: int
    prizes_minor: Mapping[int, int]
    scores: Mapping[int, Decimal | None]


@dataclass(frozen=True, kw_only=True)
class SentScore:
    """A score that was taken, at some moment from ``asked_at`` to ``answered_at`` (seconds on the bots' clock)."""

    value: Decimal
    asked_at: float
    answered_at: float


@dataclass(kw_only=True)
class Entry:
    """A paid place in a session that is not over. ``is_leaving`` while it is not known whether it was given up.

    ``scores_left`` are still to be sent. ``score`` is the last that was taken; not ``is_score_known`` while it is not
    known whether another was taken after it.
    """

    join_id: int
    fee_minor: int
    scores_left: int = 0
    is_leaving: bool = False
    score: SentScore | None = None
    is_score_known: bool = True

    def scored(self, score: SentScore) -> None:
        """The same score again is as early as its first submission (contract: rounds, "Rules")."""
        if self.score is None or self.score.value != score.value:
            self.score = score
        self.is_score_known = True


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where expectation and platform disagree: a wallet, or what one reference moved in it."""

    reference: str
    expected_minor: int
    actual_minor: int


class Surprise(Exception):
    """An answer that cannot be right, whatever the wallet says."""


class Book:
    """One bot's account of its own money, in minor units."""

    def __init__(self) -> None:
        self.expected_minor = 0
        self.entries: dict[int, Entry] = {}
        self._moved: dict[str, int] = {}

    def deposited(self, *, user_id: int, amount_minor: int) -> None:
        self._move(f"user:{user_id}", amount_minor)

    def joined(self, *, session_id: int, join_id: int, fee_minor: int, scores_left: int = 0) -> None:
        """Raises ``Surprise`` when there is a place in this session already: somebody paid twice."""
        if session_id in self.entries:
            raise Surprise(f"session {session_id}: joined twice, as {self.entries[session_id].join_id} and {join_id}")
        self.entries[session_id] = Entry(join_id=join_id, fee_minor=fee_minor, scores_left=scores_left)
        self._move(_reference(session_id), -fee_minor)

    def left(self, *, session_id: int) -> int:
        """The fee that came back."""
        return self._refund(session_id)

    def closed(self, results: Results) -> int:
        """Take part in the results of a session; the prize or the refund, in minor units, 0 for neither.

        Raises ``Surprise`` when the paid place is not in the results.
        """
        if results.is_refunded:
            return self._refund(results.session_id)
        entry = self.entries.pop(results.session_id)
        if entry.join_id not in results.prizes_minor:
            raise Surprise(f"session {results.session_id}: paid entry {entry.join_id} is not in the standings")
        prize = results.prizes_minor[entry.join_id]
        self._move(_reference(results.session_id), prize)
        return prize

    def differences(self, *, statement: Sequence[tuple[str, int]]) -> list[Difference]:
        """By reference, where the wallet's lines (reference, signed amount) say something else than the answers did."""
        actual: dict[str, int] = {}
        for reference, amount_minor in statement:
            actual[reference] = actual.get(reference, 0) + amount_minor
        return [
            Difference(
                reference=reference,
                expected_minor=self._moved.get(reference, 0),
                actual_minor=actual.get(reference, 0),
            )
            for reference in sorted(self._moved.keys() | actual.keys())
            if self._moved.get(reference, 0) != actual.get(reference, 0)
        ]

    def _refund(self, session_id: int) -> int:
        fee_minor = self.entries.pop(session_id).fee_minor
        self._move(_reference(session_id), fee_minor)
        return fee_minor

    def _move(self, reference: str, amount_minor: int) -> None:
        self.expected_minor += amount_minor
        self._moved[reference] = self._moved.get(reference, 0) + amount_minor
        if len(self._moved) > REFERENCES_MAX:
            del self._moved[next(iter(self._moved))]


def check_results(terms: Terms, results: Results) -> None:
    """Hold the results of a session against its terms. Raises ``Surprise`` with the first rule that is broken.

    The pool is everybody's fee and the prizes are the whole pool; each prize is its percent of the pool to the unit and
    at least 1 unit, and no rank below the table wins anything (contract: rooms, "prizes").
    """
    if results.is_refunded:
        return
    prizes = list(results.prizes_minor.values())
    pool = results.pool_minor
    where = f"session {terms.session_id}"
    if pool != terms.fee_minor * len(prizes):
        raise Surprise(f"{where}: the pool is {pool} units, {len(prizes)} fees of {terms.fee_minor} are something else")
    if sum(prizes) != pool:
        raise Surprise(f"{where}: prizes of {sum(prizes)} units were paid from a pool of {pool}")
    if len(prizes) < len(terms.shares_bp):
        raise Surprise(f"{where}: it ran with {len(prizes)} entries for {len(terms.shares_bp)} prizes")
    for rank, (prize, share) in enumerate(zip(prizes, terms.shares_bp, strict=False), start=1):
        if prize < 1 or abs(prize * FULL_BP - pool * share) >= FULL_BP:
            raise Surprise(f"{where}: rank {rank} won {prize} units, which is not {share / 100} % of {pool}")
    if any(prizes[len(terms.shares_bp) :]):
        raise Surprise(f"{where}: a rank without a prize won something")


def check_standings(terms: Terms, results: Results, entries: Mapping[int, Entry]) -> None:
    """Hold the ranks of a session that scores decide against what the bots sent. Raises ``Surprise``.

    ``entries`` are the bots' places by join id; the other players' scores are known from the results alone. The last
    score that was taken counts, the better is ahead, the earlier of equal ones is ahead, and places without a score
    come last (contract: rounds, "Rules").
    """
    if results.is_refunded or terms.score_order is None:
        return
    where = f"session {terms.session_id}"
    # By score: the latest moment at which somebody further ahead can have begun to send it.
    asked_at: dict[Decimal, float] = {}
    for join_id, shown in results.scores.items():
        entry = entries.get(join_id)
        if entry is None or not entry.is_score_known:
            continue
        sent = entry.score
        counts = None if sent is None else sent.value
        if shown != counts:
            raise Surprise(f"{where}: entry {join_id} is ranked by score {shown}, but its player sent {counts}")
        if sent is not None:
            ahead_asked_at = asked_at.get(sent.value, sent.asked_at)
            if sent.answered_at + CLOCKS_APART_SECONDS < ahead_asked_at:
                raise Surprise(f"{where}: entry {join_id} sent {shown} before an equal score that is ahead of it")
            asked_at[sent.value] = max(ahead_asked_at, sent.asked_at)
    order = terms.score_order
    for rank, (ahead, behind) in enumerate(pairwise(results.scores.values()), start=1):
        if _standing(ahead, order) > _standing(behind, order):
            raise Surprise(f"{where}: rank {rank} has score {ahead} and is ahead of {behind}, the order is {order}")


def _standing(score: Decimal | None, order: str) -> tuple[bool, Decimal]:
    """What the ranks ascend by."""
    if score is None:
        return True, Decimal(0)
    return False, score if order == "asc" else -score


def _reference(session_id: int) -> str:
    return f"session:{session_id}"
