"""The style of the chat routes: ChatAPI (contract chat). Envelope, errors, shapes of rooms, messages and frames.

Success is ``{"data"?, "pagination"?, "message"?, "status": "success"}``; an error is
``{"error": {"code", "message", "details"?}, "status": "error"}``.
"""

import logging
import math
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import EllipsisType
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.db import clock
from core.errors import DomainError
from core.json_text import BodyTooLarge
from core.observability.failures import describe
from core.wire.counting import count_failure, count_refusal
from core.wire.fields import iso_ms
from core.wire.rendering import OnlyRendererNegotiation, OrjsonRenderer
from core.wire.strict_json import StrictJSONParser
from core.wire.throttles import rate_limit_headers

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 1
# The status of a refusal by its code, or else by the nearest family's.
STATUSES = {
    "CONTENT_TOO_LONG": 413,
    "INVALID": 422,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "UNAVAILABLE": 503,
    "ERROR": 400,
}
API_CODES: dict[int, str] = {
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    415: "UNSUPPORTED_MEDIA_TYPE",
}

# Frame types of the socket that only the wire knows; the others are the domain's events.
CONNECTION_STATUS = "connection_status"
ONLINE_USERS = "online_users"
ACK = "ack"
ERROR = "error"
PONG = "pong"


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


def pagination(*, skip: int, limit: int, total: int, has_more: bool) -> dict[str, int | bool]:
    """The ``pagination`` object of a list."""
    return {"skip": skip, "limit": limit, "total": total, "has_more": has_more}


