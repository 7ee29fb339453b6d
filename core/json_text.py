"""Strict JSON: what a request body or a socket frame may hold, and how its numbers are read.

The parser is the standard library's C scanner with hooks. orjson is several times as fast (microseconds
either way on a body of this size) but silently keeps the last of two equal keys, reads every fraction as a
binary float and turns an integer of 30 digits into one: three things a platform that moves money must see.

Fractions arrive as ``decimal.Decimal``, so ``0.1`` is exactly that. Free-form JSON on its way to a column or
to an encoder that knows no Decimal goes through ``plain``.
"""

import json
import math
import re
from decimal import Decimal
from typing import Any

from core.errors import Invalid

BODY_BYTES_MAX = 64 * 1024
DEPTH_MAX = 32
MEMBERS_MAX = 1_000
NUMBER_CHARACTERS_MAX = 64
EXPONENT_MAX = 308
INTEGER_MAX = 2**63 - 1

# A string token is skipped whole; its closing quote is optional and every repetition possessive, so that
# hostile text (an unclosed string full of escaped quotes) is walked once, not once per quote.
_STRUCTURE = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


class MalformedJSON(Invalid):
    """The text is not JSON, or is JSON that no honest client sends."""

    code = "MALFORMED_JSON"
    default_message = "The body is not valid JSON"


class BodyTooLarge(MalformedJSON):
    """The text is longer than the limit; a contract with a word of its own for that can tell."""


def loads_strict(raw: bytes, *, bytes_max: int = BODY_BYTES_MAX) -> Any:
    """The value of ``raw``: UTF-8 JSON within the limits above; integers stay int, other numbers are Decimals.

    Raises ``MalformedJSON`` for anything else: wrong syntax or encoding, more than ``bytes_max``, 32 levels or 1,000
    members in an object, a key twice in one object, NaN or an infinity, a number outside 64-bit integers or
    doubles, a NUL or half a surrogate pair in a text.
    """
    if len(raw) > bytes_max:
        raise BodyTooLarge(f"The body is larger than {bytes_max // 1024} KB")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedJSON("The body is not UTF-8 text") from None
    _check_depth(raw)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedJSON(
            f"The body is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from None
    # Only an escape can smuggle in a NUL (a raw one is a control character) or half a pair (raw: not UTF-8).
    if b"\\u" in raw:
        _check_texts(value)
    return value


def plain(value: Any) -> Any:
    """``value`` with each Decimal replaced by the nearest float, for free-form JSON that carries no money."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def _check_depth(raw: bytes) -> None:
    """Before the parser sees it: CPython's recursion limit must never be the one to say no."""
    if raw.count(b"[") + raw.count(b"{") <= DEPTH_MAX:
        return
    depth = 0
    for token in _STRUCTURE.finditer(raw):
        first = raw[token.start()]
        if first in b"[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise MalformedJSON(f"The body is nested more than {DEPTH_MAX} levels deep")
        elif first in b"]}":
            depth -= 1


def _check_texts(value: Any) -> None:
    """No NUL (PostgreSQL stores none), no half of a surrogate pair (UTF-8 has none) in a key or string."""
    if isinstance(value, str):
        if "\0" in value or not _is_encodable(value):
            raise MalformedJSON("A text holds a NUL or half of a surrogate pair")
    elif isinstance(value, dict):
        for key, member in value.items():
            _check_texts(key)
            _check_texts(member)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MEMBERS_MAX:
        raise MalformedJSON(f"An object has more than {MEMBERS_MAX} members")
    members = dict(pairs)
    if len(members) < len(pairs):
        raise MalformedJSON("An object has the same key twice")
    return members


def _integer(text: str) -> int:
    # 20 characters hold every 64-bit integer and its sign; the cost of int() grows with the square of more.
    if len(text) > 20 or not -INTEGER_MAX - 1 <= (value := int(text)) <= INTEGER_MAX:
        raise MalformedJSON("An integer does not fit in 64 bits")
    return value


def _fraction(text: str) -> Decimal:
    # An exponent costs its writer three bytes and whoever prints the number megabytes.
    _, _, exponent = text.lower().partition("e")
    if len(text) > NUMBER_CHARACTERS_MAX or (exponent and not -EXPONENT_MAX <= int(exponent) <= EXPONENT_MAX):
        raise MalformedJSON("A number has too many digits")
    value = Decimal(text)
    if not math.isfinite(float(value)):
        raise MalformedJSON("A number is too large")
    return value


def _constant(text: str) -> Any:
    raise MalformedJSON(f"{text} is not a JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_fraction, parse_int=_integer, parse_constant=_constant
)
