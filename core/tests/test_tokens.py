from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.amounts import (
    AMOUNT_MINOR_MAX,
    InvalidAmount,
    allocate,
    amount_number,
    format_amount,
    format_amount_fixed,
    format_amount_grouped,
    number_text,
    parse_amount,
)
from core.json_text import loads_strict


@pytest.mark.parametrize(
    ("text", "decimals", "minor"),
    [("30.5", 2, 3050), ("30.50", 2, 3050), ("0", 2, 0), ("0.01", 2, 1), ("7", 0, 7), ("0.00000001", 8, 1)],
)
def test_text_becomes_minor_units(text, decimals, minor):
    assert parse_amount(text, decimals=decimals) == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1\n",
        "+1",
        "-1",
        "-0",
        "1e2",
        "1E2",
        "1_000",
        "1,5",
        "01",
        "00",
        ".5",
        "5.",
        "1.2.3",
        "NaN",
        "１０",
        "١",
    ],
)
def test_what_is_no_plain_amount_is_refused(text):
    with pytest.raises(InvalidAmount) as caught:
        parse_amount(text, decimals=2)
    assert caught.value.code == "INVALID_AMOUNT"


@pytest.mark.parametrize(("text", "decimals"), [("1.234", 2), ("1.0", 0), ("1.000", 2)])
def test_more_decimals_than_the_token_has_are_refused_even_if_they_are_zeros(text, decimals):
    with pytest.raises(InvalidAmount, match=f"at most {decimals} decimal places"):
        parse_amount(text, decimals=decimals)


def test_the_largest_amount_passes_and_one_unit_more_does_not():
    assert parse_amount("900000000000000.00", decimals=2) == AMOUNT_MINOR_MAX
    with pytest.raises(InvalidAmount, match="too large"):
        parse_amount("900000000000000.01", decimals=2)


@given(st.integers(0, AMOUNT_MINOR_MAX), st.integers(0, 8))
def test_what_is_written_is_read_back(minor, decimals):
    assert parse_amount(format_amount(minor, decimals=decimals), decimals=decimals) == minor
    assert parse_amount(format_amount_fixed(minor, decimals=decimals), decimals=decimals) == minor


@pytest.mark.parametrize(
    ("minor", "decimals", "short", "fixed", "number"),
    [
        (3050, 2, "30.5", "30.50", 30.5),
        (6100, 2, "61", "61.00", 61),
        (0, 2, "0", "0.00", 0),
        (-5, 2, "-0.05", "-0.05", -0.05),
        (-3000, 2, "-30", "-30.00", -30),
        (100, 0, "100", "100", 100),
    ],
)
def test_amounts_are_written_three_ways(minor, decimals, short, fixed, number):
    assert format_amount(minor, decimals=decimals) == short
    assert format_amount_fixed(minor, decimals=decimals) == fixed
    assert amount_number(minor, decimals=decimals) == number
    assert type(amount_number(minor, decimals=decimals)) is type(number)


@pytest.mark.parametrize("text", ["30.50", "30.5", "61", "0.00000001", "0.0000001", "0.1", "123456789.12345678"])
def test_a_json_number_is_the_same_amount_as_its_text(text):
    assert parse_amount(number_text(loads_strict(text.encode())), decimals=8) == parse_amount(text, decimals=8)


@pytest.mark.parametrize("value", [Decimal("1e2"), Decimal("-0.0"), Decimal("-1"), 1e16, -0.0, True, Decimal("NaN")])
def test_a_number_that_is_no_plain_amount_stays_unreadable(value):
    with pytest.raises(InvalidAmount):
        parse_amount(number_text(value), decimals=2)


def test_what_rounding_leaves_goes_to_the_largest_remainder_and_then_to_the_earlier():
    assert allocate(1001, [5000, 3000, 2000]) == [501, 300, 200]
    assert allocate(10, [1, 1, 1]) == [4, 3, 3]
    assert allocate(2, [1, 1, 1]) == [1, 1, 0]
    assert allocate(0, [1, 2]) == [0, 0]
    assert allocate(5, [0, 1]) == [0, 5]


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10_000), min_size=1, max_size=20).filter(any))
def test_the_parts_sum_to_the_total_and_each_is_within_one_unit_of_its_share(total, weights):
    parts = allocate(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)
        assert weight or part == 0


@given(st.integers(0, 10**12), st.lists(st.integers(1, 10_000), min_size=1, max_size=20))
def test_a_larger_weight_never_gets_less(total, weights):
    parts = allocate(total, sorted(weights, reverse=True))
    assert parts == sorted(parts, reverse=True)


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, []), (1, [0, 0]), (1, [2, -1])])
def test_a_split_that_means_nothing_is_a_programming_error(total, weights):
    with pytest.raises(ValueError, match="allocate needs"):
        allocate(total, weights)


@pytest.mark.parametrize(
    ("minor", "decimals", "text"),
    [
        (0, 2, "0.00"),
        (-50, 2, "-0.50"),
        (123_450, 2, "1,234.50"),
        (10**17, 2, "1,000,000,000,000,000.00"),
        (1_000, 0, "1,000"),
    ],
)
def test_an_amount_for_people_has_its_thousands_apart(minor, decimals, text):
    assert format_amount_grouped(minor, decimals=decimals) == text
