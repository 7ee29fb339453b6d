"""The style of ``/api/v1``'s game and account routes: NestJS (contract rooms).

Success is ``{"message", "data"?, "pagination"?}``; an error is ``{"statusCode", "message", "error"}`` where
``error`` is the reason phrase of the status.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import EllipsisType
from typing import Any

from rest_framework import exceptions, serializers
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from core.wire.styles import Fault, Kind, Line, Style
from core.wire.views import StyledViewSet

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


class ErrorOutput(serializers.Serializer[Any]):
    """A refusal or a failure in the NestJS style; ``error`` is the status' reason phrase."""

    statusCode = serializers.IntegerField()
    message = serializers.CharField()
    error = serializers.CharField()


def _body(fault: Fault) -> dict[str, Any]:
    return error_body(fault.status, fault.message)


STYLE = Style(
    body=_body,
    error=ErrorOutput,
    challenge="Bearer",
    refusals={
        "ERROR": Line(status=400),
        "INVALID": Line(status=400),
        "FORBIDDEN": Line(status=403),
        "NOT_FOUND": Line(status=404),
        "CONFLICT": Line(status=409),
        "UNAVAILABLE": Line(status=503),
        "INVALID_CREDENTIALS": Line(status=401),
        "INVALID_TOKEN": Line(status=401, sentence="Unauthorized"),
        "GAME_NOT_FOUND": Line(status=404, sentence="Game list not found"),
        "IDEMPOTENCY_KEY_REUSED": Line(status=422),
        # The operator's mistake, which the documents show as a 500 (contract: rooms, "room name").
        "DEFAULT_SYMBOL_MISSING": Line(status=500),
    },
    faults={
        Kind.UNAUTHENTICATED: Line(status=401, sentence="Unauthorized"),
        Kind.NOT_FOUND: Line(sentence="Not found"),
    },
)


class PagePagination(BasePagination):
    """``page`` and ``limit`` of the query; the total is counted up to a bound that the view names."""

    page: Page

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        """The rows of the asked page, still a queryset. Raises ``ValidationError``."""
        self.page = parse_page(request.query_params)
        return queryset[self.page.slice]


class NestViewSet(StyledViewSet):
    """Base of the resources of this style, open to all callers; ``accounts.api.base`` has the one that signs in."""

    style = STYLE
    pagination_class = PagePagination

    def paginate_queryset(self, queryset: Any) -> Any:
        """The rows of the asked page, still a queryset. Raises ``ValidationError``."""
        return super().paginate_queryset(queryset)

    def pagination(self, total: int) -> dict[str, int | bool]:
        """The ``pagination`` object of the page that ``paginate_queryset`` gave, of ``total`` rows."""
        return self.paginator.page.pagination(total)  # type: ignore[union-attr, no-any-return]
