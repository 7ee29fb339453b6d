"""The PLYR style's own rules: signatures, numbers, and the status of each refusal (contract payments)."""

import json
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.exceptions import MethodNotAllowed

from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unavailable
from core.json_text import loads_strict
from core.wire import plyr

SECRET = "a secret of the test"


def answer(error: Exception) -> tuple[int, dict]:
    response: Any = plyr.STYLE.answer(error, {})
    return response.status_code, response.data


def test_the_signature_is_a_known_one():
    # printf '1700000000000{"a":1}' | openssl dgst -sha256 -hmac key
    expected = "7b740865d8d08e73aadfb65bb4fbe04ddb029b55d54c6d3e5efaadbb2adb6305"
    assert plyr.signature("key", "1700000000000", b'{"a":1}') == expected


@pytest.mark.parametrize(
    ("sent", "compact"),
    [
        ('{"b": 1, "a": [true, null, "x y"]}', '{"b":1,"a":[true,null,"x y"]}'),
        ("[1.0, 1.50, 100, 0.1, -0.0, 1e3]", "[1,1.5,100,0.1,0,1000]"),
        (
            "[1e-6, 1e-7, 1.5e-9, 1e20, 1e21, 12345678901234567890.0]",
            "[0.000001,1e-7,1.5e-9,100000000000000000000,1e+21,12345678901234567000]",
        ),
        ('["\\u00fc", "\\"", "\\n", "🎲"]', '["ü","\\"","\\n","🎲"]'),
        ("{}", "{}"),
    ],
)
def test_compact_json_is_what_a_javascript_client_signs(sent, compact):
    assert plyr.compact_json(loads_strict(sent.encode())) == compact


@pytest.mark.parametrize("tampered", [b'{"a":2}', b'{"a":1} ', b"{}", b"", b"\xff", b"["])
def test_a_signature_covers_the_time_and_the_body(tampered):
    given = plyr.signature(SECRET, "1", b'{"a":1}')
    assert plyr.is_signed(secret=SECRET, given=given, timestamp="1", body=b'{"a":1}')
    assert plyr.is_signed(secret=SECRET, given=given, timestamp="1", body=b'{ "a": 1.0 }')
    assert not plyr.is_signed(secret=SECRET, given=given, timestamp="2", body=b'{"a":1}')
    assert not plyr.is_signed(secret="another", given=given, timestamp="1", body=b'{"a":1}')
    assert not plyr.is_signed(secret=SECRET, given=given.upper(), timestamp="1", body=b'{"a":1}')
    if tampered != b'{"a":1} ':
        assert not plyr.is_signed(secret=SECRET, given=given, timestamp="1", body=tampered)


def test_an_empty_body_is_an_empty_object():
    given = plyr.signature(SECRET, "1", b"{}")
    assert plyr.is_signed(secret=SECRET, given=given, timestamp="1", body=b"")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.50", "1.50"),
        (7, "7"),
        (Decimal("0.1"), "0.1"),
        (Decimal("1e-7"), "0.0000001"),
        (Decimal("1E+2"), "100"),
        (Decimal("1e300"), None),
        (True, None),
        (None, None),
        ([], None),
    ],
)
def test_an_amount_comes_as_a_number_or_a_text(value, text):
    assert plyr.amount_text(value) == text


@pytest.mark.parametrize(
    ("minor", "decimals", "value"),
    [
        (0, 2, 0),
        (150, 2, 1.5),
        (100, 2, 1),
        (10, 8, 1e-07),
        (2**53, 0, 2**53),
        (2**53 + 1, 0, str(2**53 + 1)),
        (9 * 10**16 - 1, 8, "899999999.99999999"),
        (123456789012345, 8, 1234567.89012345),
    ],
)
def test_an_amount_leaves_as_a_number_where_a_double_holds_it_exactly(minor, decimals, value):
    shown = plyr.amount_value(minor, decimals=decimals)
    assert (shown, type(shown)) == (value, type(value))
    exact = Decimal(shown) if isinstance(shown, str) else Decimal(json.dumps(shown))
    assert exact.scaleb(decimals) == minor


class Named(Forbidden):
    code = "OTP_USED"
    default_message = "2FA token already used"


class Several(Invalid):
    code = "PLAYER_NOT_JOINED"


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (plyr.missing_headers(), 401, {"error": "Missing authentication headers", "code": "MISSING_AUTHENTICATION"}),
        (plyr.invalid_key(), 401, {"error": "Invalid API key", "code": "INVALID_API_KEY"}),
        (plyr.invalid_signature(), 401, {"error": "Invalid signature", "code": "INVALID_SIGNATURE"}),
        (plyr.request_expired(), 401, {"error": "Request expired", "code": "REQUEST_EXPIRED"}),
        (plyr.bad_input(), 400, {"error": "Input params was incorrect.", "code": "INVALID_INPUT"}),
        (
            plyr.Refused(401, "Invalid sessionJwts", code="INVALID_SESSION", invalidPlyrIds={"a": "why"}),
            401,
            {"error": "Invalid sessionJwts", "code": "INVALID_SESSION", "invalidPlyrIds": {"a": "why"}},
        ),
        (Named(), 401, {"error": "2FA token already used", "code": "OTP_USED"}),
        (
            Several("x", sentences=["Player is not joined: a", "Player is not joined: b"]),
            401,
            {"error": ["Player is not joined: a", "Player is not joined: b"], "code": "PLAYER_NOT_JOINED"},
        ),
        (NotFound("Room not found"), 404, {"error": "Room not found", "code": "NOT_FOUND"}),
        (Conflict("no"), 409, {"error": "no", "code": "CONFLICT"}),
        (Forbidden("no"), 403, {"error": "no", "code": "FORBIDDEN"}),
        (DomainError("no"), 400, {"error": "no", "code": "ERROR"}),
        (Unavailable(), 503, {"error": Unavailable.default_message, "code": "UNAVAILABLE"}),
        (MethodNotAllowed("PUT"), 405, {"error": 'Method "PUT" not allowed.', "code": "METHOD_NOT_ALLOWED"}),
        (ValueError("secret detail"), 500, {"error": "Internal server error", "code": "INTERNAL"}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_refusal_has_its_status_and_the_one_shape(error, status, body):
    assert answer(error) == (status, body)
