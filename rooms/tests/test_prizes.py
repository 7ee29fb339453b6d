"""The prize table's rules and the exact division of a pool."""

import itertools
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rooms import prizes
from rooms.errors import RoomInvalid


def table(*percents: str) -> list[tuple[int, Decimal]]:
    return [(rank, Decimal(percent)) for rank, percent in enumerate(percents, start=1)]


def test_a_table_becomes_basis_points():
    assert prizes.prize_shares(table("50", "30.5", "19.50")) == [5_000, 3_050, 1_950]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "A game room must have between 1 and 20 prizes"),
        (table(*["5"] * 21), "A game room must have between 1 and 20 prizes"),
        (
            [(1, Decimal(60)), (3, Decimal(40))],
            "Rank must be sequential starting from 1, but got rank 3 at position 2",
        ),
        (table("50", "50"), "Percent must decrease with rank, but rank 2 does not"),
        (table("40", "60"), "Percent must decrease with rank, but rank 2 does not"),
        (table("60", "30"), "Total percent of prizes must equal 100, but is 90"),
        (table("60", "40.01"), "Total percent of prizes must equal 100, but is 100.01"),
        (table("60.001", "39.999"), "Percent of rank 1 must have at most 2 decimal places"),
        (table("100", "0"), "Percent of rank 2 must be greater than 0 and at most 100"),
        (table("101", "-1"), "Percent of rank 1 must be greater than 0 and at most 100"),
    ],
)
def test_invalid_prize_table_names_its_rule(rows, sentence):
    with pytest.raises(RoomInvalid) as refusal:
        prizes.prize_shares(rows)
    assert refusal.value.message == sentence


def test_leftover_units_go_to_the_largest_remainders():
    assert prizes.award(pool_minor=1_001, shares_bp=[5_000, 3_000, 2_000], entries=4) == [501, 300, 200, 0]


def test_a_fee_too_small_for_its_prizes_is_refused():
    with pytest.raises(RoomInvalid, match="would leave a prize of 0"):
        prizes.require_payable(shares_bp=[9_900, 100], entry_fee_minor=1, seats=100)
    prizes.require_payable(shares_bp=[9_900, 100], entry_fee_minor=100, seats=100)


def test_larger_pool_can_round_a_prize_away():
    shares = [4_682, 3_936, 1_382]
    assert prizes.award(pool_minor=3, shares_bp=shares, entries=3) == [1, 1, 1]
    assert prizes.award(pool_minor=4, shares_bp=shares, entries=4) == [2, 2, 0, 0]
    prizes.require_payable(shares_bp=shares, entry_fee_minor=1, seats=3)
    with pytest.raises(RoomInvalid, match="would leave a prize of 0"):
        prizes.require_payable(shares_bp=shares, entry_fee_minor=1, seats=4)


@st.composite
def shares(draw) -> list[int]:
    weights = draw(st.lists(st.integers(1, 1_000), min_size=1, max_size=20, unique=True))
    ordered = sorted(weights, reverse=True)
    total = sum(ordered)
    parts = [weight * 10_000 // total for weight in ordered]
    parts[0] += 10_000 - sum(parts)
    assume(all(a > b for a, b in itertools.pairwise(parts)) and parts[-1] > 0)
    return parts


@given(shares(), st.integers(1, 10**12), st.integers(0, 50))
def test_prizes_share_the_pool_exactly_by_rank(shares_bp, fee, more):
    entries = len(shares_bp) + more
    pool = fee * entries
    awards = prizes.award(pool_minor=pool, shares_bp=shares_bp, entries=entries)
    assert sum(awards) == pool
    assert all(better >= worse for better, worse in itertools.pairwise(awards))
    assert awards[len(shares_bp) :] == [0] * more
    exact = [Decimal(pool) * share / 10_000 for share in shares_bp]
    assert all(abs(award - fair) < 1 for award, fair in zip(awards, exact, strict=False))


@given(shares(), st.integers(1, 10_000))
def test_every_possible_pool_pays_every_prize(shares_bp, fee):
    try:
        prizes.require_payable(shares_bp=shares_bp, entry_fee_minor=fee, seats=len(shares_bp) + 5)
    except RoomInvalid:
        assume(False)
    for entries in range(len(shares_bp), len(shares_bp) + 6):
        awards = prizes.award(pool_minor=fee * entries, shares_bp=shares_bp, entries=entries)
        assert min(awards[: len(shares_bp)]) >= 1
