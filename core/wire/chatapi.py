"""The style of the chat routes: ChatAPI (contract chat). Envelope, errors, pages and frames.

Success is ``{"data"?, "pagination"?, "message"?, "status": "success"}``; an error is
``{"error": {"code", "message", "details"?}, "status": "error"}``.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from types import EllipsisType
from typing import Any

import orjson
from rest_framework import exceptions, serializers
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import DomainError
from core.wire.fields import iso_ms
from core.wire.outputs import Described
from core.wire.strict_json import StrictJSONParser
from core.wire.styles import Fault, Kind, Line, Style
from core.wire.throttles import rate_limit_headers
from core.wire.views import StyledViewSet

# Frame types of the socket that only the wire knows; the others are the domain's events.
CONNECTION_STATUS = "connection_status"
ONLINE_USERS = "online_users"
ACK = "ack"
ERROR = "error"
PONG = "pong"

SKIP_MAX = 1_000_000
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


# --- Answers -----------------------------------------------------------------------------------------------------


def ok(
    data: Any = ...,
    *,
    message: str | None = None,
    pagination: Mapping[str, int | bool] | EllipsisType = ...,
    status: int = 200,
) -> Response:
    """A success; each part appears only when given."""
    body: dict[str, Any] = {}
    if data is not ...:
        body["data"] = data
    if pagination is not ...:
        body["pagination"] = pagination
    if message is not None:
        body["message"] = message
    return Response({**body, "status": "success"}, status=status)


class SkipPagination(BasePagination):
    """``skip`` and ``limit`` of the query."""

    limit_max = 100
    limit_default = 50

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        """The rows of the asked page and one more, still a queryset. Raises ``ValidationError``."""
        self.skip = _number(request, "skip", minimum=0, maximum=SKIP_MAX, default=0)
        self.limit = _number(request, "limit", minimum=1, maximum=self.limit_max, default=self.limit_default)
        return queryset[self.skip : self.skip + self.limit + 1]

    def answer(self, data: Sequence[Any], *, total: int) -> Response:
        """The page of ``data``, which may have the one row more that tells that others follow."""
        page = {"skip": self.skip, "limit": self.limit, "total": total, "has_more": len(data) > self.limit}
        return ok(data[: self.limit], pagination=page)


def _number(request: Request, name: str, *, minimum: int, maximum: int, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text) or not minimum <= int(text) <= maximum:
        raise exceptions.ValidationError({name: [f"A number from {minimum} to {maximum} is required."]})
    return int(text)


def error_body(code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The body of an error; also the shape that the socket's ``error`` frame is made of."""
    error: dict[str, Any] = {"code": code, "message": message}
    if details:
        error["details"] = {name: _plain(value) for name, value in details.items()}
    return {"error": error, "status": "error"}


def _body(fault: Fault) -> dict[str, Any]:
    """Every 422 is a validation error with an entry for each thing that is wrong."""
    if fault.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        message = fault.errors[0]["message"] if fault.errors else "Invalid parameters"
        return error_body("VALIDATION_ERROR", message, {"errors": [*fault.errors]})
    details = fault.details
    if fault.kind is Kind.THROTTLED:
        details = {"retry_after": fault.retry_after_seconds}
    return error_body(fault.code, fault.message, details)


_UNREADABLE = Line(status=422, sentence="The request could not be read, or is too large")


class _Error(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    details = Described({"type": "object", "additionalProperties": {}}, required=False)


class ChatErrorOutput(serializers.Serializer[Any]):
    """A refusal or a failure in the ChatAPI style; a 422 has ``details.errors``, a ``{field, message}`` each."""

    error = _Error()
    status = Described({"type": "string", "enum": ["error"]})


STYLE = Style(
    body=_body,
    error=ChatErrorOutput,
    challenge="Bearer",
    refusals={
        "CONTENT_TOO_LONG": Line(status=413),
        "INVALID": Line(status=422),
        "FORBIDDEN": Line(status=403),
        "NOT_FOUND": Line(status=404),
        "CONFLICT": Line(status=409),
        "UNAVAILABLE": Line(status=503),
        "ERROR": Line(status=400),
    },
    faults={
        Kind.UNAUTHENTICATED: Line(status=401, code="INVALID_CREDENTIALS", sentence="Invalid or missing API key"),
        Kind.THROTTLED: Line(code="RATE_LIMIT_EXCEEDED", sentence="Too many requests"),
        Kind.INVALID: Line(status=422),
        Kind.UNPARSEABLE: Line(status=422),
        Kind.PAYLOAD_TOO_LARGE: Line(status=413, code="PAYLOAD_TOO_LARGE"),
        Kind.TOO_LARGE: _UNREADABLE,
        Kind.UNREADABLE: _UNREADABLE,
        Kind.NOT_FOUND: Line(sentence="Not found"),
        Kind.UNAVAILABLE: Line(code="SERVICE_UNAVAILABLE", sentence="Please try again"),
        Kind.FAILED: Line(code="INTERNAL_ERROR"),
    },
)


# --- Frames ---------------------------------------------------------------------------------------------------------


def wire_time(moment: datetime | str | None) -> str | None:
    """A time of a row or of an event as the contract writes it."""
    if moment is None:
        return None
    return iso_ms(datetime.fromisoformat(moment) if isinstance(moment, str) else moment)


def frame(type: str, data: Any, *, at: datetime | str, room_id: uuid.UUID | str) -> str:
    """A frame of the socket as it goes out."""
    return orjson.dumps({"type": type, "data": data, "timestamp": wire_time(at), "room_id": room_id}).decode()


def error_of(exception: Exception) -> dict[str, Any]:
    """``code``, ``message`` and ``details`` of a refusal on a socket; anything unforeseen is "try again"."""
    if isinstance(exception, DomainError | exceptions.ValidationError):
        body = _body(STYLE.fault(exception))
    else:
        body = error_body("SERVICE_UNAVAILABLE", "Please try again")
    error: dict[str, Any] = body["error"]
    return error


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso_ms(value)
    return str(value) if isinstance(value, uuid.UUID) else value


# --- Views -------------------------------------------------------------------------------------------------------


class MessageParser(StrictJSONParser):
    """A message of 10,000 characters may arrive with every one of them escaped (``\\ud83c\\udfb2``), and so may its
    meta."""

    bytes_max = 256 * 1024


class ChatAPIViewSet(StyledViewSet):
    """Base of the resources of this style; who may call is the app's to say."""

    style = STYLE
    pagination_class = SkipPagination

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        for name, value in rate_limit_headers(request).items():
            final[name] = value
        return final
