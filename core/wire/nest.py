"""The style of ``/api/v1``'s game and account routes: NestJS (contract rooms).

Success is ``{"message", "data"?, "pagination"?}``; an error is ``{"statusCode", "message", "error"}`` where
``error`` is the reason phrase of the status.
"""

import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import EllipsisType
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError
from django.views import defaults
from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from core.db import clock
from core.errors import DomainError
from core.observability.failures import describe
from core.wire.counting import count_failure, count_refusal
from core.wire.fields import first_message
from core.wire.rendering import OnlyRendererNegotiation, OrjsonRenderer
from core.wire.strict_json import StrictJSONParser
from core.wire.throttles import throttle_for

logger = logging.getLogger(__name__)

# The status of each refusal, by its code or else by the nearest family's, and the contract's own sentence where it
# has one.
REFUSALS: dict[str, tuple[int, str | None]] = {
    "ERROR": (400, None),
    "INVALID": (400, None),
    "FORBIDDEN": (403, None),
    "NOT_FOUND": (404, None),
    "CONFLICT": (409, None),
    "UNAVAILABLE": (503, None),
    "INVALID_CREDENTIALS": (401, None),
    "INVALID_TOKEN": (401, "Unauthorized"),
    "GAME_NOT_FOUND": (404, "Game list not found"),
    "IDEMPOTENCY_KEY_REUSED": (422, None),
    # The operator's mistake, which the documents show as a 500 (contract: rooms, "room name").
    "DEFAULT_SYMBOL_MISSING": (500, None),
}

RETRY_AFTER_SECONDS = 1
PAGE_MAX = 1_000_000
LIMIT_MAX = 100
LIMIT_DEFAULT = 10
_PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted; ``number`` counts from 1."""

    number: int
    limit: int

    @property
    def slice(self) -> slice:
        """The rows of this page in the whole list."""
        start = (self.number - 1) * self.limit
        return slice(start, start + self.limit)

    def pagination(self, total: int) -> dict[str, int | bool]:
        """The ``pagination`` object for a list of ``total`` rows."""
        total_pages = -(-total // self.limit)
        return {
            "page": self.number,
            "limit": self.limit,
            "total": total,
            "totalPages": total_pages,
            "hasNext": self.number < total_pages,
            "hasPrev": self.number > 1,
        }


def parse_page(query: Mapping[str, str]) -> Page:
    """``page`` (default 1) and ``limit`` (default 10, at most 100) of a query. Raises ``ValidationError``."""
    return Page(
        number=_query_number(query, "page", default=1, maximum=PAGE_MAX),
        limit=_query_number(query, "limit", default=LIMIT_DEFAULT, maximum=LIMIT_MAX),
    )


def _query_number(query: Mapping[str, str], name: str, *, default: int, maximum: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not _PAGE_NUMBER.fullmatch(text) or int(text) > maximum:
        raise exceptions.ValidationError({name: [f"A number from 1 to {maximum} is required."]})
    return int(text)


def ok(
    message: str,
    *,
    data: Any = ...,
    pagination: Mapping[str, int | bool] | EllipsisType = ...,
    status: int = 200,
) -> Response:
    """A success; ``data`` and ``pagination`` appear only when given."""
    body: dict[str, Any] = {"message": message}
    if data is not ...:
        body["data"] = data
    if pagination is not ...:
        body["pagination"] = pagination
    return Response(body, status=status)


def error_body(status: int, message: str) -> dict[str, Any]:
    return {"statusCode": status, "message": message, "error": HTTPStatus(status).phrase}


def handle_exception(exception: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler for this style: every exception becomes an answer, an unforeseen one a logged 500."""
    if isinstance(exception, DomainError):
        count_refusal(exception, context)
        return _refusal(exception)
    if isinstance(exception, exceptions.APIException):
        return _api_exception(exception)
    if isinstance(exception, Http404):
        return _error(404, "Not found")
    if isinstance(exception, RequestDataTooBig):
        return _error(413, "The body is too large")
    if isinstance(exception, SuspiciousOperation | UnreadablePostError):
        return _error(400, "The request could not be read")
    request: Request = context["request"]
    count_failure(context)
    logger.error("%s %s failed: %s", request.method, request.path, describe(exception))
    if isinstance(exception, OperationalError | InterfaceError):
        # Django drops the broken connection when the request is over, before the thread's next one.
        return _unavailable()
    return _error(500, "Internal server error")


def _refusal(error: DomainError) -> Response:
    families = (family.code for family in type(error).__mro__ if issubclass(family, DomainError))
    status, sentence = next(REFUSALS[code] for code in families if code in REFUSALS)
    response = _error(status, sentence or error.message)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _api_exception(exception: exceptions.APIException) -> Response:
    if isinstance(exception, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        response = _error(401, "Unauthorized")
        response["WWW-Authenticate"] = "Bearer"
        return response
    if isinstance(exception, exceptions.Throttled):
        response = _error(429, "Too many requests, please try again later")
        response["Retry-After"] = str(max(1, math.ceil(getattr(exception, "wait", None) or 1)))
        return response
    return _error(exception.status_code, first_message(exception.detail))


def _unavailable() -> Response:
    response = _error(503, "The service is temporarily unavailable, please try again")
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _error(status: int, message: str) -> Response:
    return Response(error_body(status, message), status=status)


_ReadsThrottle = throttle_for("reads")
_WritesThrottle = throttle_for("writes")


class NestView(APIView):
    """Base of the views of this style, open to everybody; ``accounts.api.base`` has the one that asks who it is.

    A view that names no ``throttle_classes`` counts as reads or writes, by its method; one that moves money names
    its own ``write_throttle``, which fails closed.
    """

    write_throttle: type[BaseThrottle] = _WritesThrottle

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
        if self.throttle_classes:
            return super().get_throttles()
        return [_ReadsThrottle() if self.request.method in SAFE_METHODS else self.write_throttle()]

    def get_exception_handler(self) -> Any:
        return handle_exception


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's ``handler404``: an API route answers in this style, a page with Django's own."""
    if request.path.startswith("/api/"):
        return _plain_error(404, "Not found")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's ``handler500``, for what fails outside a view's own handler."""
    if request.path.startswith("/api/"):
        return _plain_error(500, "Internal server error")
    return defaults.server_error(request)


def _plain_error(status: int, message: str) -> HttpResponse:
    content = OrjsonRenderer().render(error_body(status, message))
    return HttpResponse(content, status=status, content_type=OrjsonRenderer.media_type)
