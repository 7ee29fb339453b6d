from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict
from rest_framework import serializers

from core.wire.fields import (
    AmountField,
    IdField,
    NameField,
    QueryIdField,
    RFC3339Field,
    StrictSerializer,
    TextField,
    iso_ms,
)


def refusal(field, value):
    with pytest.raises(serializers.ValidationError) as caught:
        field.run_validation(value)
    detail: Any = caught.value.detail
    return str(detail[0])


@pytest.mark.parametrize("value", [1, 42, 2**63 - 1])
def test_an_id_is_a_whole_number_of_63_bits(value):
    assert IdField().run_validation(value) == value
    assert QueryIdField().run_validation(str(value)) == value


@pytest.mark.parametrize("value", [0, -1, 2**63, 10**30, True, False, "1", 1.0, Decimal("1.0"), [1], {}])
def test_what_is_no_id_is_refused(value):
    assert refusal(IdField(), value) == "A whole number from 1 to 9223372036854775807 is required."


@pytest.mark.parametrize("value", ["0", "01", "+1", "-1", "1.0", "１", " 1", "1\n", "0x1", str(2**63), "9" * 5000, 1])
def test_what_is_no_id_in_a_query_is_refused(value):
    assert refusal(QueryIdField(), value) == "A whole number from 1 to 9223372036854775807 is required."


@pytest.mark.parametrize(
    ("value", "minor"),
    [(30, 3000), (Decimal("30.5"), 3050), ("30.5", 3050), ("30.50", 3050), ("0.01", 1), (Decimal("0.10"), 10), (0, 0)],
)
def test_an_amount_is_read_exactly(value, minor):
    assert AmountField(decimals=2).run_validation(value) == minor


@pytest.mark.parametrize(
    "value",
    ["1.005", Decimal("1.005"), "1e2", Decimal("1E+2"), "-1", -1, "+1", " 1", "", "1.", ".5", "١", "NaN", 10**17],
)
def test_an_amount_that_is_not_plain_is_refused(value):
    assert refusal(AmountField(decimals=2), value).startswith("The amount must ") or value == 10**17
    with pytest.raises(serializers.ValidationError):
        AmountField(decimals=2).run_validation(value)


@pytest.mark.parametrize("value", [True, 1.5, [], {}])
def test_an_amount_of_another_type_is_refused(value):
    assert refusal(AmountField(decimals=2), value) == "The amount must be a number or a decimal text."


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31t12:00:00.250z", datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-01-31T19:00:00+07:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00.123456789Z", datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC)),
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
        ("2099-12-31T23:59:59.999Z", datetime(2099, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_with_its_offset(text, moment):
    read = RFC3339Field().run_validation(text)

    assert (read, read.tzinfo) == (moment, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00",
        "2026-01-31",
        "2026-02-30T12:00:00Z",
        "2026-01-31T24:00:01Z",
        "2026-01-31T12:00:60Z",
        "2026-01-31 12:00:00Z",
        "20260131T120000Z",
        "2026-01-31T12:00:00+0700",
        "2026-01-31T12:00:00+99:00",
        "2026-01-31T12:00:00Z\n",
        "２026-01-31T12:00:00Z",
        1769860800,
        True,
        [],
    ],
)
def test_a_time_that_is_not_rfc3339_is_refused(text):
    assert refusal(RFC3339Field(), text) == "A time such as 2026-01-31T12:00:00Z is required, with its offset."


@pytest.mark.parametrize(
    "text",
    ["1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
)
def test_a_time_out_of_range_is_refused(text):
    assert refusal(RFC3339Field(), text) == "The time must be from 2000 to 2099."


def test_a_time_is_written_in_milliseconds_of_utc():
    hanoi = timezone(timedelta(hours=7))

    assert iso_ms(datetime(2026, 1, 1, 7, 0, 0, 999_999, tzinfo=hanoi)) == "2026-01-01T00:00:00.999Z"
    assert RFC3339Field().to_representation(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"
    with pytest.raises(ValueError, match="without an offset"):
        iso_ms(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_name_is_trimmed_and_composed():
    assert NameField(max_length=10).run_validation("  Nguye\u0302\u0303n ") == "Nguyễn"
    assert NameField(max_length=10).run_validation("e\u0301" * 10) == "é" * 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "This field may not be blank."),
        ("   ", "The name must not be empty"),
        ("n" * 11, "The name must have at most 10 characters"),
        ("a\u202eb", "The name must not contain control or invisible characters"),
        ("a\u200bb", "The name must not contain control or invisible characters"),
        ("a\u2066b", "The name must not contain control or invisible characters"),
        ("a\tb", "The name must not contain control or invisible characters"),
        ("a\u2028b", "The name must not contain control or invisible characters"),
        ("\u3164", "The name must not contain control or invisible characters"),
        (5, "Not a valid string."),
    ],
)
def test_what_cannot_be_a_name_is_refused(text, message):
    assert refusal(NameField(max_length=10), text) == message


class Offer(StrictSerializer):
    name = TextField()
    id = IdField(read_only=True)


def test_unknown_and_read_only_fields_are_refused_not_ignored():
    assert Offer(data={"name": "a"}).is_valid()
    for extra in ("other", "id", "x" * 1000):
        offer = Offer(data={"name": "a", extra: 1})
        assert not offer.is_valid()
        assert offer.errors == {extra[:64]: ["This field is not known here."]}


def test_unknown_query_parameters_are_refused():
    assert Offer(data=QueryDict("name=a")).is_valid()
    assert not Offer(data=QueryDict("name=a&other=1")).is_valid()
