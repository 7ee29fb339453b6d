"""The OpenAPI document: how an operation is declared, and which ones make it into the document.

Each app declares its operations in its ``api/schema.py``, one decorator each, and puts them on its views' methods:
``list_rooms = documented("listRooms", …)``, then ``@schema.list_rooms`` above ``get``. A route without a declaration
is not in the document; ``tests/test_openapi.py`` holds the list of those.

A documented refusal is the exception itself. Its status and body are what the style's own handler makes of it, so the
document cannot say anything else than the server does.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from drf_spectacular.views import SpectacularAPIView
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Unavailable
from core.idempotency import IdempotencyInFlight, IdempotencyKeyReused, InvalidIdempotencyKey
from core.wire import nest
from core.wire.fields import ID_MAX, CountField
from core.wire.outputs import Described
from core.wire.styles import JSON, Style

H = TypeVar("H", bound=Callable[..., Any])
Schema = dict[str, Any]
Refusals = Sequence[Exception | type[Exception]]
Endpoint = tuple[str, str, str, Callable[..., Any]]

ID: Schema = {"type": "integer", "minimum": 1, "maximum": ID_MAX}
TIME: Schema = {"type": "string", "format": "date-time", "description": "UTC with milliseconds."}


class CountFieldSchema(OpenApiSerializerFieldExtension):
    target_class = CountField

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.target.minimum, "maximum": self.target.maximum}


class StrictInput(OpenApiSerializerExtension):
    """Input refuses what it does not know."""

    target_class = "core.wire.fields.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return schema | {"additionalProperties": False}


class PaginationOutput(serializers.Serializer[Any]):
    """Which part of a list this is."""

    page = Described({"type": "integer", "minimum": 1})
    limit = Described({"type": "integer", "minimum": 1, "maximum": nest.LIMIT_MAX})
    total = Described({"type": "integer", "minimum": 0})
    totalPages = Described({"type": "integer", "minimum": 0})
    hasNext = serializers.BooleanField()
    hasPrev = serializers.BooleanField()


def envelope(
    name: str,
    *messages: str,
    data: serializers.Field | None = None,
    paginated: bool = False,
    **more: serializers.Field,
) -> type[serializers.Serializer[Any]]:
    """The shape of ``nest.ok``: exactly one of ``messages``, and ``data``, ``pagination`` and ``more`` when given."""
    fields: dict[str, serializers.Field] = {"message": Described({"type": "string", "enum": [*messages]})}
    if data is not None:
        fields["data"] = data
    if paginated:
        fields["pagination"] = PaginationOutput()
    return shape(name, **fields, **more)


def shape(name: str, **fields: serializers.Field) -> type[serializers.Serializer[Any]]:
    """An answer of these fields; a serializer's class body could not hold one that is called ``data``."""
    return type(name, (serializers.Serializer,), fields)


def query(
    name: str, schema: Schema, description: str = "", *, required: bool = False, example: Any = None
) -> OpenApiParameter:
    """A parameter of the query."""
    return _parameter(name, schema, description, OpenApiParameter.QUERY, required=required, example=example)


def in_path(name: str, schema: Schema, description: str = "", *, example: Any) -> OpenApiParameter:
    """A parameter of the path."""
    return _parameter(name, schema, description, OpenApiParameter.PATH, required=True, example=example)


def _parameter(
    name: str, schema: Schema, description: str, location: Any, *, required: bool, example: Any
) -> OpenApiParameter:
    examples = [] if example is None else [OpenApiExample("sample", example)]
    return OpenApiParameter(
        name, cast(Any, dict(schema)), location, required=required, description=description, examples=examples
    )


PAGING = (
    query("page", {"type": "integer", "minimum": 1, "maximum": nest.PAGE_MAX, "default": 1}),
    query("limit", {"type": "integer", "minimum": 1, "maximum": nest.LIMIT_MAX, "default": nest.LIMIT_DEFAULT}),
)
PAGE_REFUSED = exceptions.ValidationError({"limit": [f"A number from 1 to {nest.LIMIT_MAX} is required."]})

_RETRY_AFTER = OpenApiParameter(
    "Retry-After",
    cast(Any, {"type": "integer", "minimum": 1, "description": "Seconds."}),
    OpenApiParameter.HEADER,
    required=True,
    response=[429, 503],
)


UNREADABLE: Refusals = (
    exceptions.ParseError("The body is not valid JSON"),
    exceptions.UnsupportedMediaType("text/plain"),
)