def error_body(code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The body of an error; also the shape that the socket's ``error`` frame is made of."""
    error: dict[str, Any] = {"code": code, "message": message}
    if details:
        error["details"] = {name: _plain(value) for name, value in details.items()}
    return {"error": error, "status": "error"}


def describe_refusal(error: DomainError) -> tuple[int, dict[str, Any]]:
    """Status and body of a refusal. One that names a field is a validation error with that one entry."""
    families = [family.code for family in type(error).__mro__ if issubclass(family, DomainError)]
    status = next(STATUSES[code] for code in families if code in STATUSES)
    if status == STATUSES["INVALID"]:
        errors = [{"field": error.details.get("field", "body"), "message": error.message}]
        return status, error_body("VALIDATION_ERROR", error.message, {"errors": errors})
    return status, error_body(families[0], error.message, error.details)


def handle_exception(exception: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler for this style: every exception becomes an answer, an unforeseen one a logged 500."""
    if isinstance(exception, DomainError):
        count_refusal(exception, context)
        return _refusal(exception)
    if isinstance(exception, exceptions.APIException):
        return _api_exception(exception)
    if isinstance(exception, Http404):
        return Response(error_body("NOT_FOUND", "Not found"), status=404)
    if isinstance(exception, RequestDataTooBig | SuspiciousOperation | UnreadablePostError):
        return _invalid([{"field": "body", "message": "The request could not be read, or is too large"}])
    request: Request = context["request"]
    count_failure(context)
    logger.error("%s %s failed: %s", request.method, request.path, describe(exception))
    if isinstance(exception, OperationalError | InterfaceError):
        # A thread keeps its connection between requests: the next one must not meet this broken one.
        connection.close_if_unusable_or_obsolete()
        return _retryable(Response(error_body("SERVICE_UNAVAILABLE", "Please try again"), status=503))
    return Response(error_body("INTERNAL_ERROR", "Internal server error"), status=500)


def _refusal(error: DomainError) -> Response:
    status, body = describe_refusal(error)
    response = Response(body, status=status)
    return _retryable(response) if status == STATUSES["UNAVAILABLE"] else response


def _retryable(response: Response) -> Response:
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _api_exception(exception: exceptions.APIException) -> Response:
    if isinstance(exception, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        response = Response(error_body("INVALID_CREDENTIALS", "Invalid or missing API key"), status=401)
        response["WWW-Authenticate"] = "Bearer"
        return response
    if isinstance(exception, exceptions.Throttled):
        seconds = max(1, math.ceil(getattr(exception, "wait", None) or 1))
        body = error_body("RATE_LIMIT_EXCEEDED", "Too many requests", {"retry_after": seconds})
        response = Response(body, status=429)
        response["Retry-After"] = str(seconds)
        return response
    if isinstance(exception, exceptions.ValidationError):
        return _invalid(list(_field_errors(exception.detail, "")))
    if isinstance(exception, exceptions.ParseError):
        if isinstance(exception.__cause__, BodyTooLarge):
            return Response(error_body("PAYLOAD_TOO_LARGE", str(exception.detail)), status=413)
        return _invalid([{"field": "body", "message": str(exception.detail)}])
    code = API_CODES.get(exception.status_code, "ERROR")
    return Response(error_body(code, str(exception.detail)), status=exception.status_code)


def _invalid(errors: list[dict[str, str]]) -> Response:
    return Response(_invalid_body(errors), status=422)


def _invalid_body(errors: list[dict[str, str]]) -> dict[str, Any]:
    message = errors[0]["message"] if errors else "Invalid parameters"
    return error_body("VALIDATION_ERROR", message, {"errors": errors})


def _field_errors(detail: Any, path: str) -> Iterable[dict[str, str]]:
    """DRF's nested details as ``{field, message}`` each; ``body`` for what is about the whole."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else str(name)
            yield from _field_errors(inner, ".".join(filter(None, [path, step])))
    elif isinstance(detail, list | tuple):
        for inner in detail:
            yield from _field_errors(inner, path)
    else:
        yield {"field": path or "body", "message": str(detail)}


# --- Shapes ------------------------------------------------------------------------------------------------------


def room(row: Mapping[str, Any]) -> dict[str, Any]:
    """A room. ``client_id`` is ``null`` for the conversation of a game room."""
    return {
        "id": str(row["id"]),
        "name": row["name"],
        "description": row["description"],
        "client_id": _plain(row["client__public_id"]),
        "is_active": row["is_active"],
        "meta": row["meta"],
        "created_at": iso_ms(row["created_at"]),
        "updated_at": iso_ms(row["updated_at"]),
        "participant_count": row["participant_count"],
        "message_count": row["message_count"],
    }


def participant(row: Mapping[str, Any]) -> dict[str, Any]:
    """A participant."""
    return {
        "user_id": row["user_id"],
        "user_name": row["user_name"],
        "joined_at": iso_ms(row["joined_at"]),
        "meta": row["meta"],
    }


def message(row: Mapping[str, Any]) -> dict[str, Any]:
    """A message, from a row of the database or from an event, whose times are texts."""
    return {
        "id": str(row["id"]),
        "room_id": str(row["conversation_id"]),
        "client_id": _plain(row["client_public_id"]),
        "sender_id": row["sender_id"],
        "sender_name": row["sender_name"],
        "content": row["content"],
        "message_type": row["message_type"],
        "meta": row["meta"],
        "created_at": wire_time(row["created_at"]),
        "updated_at": wire_time(row["updated_at"]),
        "edited_at": wire_time(row["edited_at"]),
        "is_deleted": row["is_deleted"],
        "seq": row["seq"],
    }


def sanction(row: Mapping[str, Any]) -> dict[str, Any]:
    """A mute or ban in force."""
    return {
        "user_id": row["user_id"],
        "kind": row["kind"],
        "reason": row["reason"],
        "created_at": iso_ms(row["created_at"]),
        "expires_at": wire_time(row["expires_at"]),
    }


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
    if isinstance(exception, DomainError):
        _, body = describe_refusal(exception)
    elif isinstance(exception, exceptions.ValidationError):
        body = _invalid_body(list(_field_errors(exception.detail, "")))
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


class ChatAPIView(APIView):
    """Base of the views of this style; who may call is the app's to say."""

    authentication_classes = []
    permission_classes = [AllowAny]
    parser_classes = [StrictJSONParser]
    renderer_classes = [OrjsonRenderer]
    content_negotiation_class = OnlyRendererNegotiation

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # The one time of the whole request.
        self.now = clock.now()
        super().initial(request, *args, **kwargs)

    def get_exception_handler(self) -> Any:
        return handle_exception

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        for name, value in rate_limit_headers(request).items():
            final[name] = value
        return final
