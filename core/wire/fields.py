"""Input fields that every contract shares. Each takes one JSON type and one spelling, and says no to the rest."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.amounts import InvalidAmount, number_text, parse_amount
from core.security.names import InvalidName, clean_name

ID_MAX = 2**63 - 1
UNKNOWN_FIELD_LENGTH_MAX = 64
# Nothing on this platform happened before, or is planned for after.
DATETIME_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
DATETIME_END = datetime(2100, 1, 1, tzinfo=UTC)

# What an amount may look like for every token; each has its own number of decimals.
AMOUNT_SCHEMA: dict[str, Any] = {
    "oneOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,8})?$"},
    ]
}

_DIGITS = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


class StrictSerializer(serializers.Serializer):
    """Input that refuses fields it does not know, and read-only ones, instead of ignoring them."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            writable = {field.field_name for field in self._writable_fields}
            unknown = [str(name) for name in data if name not in writable]
            if unknown:
                raise serializers.ValidationError(
                    {unknown[0][:UNKNOWN_FIELD_LENGTH_MAX]: ["This field is not known here."]}
                )
        return super().to_internal_value(data)


def checked(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """The validated values of ``data``. Raises ``ValidationError``."""
    bound = serializer(data=data)
    bound.is_valid(raise_exception=True)
    values: dict[str, Any] = bound.validated_data
    return values


class TextField(serializers.CharField):
    """A JSON string, nothing that could be made one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": ID_MAX})
class IdField(serializers.Field):
    """A JSON integer from 1 to 2⁶³−1."""

    default_error_messages = {"invalid": f"A whole number from 1 to {ID_MAX} is required."}

    def to_internal_value(self, data: Any) -> int:
        # type() and not isinstance(): True is an int.
        if type(data) is not int or not 1 <= data <= ID_MAX:
            self.fail("invalid")
        return data

    def to_representation(self, value: int) -> int:
        return value


class CountField(serializers.Field):
    """A JSON integer from ``minimum`` to ``maximum``; no text, no fraction, no truth value."""

    default_error_messages = {"invalid": "A whole number from {minimum} to {maximum} is required."}

    def __init__(self, *, minimum: int, maximum: int, **kwargs: Any) -> None:
        self.minimum, self.maximum = minimum, maximum
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int or not self.minimum <= data <= self.maximum:
            self.fail("invalid", minimum=self.minimum, maximum=self.maximum)
        return data


@extend_schema_field(OpenApiTypes.BOOL)
class TruthField(serializers.Field):
    """A JSON true or false, nothing that could be taken for one."""

    default_error_messages = {"invalid": "true or false is required."}

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("invalid")
        return data


class QueryIdField(IdField):
    """An id in a query: ASCII digits without leading zeros."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str) or not _DIGITS.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(int(data))


@extend_schema_field(AMOUNT_SCHEMA)
class AmountField(serializers.Field):
    """A token amount as a JSON number or string of at most ``decimals`` places; its value is in minor units."""

    default_error_messages = {"invalid": "The amount must be a number or a decimal text."}

    def __init__(self, *, decimals: int, **kwargs: Any) -> None:
        self.decimals = decimals
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, str | int | Decimal):
            self.fail("invalid")
        text = data if isinstance(data, str) else number_text(data)
        try:
            return parse_amount(text, decimals=self.decimals)
        except InvalidAmount as error:
            raise serializers.ValidationError(error.message) from error


@extend_schema_field(OpenApiTypes.DATETIME)
class RFC3339Field(serializers.Field):
    """A time with its offset, from 2000 to 2099; its value is in UTC."""

    default_error_messages = {
        "invalid": "A time such as 2026-01-31T12:00:00Z is required, with its offset.",
        "range": "The time must be from 2000 to 2099.",
    }

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str) or not _RFC3339.fullmatch(data):
            self.fail("invalid")
        try:
            moment = datetime.fromisoformat(data.upper()).astimezone(UTC)
        except ValueError:
            self.fail("invalid")
        except OverflowError:
            self.fail("range")
        if not DATETIME_FIRST <= moment < DATETIME_END:
            self.fail("range")
        return moment

    def to_representation(self, value: datetime) -> str:
        return iso_ms(value)


class NameField(TextField):
    """A name for people to read: NFC, no outer spaces, no control, bidi-override or zero-width characters."""

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        self.name_length_max = max_length
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            return clean_name(text, max_length=self.name_length_max)
        except InvalidName as error:
            raise serializers.ValidationError(error.message) from error


def iso_ms(moment: datetime) -> str:
    """``2026-01-31T12:00:00.000Z``: UTC, milliseconds (cut, not rounded). Raises ``ValueError`` when naive."""
    if moment.tzinfo is None:
        raise ValueError("A time without an offset has no place on the wire.")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def first_message(detail: Any) -> str:
    """The first of DRF's nested error details as one sentence, led by the path to its field."""
    path: list[str] = []
    while isinstance(detail, Mapping | list | tuple):
        if isinstance(detail, Mapping):
            name, detail = next(iter(detail.items()))
            if name != "non_field_errors":
                path.append(str(name))
        elif len(detail) == 0:
            detail = "Invalid parameters"
        else:
            position, detail = next(
                ((place, item) for place, item in enumerate(detail) if item), (0, "Invalid parameters")
            )
            if isinstance(detail, Mapping):
                path.append(str(position))
    return f"{'.'.join(path)}: {detail}" if path else str(detail)