def documented(
    operation_id: str,
    *,
    tag: str,
    summary: str,
    answer: type[serializers.Serializer[Any]] | PolymorphicProxySerializer | Schema,
    examples: Mapping[str, Any],
    status: int = 200,
    others: Mapping[int, OpenApiResponse] | None = None,
    body: type[serializers.Serializer[Any]] | None = None,
    bodies: Mapping[str, Any] | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    refusals: Refusals = (),
    signed_in: bool = True,
    unreadable: Refusals = UNREADABLE,
    idempotent: bool = False,
    key_required: bool = False,
    style: Style = nest.STYLE,
) -> Callable[[H], H]:
    """Declare the operation that a view's method is.

    ``examples`` are whole answers and ``bodies`` whole requests, by a name for people. ``refusals`` are those of this
    operation alone: what follows from a body, from signing in and from ``idempotent`` is added here. ``idempotent``
    says that the method honours the Idempotency-Key, ``key_required`` that it insists on one. ``others`` are further
    answers by status, ``unreadable`` the refusals of a body that the contract's parser cannot read.
    """
    known: list[Exception | type[Exception]] = [*refusals, exceptions.Throttled(wait=2), Unavailable]
    headers = [_RETRY_AFTER]
    if signed_in:
        known.append(exceptions.NotAuthenticated)
    if body is not None:
        known += unreadable
    if idempotent:
        known += [InvalidIdempotencyKey, IdempotencyKeyReused, IdempotencyInFlight]
        headers += [_idempotency_key(required=key_required), _replayed(status)]
    responses: dict[Any, Any] = {
        status: OpenApiResponse(answer, summary, [OpenApiExample(name, value) for name, value in examples.items()])
    }
    return cast(
        Callable[[H], H],
        extend_schema(
            operation_id=operation_id,
            tags=[tag],
            summary=summary,
            # Else it would be the view's docstring, which tells of all its methods.
            description=f"{summary}.",
            parameters=[*parameters, *headers],
            request=body,
            examples=[OpenApiExample(name, value, request_only=True) for name, value in (bodies or {}).items()],
            responses=responses | _refusal_responses(known, style) | dict(others or {}),
        ),
    )


def _refusal_responses(refusals: Refusals, style: Style) -> dict[Any, OpenApiResponse]:
    """One response for each status; its examples are what the style answers."""
    told: dict[int, dict[str, Any]] = {}
    for refusal in refusals:
        fault = style.fault(refusal() if isinstance(refusal, type) else refusal)
        told.setdefault(fault.status, {}).setdefault(fault.message, style.body(fault))
    return {
        status if style.media_type == JSON else (status, style.media_type): OpenApiResponse(
            style.error,
            "\n".join(f"- {message}" for message in bodies),
            [
                OpenApiExample(f"refusal {position}", body, summary=message, media_type=style.media_type)
                for position, (message, body) in enumerate(bodies.items(), start=1)
            ],
        )
        for status, bodies in sorted(told.items())
    }


def _idempotency_key(*, required: bool) -> OpenApiParameter:
    return OpenApiParameter(
        "Idempotency-Key",
        cast(Any, {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~ ]+$"}),
        OpenApiParameter.HEADER,
        required=required,
        description="The same key with the same request gets the first answer again, and moves nothing.",
    )


def _replayed(status: int) -> OpenApiParameter:
    return OpenApiParameter(
        "Idempotency-Replayed",
        cast(Any, {"type": "string", "enum": ["true"]}),
        OpenApiParameter.HEADER,
        description="Present when this is the first answer again.",
        response=[status],
    )


def declared_operations(endpoints: Sequence[Endpoint], **_: Any) -> list[Endpoint]:
    """drf-spectacular's preprocessing hook: the declared operations, under their paths without the optional slash."""
    return [
        (path.rstrip("/"), path_regex, method, callback)
        for path, path_regex, method, callback in endpoints
        if is_declared(callback, method)
    ]


def is_declared(callback: Callable[..., Any], method: str) -> bool:
    """Whether the view's method carries a declaration, ours or a plain ``extend_schema``."""
    actions: Mapping[str, str] = getattr(callback, "actions", None) or {}
    handler = getattr(getattr(callback, "cls", None), actions.get(method.lower(), method.lower()), None)
    return "schema" in getattr(handler, "kwargs", {})


@functools.cache
def document() -> dict[str, Any]:
    """The whole document. It is the same for all callers, and making it takes longer than any other request."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


class SchemaView(SpectacularAPIView):
    """The document in YAML, or in JSON by ``?format=json`` or ``Accept``."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(document())
