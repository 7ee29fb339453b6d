"""Token amounts: integers in minor units inside, decimal text outside. The only place that converts between them."""

import re
from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext_noop

from core.errors import Invalid

DECIMALS_MAX = 8
# A balance is a bigint; a single amount is kept two orders of magnitude below, so sums of many stay inside.
AMOUNT_MINOR_MAX = 9 * 10**16

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,17})(?:\.([0-9]{1,8}))?", re.ASCII)


class InvalidAmount(Invalid):
    """The text is not an amount of this token."""

    code = "INVALID_AMOUNT"
    default_message = gettext_noop("The amount is not valid")


def parse_amount(text: str, *, decimals: int) -> int:
    """Minor units of ``text``: ``parse_amount("30.5", decimals=2) == 3050``.

    Strict: ASCII digits with at most one dot; no sign, exponent, space, separator or leading zero; trailing zeros
    count as decimals. Raises ``InvalidAmount``.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise InvalidAmount(gettext_noop("The amount must be a plain decimal number such as 12.5"))
    whole, fraction = match.group(1), match.group(2) or ""
    if len(fraction) > decimals:
        raise InvalidAmount(gettext_noop("The amount must have at most %(decimals)s decimal places"), decimals=decimals)
    minor: int = int(whole) * 10**decimals + int(fraction.ljust(decimals, "0") or "0")
    if minor > AMOUNT_MINOR_MAX:
        raise InvalidAmount(gettext_noop("The amount is too large"))
    return minor


def number_text(value: int | float | Decimal) -> str:
    """The decimal text of a JSON number, for ``parse_amount``; ``1e2`` and ``-0.0`` stay unreadable to it.

    A small Decimal is written out: ``0.00000001`` is one of eight decimals, though ``str`` would say ``1E-8``.
    """
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, Decimal) and "E-" in str(value):
        return f"{value:f}"
    return str(value)


def format_amount(minor: int, *, decimals: int) -> str:
    """Decimal text without trailing zeros: ``format_amount(3050, decimals=2) == "30.5"``."""
    text = format_amount_fixed(minor, decimals=decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_amount_fixed(minor: int, *, decimals: int) -> str:
    """Decimal text with all its decimals: ``format_amount_fixed(3050, decimals=2) == "30.50"``."""
    sign = "-" if minor < 0 else ""
    whole, fraction = divmod(abs(minor), 10**decimals)
    return f"{sign}{whole}.{fraction:0{decimals}d}" if decimals else f"{sign}{whole}"


def format_amount_grouped(minor: int, *, decimals: int) -> str:
    """As ``format_amount_fixed``, for people: ``format_amount_grouped(123450, decimals=2) == "1,234.50"``."""
    return f"{amount_decimal(minor, decimals=decimals):,f}"


def amount_decimal(minor: int, *, decimals: int) -> Decimal:
    """The exact number with all its decimals, for a cell of a file: ``amount_decimal(3050, decimals=2)`` is 30.50."""
    return Decimal(minor).scaleb(-decimals)


def amount_number(minor: int, *, decimals: int) -> int | float:
    """The JSON number of an amount, an integer when it is whole: ``30.5``, ``61``.

    Exact for every amount of at most 15 significant digits; larger ones belong in text.
    """
    whole, fraction = divmod(minor, 10**decimals)
    return whole if fraction == 0 else float(format_amount(minor, decimals=decimals))


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split ``total`` units in proportion to ``weights`` by largest remainder; the parts sum to ``total`` exactly.

    The units left over by rounding down go to the largest remainders, and among equal remainders to the earlier
    position: ``allocate(1001, [5000, 3000, 2000]) == [501, 300, 200]``.
    """
    if total < 0 or not weights or min(weights) < 0 or sum(weights) == 0:
        raise ValueError("allocate needs a total of at least 0 and weights that are not all 0")
    weight_sum = sum(weights)
    parts, remainders = [], []
    for position, weight in enumerate(weights):
        part, remainder = divmod(total * weight, weight_sum)
        parts.append(part)
        remainders.append((-remainder, position))
    for _, position in sorted(remainders)[: total - sum(parts)]:
        parts[position] += 1
    return parts
