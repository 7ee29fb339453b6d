"""The style of the pots API: PLYR (contract payments).

An answer is a flat object. An error is ``{"error": sentence or array of sentences, "code"}``, where ``code`` is ours: a
stable upper-case word. Statuses that look odd (a 401 for a missing token symbol) are what this API's clients expect;
each stands in ``REFUSALS`` or in a constant below with the contract's line it comes from.
"""

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from core.amounts import format_amount
from core.json_text import MalformedJSON, loads_strict
from core.wire.outputs import Described
from core.wire.styles import Fault, Kind, Line, StatedFault, Style
from core.wire.throttles import throttle_for
from core.wire.views import StyledViewSet

# "|now − timestamp| > 5 min → 401" (contract, "Signing").
SIGNATURE_WINDOW_MS = 5 * 60 * 1000
# "a GET or an empty body signs timestamp + {}" (contract, "Signing").
EMPTY_BODY = b"{}"
# Longest decimal text of an amount that is still worth reading; beyond it no token has an amount.
_AMOUNT_EXPONENT_MAX = 30
_INTEGER_EXACT_MAX = 2**53


class Refused(StatedFault):
    """A request refused at the edge, in the contract's own words; ``extra`` members stand beside ``error``."""


def missing_headers() -> Refused:
    return Refused(401, "Missing authentication headers", code="MISSING_AUTHENTICATION")


def invalid_key() -> Refused:
    return Refused(401, "Invalid API key", code="INVALID_API_KEY")


def invalid_signature() -> Refused:
    return Refused(401, "Invalid signature", code="INVALID_SIGNATURE")


def request_expired() -> Refused:
    return Refused(401, "Request expired", code="REQUEST_EXPIRED")


def signature_used() -> Refused:
    """The signature came with another route or body, or with a GET, before."""
    return Refused(401, "Signature already used", code="SIGNATURE_USED")


def bad_input(detail: str = "") -> Refused:
    """ "400 `Input params was incorrect.`" (contract, "Rooms"); ``detail`` says which, for people."""
    extra = {"detail": detail} if detail else {}
    return Refused(400, "Input params was incorrect.", code="INVALID_INPUT", **extra)


# --- Signing -----------------------------------------------------------------------------------------------------


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Lower-case hex HMAC-SHA256 of the timestamp and the body (contract, "Signing")."""
    return hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).hexdigest()


def is_signed(*, secret: str, given: str, timestamp: str, body: bytes) -> bool:
    """Whether ``given`` signs the exact bytes or, failing that, their compact re-serialised JSON, in constant time."""
    if hmac.compare_digest(given.encode(), signature(secret, timestamp, body or EMPTY_BODY).encode()):
        return True
    try:
        compact = compact_json(loads_strict(body)).encode()
    except MalformedJSON:
        return False
    return hmac.compare_digest(given.encode(), signature(secret, timestamp, compact).encode())


def compact_json(value: Any) -> str:
    """The text that a JavaScript client's serialiser makes of the parsed ``value``: no spaces, shortest numbers."""
    if isinstance(value, dict):
        members = (f"{json.dumps(key, ensure_ascii=False)}:{compact_json(item)}" for key, item in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact_json, value)) + "]"
    if isinstance(value, Decimal):
        return _number(float(value))
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """A double as ECMAScript prints it: plain from 1e-6 up to 1e21, else with a short exponent."""
    if value == 0:
        return "0"
    if 1e-6 <= abs(value) < 1e21:
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


# --- Values ------------------------------------------------------------------------------------------------------


def amount_text(value: Any) -> str | None:
    """The decimal text of an amount given as a JSON number or string; ``None`` for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal) and abs(value.adjusted()) <= _AMOUNT_EXPONENT_MAX:
        # 1e-7 is how a JavaScript client writes 0.0000001.
        return format(value, "f")
    return None


def amount_value(minor: int, *, decimals: int) -> int | float | str:
    """An amount as a JSON number, as the documents show it; as text where a double could not hold it exactly."""
    text = format_amount(minor, decimals=decimals)
    if "." not in text:
        return int(text) if abs(int(text)) <= _INTEGER_EXACT_MAX else text
    number = float(text)
    return number if Decimal(repr(number)) == Decimal(text) and len(text) <= 16 else text


# --- Answers -----------------------------------------------------------------------------------------------------


def error_body(error: str | list[str], code: str) -> dict[str, Any]:
    return {"error": error, "code": code}


def _body(fault: Fault) -> dict[str, Any]:
    return {**error_body(fault.details.get("sentences", fault.message), fault.code), **fault.extra}


class PlyrErrorOutput(serializers.Serializer[Any]):
    """A refusal or a failure in the PLYR style; some refusals have members of their own beside these."""

    error = Described({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
    code = serializers.CharField()
    detail = serializers.CharField(required=False)
    invalidPlyrIds = Described({"type": "object", "additionalProperties": {"type": "string"}}, required=False)


STYLE = Style(
    body=_body,
    error=PlyrErrorOutput,
    refusals={
        "ERROR": Line(status=400),
        "INVALID": Line(status=400),
        "FORBIDDEN": Line(status=403),
        "NOT_FOUND": Line(status=404),
        "CONFLICT": Line(status=409),
        "UNAVAILABLE": Line(status=503, code="UNAVAILABLE"),
        # What `signature_used` says, from the stored answer.
        "IDEMPOTENCY_KEY_REUSED": Line(status=401, code="SIGNATURE_USED", sentence="Signature already used"),
        # "OTP errors: 401 `2FA token already used`, 404 `User not found`, 403 `User is temporary locked`, 401 `Invalid
        # 2fa token`" (contract, "Players").
        "OTP_USED": Line(status=401),
        "USER_NOT_FOUND": Line(status=404),
        "OTP_LOCKED": Line(status=403),
        "OTP_INVALID": Line(status=401),
        # "bad JWT 401" (contract, "Rooms", validation).
        "INVALID_SESSION": Line(status=401),
        "GUEST_CANNOT_LOG_OUT": Line(status=401),
        # "allowance 401 {error:["Insufficient allowance: id", …]}; not joined 401 {error:["Player is not joined: …"]}".
        "INSUFFICIENT_ALLOWANCE": Line(status=401),
        "PLAYER_NOT_JOINED": Line(status=401),
    },
    faults={Kind.NOT_FOUND: Line(sentence="Not found")},
)


class PlyrViewSet(StyledViewSet):
    """Base of the resources of this style, open to all callers; ``payments.api.base`` has the one for signed requests.

    A game's server speaks for many players, so it has limits of its own; what moves money fails closed.
    """

    style = STYLE
    read_throttle = throttle_for("servers")
    write_throttle = throttle_for("servers", fail_open=False)
