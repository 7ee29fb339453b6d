"""The style of the pots API: PLYR (contract payments).

An answer is a flat object. An error is ``{"error": sentence or array of sentences, "code"}``, where ``code`` is ours: a
stable upper-case word. Statuses that look odd (a 401 for a missing token symbol) are what this API's clients expect;
each stands in ``REFUSALS`` or in a constant below with the contract's line it comes from.
"""

import hashlib
import hmac
import json
import logging
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from core.amounts import format_amount
from core.db import clock
from core.errors import DomainError
from core.json_text import MalformedJSON, loads_strict
from core.observability.failures import describe
from core.wire.counting import count_failure, count_refusal
from core.wire.fields import first_message
from core.wire.rendering import OnlyRendererNegotiation, OrjsonRenderer
from core.wire.strict_json import StrictJSONParser
from core.wire.throttles import throttle_for

logger = logging.getLogger(__name__)

# "|now − timestamp| > 5 min → 401" (contract, "Signing").
SIGNATURE_WINDOW_MS = 5 * 60 * 1000
# "a GET or an empty body signs timestamp + {}" (contract, "Signing").
EMPTY_BODY = b"{}"
RETRY_AFTER_SECONDS = 1
# Longest decimal text of an amount that is still worth reading; beyond it no token has an amount.
_AMOUNT_EXPONENT_MAX = 30
_INTEGER_EXACT_MAX = 2**53

# The status of each refusal, by its code or else by the nearest family's.
REFUSALS: dict[str, int] = {
    "ERROR": 400,
    "INVALID": 400,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "UNAVAILABLE": 503,
    # "OTP errors: 401 `2FA token already used`, 404 `User not found`, 403 `User is temporary locked`, 401 `Invalid 2fa
    # token`" (contract, "Players").
    "OTP_USED": 401,
    "USER_NOT_FOUND": 404,
    "OTP_LOCKED": 403,
    "OTP_INVALID": 401,
    # "bad JWT 401" (contract, "Rooms", validation).
    "INVALID_SESSION": 401,
    "GUEST_CANNOT_LOG_OUT": 401,
    # "allowance 401 {error:["Insufficient allowance: id", …]}; not joined 401 {error:["Player is not joined: id"]}".
    "INSUFFICIENT_ALLOWANCE": 401,
    "PLAYER_NOT_JOINED": 401,
}


class Refused(Exception):
    """A request refused at the edge, in the contract's own words; ``extra`` members stand beside ``error``."""

    def __init__(self, status: int, error: str | list[str], *, code: str, **extra: Any) -> None:
        self.status, self.error, self.code, self.extra = status, error, code, extra
        super().__init__(str(error))


def missing_headers() -> Refused:
    return Refused(401, "Missing authentication headers", code="MISSING_AUTHENTICATION")


def invalid_key() -> Refused:
    return Refused(401, "Invalid API key", code="INVALID_API_KEY")


def invalid_signature() -> Refused:
    return Refused(401, "Invalid signature", code="INVALID_SIGNATURE")


def request_expired() -> Refused:
    return Refused(401, "Request expired", code="REQUEST_EXPIRED")


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


def handle_exception(exception: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler for this style: every exception becomes an answer, an unforeseen one a logged 500."""
    if isinstance(exception, Refused):
        return Response({**error_body(exception.error, exception.code), **exception.extra}, status=exception.status)
    if isinstance(exception, DomainError):
        count_refusal(exception, context)
        return _refusal(exception)
    if isinstance(exception, exceptions.APIException):
        return _api_exception(exception)
    if isinstance(exception, Http404):
        return _error(404, "Not found", "NOT_FOUND")
    if isinstance(exception, RequestDataTooBig):
        return _error(413, "The body is too large", "BODY_TOO_LARGE")
    if isinstance(exception, SuspiciousOperation | UnreadablePostError):
        return _error(400, "The request could not be read", "INVALID_INPUT")
    request: Request = context["request"]
    count_failure(context)
    logger.error("%s %s failed: %s", request.method, request.path, describe(exception))
    if isinstance(exception, OperationalError | InterfaceError):
        # A thread keeps its connection between requests: the next one must not meet this broken one.
        connection.close_if_unusable_or_obsolete()
        return _unavailable("The service is temporarily unavailable, please try again")
    return _error(500, "Internal server error", "INTERNAL")


def _refusal(error: DomainError) -> Response:
    families = (family.code for family in type(error).__mro__ if issubclass(family, DomainError))
    status = next(REFUSALS[code] for code in families if code in REFUSALS)
    if status == REFUSALS["UNAVAILABLE"]:
        return _unavailable(error.message)
    return _error(status, error.details.get("sentences", error.message), error.code)


def _api_exception(exception: exceptions.APIException) -> Response:
    if isinstance(exception, exceptions.Throttled):
        response = _error(429, "Too many requests, please try again later", "TOO_MANY_REQUESTS")
        response["Retry-After"] = str(max(1, math.ceil(getattr(exception, "wait", None) or 1)))
        return response
    return _error(exception.status_code, first_message(exception.detail), str(exception.default_code).upper())


def _unavailable(message: str) -> Response:
    response = _error(503, message, "UNAVAILABLE")
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _error(status: int, error: str | list[str], code: str) -> Response:
    return Response(error_body(error, code), status=status)


_ReadsThrottle = throttle_for("servers")
_WritesThrottle = throttle_for("servers", fail_open=False)


class PlyrView(APIView):
    """Base of the views of this style, open to everybody; ``payments.api.base`` has the one for signed requests.

    A game's server speaks for many players, so it has limits of its own; what moves money fails closed.
    """

    authentication_classes = []
    permission_classes = [AllowAny]
    parser_classes = [StrictJSONParser]
    renderer_classes = [OrjsonRenderer]
    content_negotiation_class = OnlyRendererNegotiation

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # The one time of the whole request.
        self.now = clock.now()
        super().initial(request, *args, **kwargs)

    def get_throttles(self) -> list[BaseThrottle]:
        return [_ReadsThrottle() if self.request.method in SAFE_METHODS else _WritesThrottle()]

    def get_exception_handler(self) -> Any:
        return handle_exception
