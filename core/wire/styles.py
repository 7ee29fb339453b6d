"""The exception ladder of the API: every exception becomes a fault, and the contract's style answers it.

A style is a table: the status and sentence of each kind of fault and of each refusal, and how a fault is written.
"""

import enum
import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from core.errors import DomainError
from core.json_text import BodyTooLarge
from core.observability import metrics
from core.observability.failures import describe
from core.wire.fields import first_message

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 1
JSON = "application/json"
TEXT = "text/plain"


class Kind(enum.Enum):
    """What went wrong, whatever the contract calls it."""

    REFUSED = "a rule of the domain said no"
    UNAUTHENTICATED = "no usable credentials"
    THROTTLED = "too many requests"
    INVALID = "a field is wrong"
    UNPARSEABLE = "the body is not what its content type says"
    PAYLOAD_TOO_LARGE = "the parser's limit"
    MEDIA_TYPE = "a content type that the route does not take"
    NOT_FOUND = "no such route or object"
    OTHER = "any other exception of the framework"
    TOO_LARGE = "the server's limit of a body"
    UNREADABLE = "the request broke off, or is no request"
    UNAVAILABLE = "the database is away"
    FAILED = "nobody foresaw it"


@dataclass(frozen=True, kw_only=True)
class Line:
    """How a contract answers one kind of fault. What is left out is taken from the exception."""

    status: int | None = None
    code: str | None = None
    sentence: str | None = None


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is answered: ``code`` is a stable word, ``extra`` are members that stand beside the error."""

    kind: Kind
    status: int
    code: str
    message: str
    retry_after_seconds: int | None = None
    # What a refusal knows of itself.
    details: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    # ``{field, message}`` of each thing that is wrong; ``body`` is the whole.
    errors: tuple[Mapping[str, str], ...] = ()


class StatedFault(Exception):
    """A fault that an edge states in the contract's own words; ``extra`` members stand beside the error."""

    def __init__(self, status: int, message: str, *, code: str, **extra: Any) -> None:
        self.status, self.message, self.code, self.extra = status, message, code, extra
        super().__init__(message)


# What every contract says unless its own table says otherwise.
_LINES: dict[Kind, Line] = {
    Kind.UNAUTHENTICATED: Line(status=401),
    Kind.THROTTLED: Line(status=429, code="TOO_MANY_REQUESTS", sentence="Too many requests, please try again later"),
    Kind.NOT_FOUND: Line(status=404, code="NOT_FOUND"),
    Kind.TOO_LARGE: Line(status=413, code="BODY_TOO_LARGE", sentence="The body is too large"),
    Kind.UNREADABLE: Line(status=400, code="INVALID_INPUT", sentence="The request could not be read"),
    Kind.UNAVAILABLE: Line(
        status=503, code="UNAVAILABLE", sentence="The service is temporarily unavailable, please try again"
    ),
    Kind.FAILED: Line(status=500, code="INTERNAL", sentence="Internal server error"),
}


@dataclass(frozen=True, kw_only=True)
class Style:
    """How one public contract answers.

    ``refusals`` has a line for a refusal's code or for its nearest family's; ``faults`` overrides the common table;
    ``body`` writes the body, a text where ``media_type`` is; ``error`` is its shape in the OpenAPI document.
    """

    body: Callable[[Fault], Any]
    media_type: str = JSON
    refusals: Mapping[str, Line]
    faults: Mapping[Kind, Line] = field(default_factory=dict)
    error: type[serializers.Serializer[Any]] | None = None
    # Sent as WWW-Authenticate where credentials lack.
    challenge: str | None = None

    def answer(self, exception: Exception, context: Mapping[str, Any]) -> HttpResponseBase:
        """DRF's exception handler: every exception becomes an answer, an unforeseen one is logged.

        Without a view in ``context`` nothing is counted or logged: the answer is an example for the document.
        """
        kind = _kind_of(exception)
        if "view" in context:
            _note(kind, exception, context)
        fault = self.fault(exception)
        response = self._response(fault)
        if fault.retry_after_seconds is not None:
            response["Retry-After"] = str(fault.retry_after_seconds)
        if kind is Kind.UNAUTHENTICATED and self.challenge is not None:
            response["WWW-Authenticate"] = self.challenge
        return response

    def _response(self, fault: Fault) -> HttpResponseBase:
        if self.media_type == TEXT:
            return HttpResponse(self.body(fault), status=fault.status, content_type=f"{TEXT}; charset=utf-8")
        return Response(self.body(fault), status=fault.status)

    def fault(self, exception: Exception) -> Fault:
        """What this contract says of the exception."""
        kind = _kind_of(exception)
        if isinstance(exception, StatedFault):
            return Fault(
                kind=kind,
                status=exception.status,
                code=exception.code,
                message=exception.message,
                extra=exception.extra,
            )
        if isinstance(exception, DomainError):
            return self._refusal(exception)
        line = _LINES.get(kind, Line())
        own = self.faults.get(kind, Line())
        status: int = own.status or line.status or int(getattr(exception, "status_code", 500))
        message = own.sentence or line.sentence or first_message(getattr(exception, "detail", "Not found"))
        return Fault(
            kind=kind,
            status=status,
            code=own.code or line.code or str(getattr(exception, "default_code", "error")).upper(),
            message=message,
            retry_after_seconds=_retry_after_seconds(kind, exception),
            errors=tuple(_field_errors(getattr(exception, "detail", message))),
        )

    def _refusal(self, error: DomainError) -> Fault:
        families = (family.code for family in type(error).__mro__ if issubclass(family, DomainError))
        line = next(self.refusals[code] for code in families if code in self.refusals)
        assert line.status is not None
        return Fault(
            kind=Kind.REFUSED,
            status=line.status,
            code=line.code or error.code,
            message=line.sentence or error.message,
            retry_after_seconds=RETRY_AFTER_SECONDS if line.status == 503 else None,
            details=error.params,
            errors=({"field": error.params.get("field", "body"), "message": error.message},),
        )


def _kind_of(exception: Exception) -> Kind:
    match exception:
        case DomainError() | StatedFault():
            return Kind.REFUSED
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return Kind.UNAUTHENTICATED
        case exceptions.Throttled():
            return Kind.THROTTLED
        case exceptions.ValidationError():
            return Kind.INVALID
        case exceptions.ParseError():
            too_large = isinstance(exception.__cause__, BodyTooLarge)
            return Kind.PAYLOAD_TOO_LARGE if too_large else Kind.UNPARSEABLE
        case exceptions.UnsupportedMediaType():
            return Kind.MEDIA_TYPE
        case Http404() | exceptions.NotFound():
            return Kind.NOT_FOUND
        case exceptions.APIException():
            return Kind.OTHER
        case RequestDataTooBig():
            return Kind.TOO_LARGE
        case BadRequest() | SuspiciousOperation() | UnreadablePostError():
            return Kind.UNREADABLE
        case OperationalError() | InterfaceError():
            return Kind.UNAVAILABLE
        case _:
            return Kind.FAILED


def _note(kind: Kind, exception: Exception, context: Mapping[str, Any]) -> None:
    """Count and log what happened to a request; a broken connection to the database is not used again."""
    view, request = context["view"], context["request"]
    name = type(view).__name__
    if isinstance(exception, DomainError):
        metrics.REFUSALS.labels(name, exception.code).inc()
    if kind in (Kind.UNAVAILABLE, Kind.FAILED):
        metrics.FAILURES.labels(name).inc()
        logger.error("%s %s failed: %s", request.method, request.path, describe(exception))
    if kind is Kind.UNAVAILABLE:
        # A thread keeps its connection between requests: the next one must not meet this broken one.
        connection.close_if_unusable_or_obsolete()


def _retry_after_seconds(kind: Kind, exception: Exception) -> int | None:
    if kind is Kind.THROTTLED:
        return max(1, math.ceil(getattr(exception, "wait", None) or 1))
    return RETRY_AFTER_SECONDS if kind is Kind.UNAVAILABLE else None


def _field_errors(detail: Any, path: str = "") -> Iterable[dict[str, str]]:
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
