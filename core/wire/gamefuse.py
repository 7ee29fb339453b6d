"""The style of ``/api/v3``: GameFuse (contract rounds, "Transport").

A parameter may come in the query, as JSON, as JSON wrapped in the resource's name, as a form or as multipart, with
Rails' bracketed names; all of them are merged. Success is plain JSON, an error is one sentence of text.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import orjson
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpResponse, HttpResponseBase, QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import DomainError, Invalid
from core.json_text import BODY_BYTES_MAX, INTEGER_MAX, MalformedJSON, loads_strict, plain
from core.wire.fields import RFC3339Field, first_message
from core.wire.strict_json import StrictJSONParser
from core.wire.styles import TEXT, Fault, Kind, Line, Style
from core.wire.views import StyledViewSet

MISSING_TOKEN = "Request missing user authentication token"
# The names that JSON bodies are wrapped in, by client library and route.
WRAPPERS = ("user", "game_user", "session", "game_round", "leaderboard_entry", "game_user_attribute")
NESTING_MAX = 8
OBJECT_BYTES_MAX = 16 * 1024
# multipart adds its boundaries to what a body may hold.
REQUEST_BYTES_MAX = 2 * BODY_BYTES_MAX

IDENTITY_LENGTH_MAX = 300

# Games run in browsers under addresses of their own. No route here knows a cookie: who sends a token has it anyway.
ALLOWED_HEADERS = (
    "authentication-token, authorization, content-type, current-user-id, service-key-name, service-key-token"
)
PREFLIGHT_SECONDS = 3600

_BRACKETED = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,60}(?:\.[0-9]{1,60})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_FLAGS = {1: True, 0: False, "true": True, "false": False, "1": True, "0": False}


class Unauthenticated(exceptions.APIException):
    """No usable token or service key came with the request."""

    status_code = HTTPStatus.UNAUTHORIZED
    default_detail = MISSING_TOKEN


class Parameters:
    """The merged parameters of a request, each read as the type the contract gives it.

    A reader answers ``None`` for a parameter that is missing, null or empty, and raises ``Invalid`` with a sentence for
    one it cannot read. Forms send text where JSON has types, so each takes both.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def raw(self, name: str) -> Any:
        """The value as it came; the empty text of a form is ``None``."""
        value = self._values.get(name)
        return None if value == "" else value

    def text(self, name: str, *, max_length: int) -> str | None:
        value = self.raw(name)
        if type(value) in (int, Decimal):
            value = str(value)
        if value is None or (isinstance(value, str) and len(value) <= max_length):
            return value
        raise _unreadable(name, f"must be a text of at most {max_length} characters")

    def required_text(self, name: str, *, max_length: int) -> str:
        value = self.text(name, max_length=max_length)
        if value is None:
            raise _unreadable(name, "can't be blank")
        return value

    def id(self, name: str) -> int | None:
        value = self.whole(name)
        if value is not None and value < 1:
            raise _unreadable(name, "must be an id")
        return value

    def id_or_none(self, name: str) -> int | None:
        """As ``id``, but an unreadable id is as good as one that does not exist."""
        try:
            return self.id(name)
        except Invalid:
            return None

    def required_id(self, name: str) -> int:
        value = self.id(name)
        if value is None:
            raise _unreadable(name, "is required")
        return value

    def whole(self, name: str) -> int | None:
        """A whole number of either sign that fits in 64 bits."""
        value = self.raw(name)
        is_whole_text = isinstance(value, str) and _WHOLE.fullmatch(value)
        if is_whole_text or (isinstance(value, Decimal) and value == value.to_integral_value()):
            value = int(value)
        if value is None or (type(value) is int and abs(value) <= INTEGER_MAX):
            return value
        raise _unreadable(name, "must be a whole number")

    def number(self, name: str) -> Decimal | None:
        """An exact number: no binary float on the way."""
        value = self.raw(name)
        if type(value) is int or (isinstance(value, str) and _NUMBER.fullmatch(value)):
            value = Decimal(value)
        if value is None or isinstance(value, Decimal):
            return value
        raise _unreadable(name, "must be a number")

    def flag(self, name: str) -> bool:
        value = self.raw(name)
        if value is None:
            return False
        if isinstance(value, int | str):
            known = _FLAGS.get(value.lower() if isinstance(value, str) else value)
            if known is not None:
                return known
        raise _unreadable(name, "must be true or false")

    def time(self, name: str) -> datetime | None:
        value = self.raw(name)
        if value is None:
            return None
        try:
            moment: datetime = RFC3339Field().run_validation(value)
        except exceptions.ValidationError as error:
            raise _unreadable(name, f"is not a time: {first_message(error.detail)}") from None
        return moment

    def object(self, name: str) -> dict[str, Any] | None:
        """A JSON object, as such, as the text of one, or as a form's bracketed names."""
        value = self.raw(name)
        if isinstance(value, str):
            try:
                value = loads_strict(value.encode())
            except MalformedJSON:
                raise _unreadable(name, "must be an object") from None
        value = plain(value)
        if value is None:
            return None
        if not isinstance(value, dict) or len(orjson.dumps(value)) > OBJECT_BYTES_MAX:
            raise _unreadable(name, f"must be an object of at most {OBJECT_BYTES_MAX // 1024} KB")
        return value


def merged_parameters(request: Request) -> Parameters:
    """Query and body together; the body wins, and in it what is wrapped in the resource's name."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > REQUEST_BYTES_MAX:
        raise RequestDataTooBig("The body is too large")
    body = request.data
    if not isinstance(body, Mapping):
        raise Invalid("The body must be a JSON object")
    return Parameters({**_unwrapped(_flat(request.query_params)), **_unwrapped(_flat(body))})


def _flat(source: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(source, QueryDict):
        return source
    values: dict[str, Any] = {}
    for name, value in source.items():
        if not isinstance(value, str):
            continue
        # PostgreSQL stores no NUL and UTF-8 no half of a surrogate pair, which a form in UTF-7 can bring. JSON texts
        # were checked by their parser.
        if _UNSTORABLE.search(name) or _UNSTORABLE.search(value):
            raise Invalid("A text holds a NUL or half of a surrogate pair")
        match = _BRACKETED.fullmatch(name)
        if match is None:
            values[name] = value
        else:
            _put(values, [match[1], *match[2][1:-1].split("][")], value)
    return values


def _put(values: dict[str, Any], path: list[str], value: str) -> None:
    if len(path) > NESTING_MAX:
        raise Invalid("A parameter is nested too deeply")
    for name in path[:-1]:
        inner = values.setdefault(name, {})
        if not isinstance(inner, dict):
            raise Invalid("A parameter is both a text and an object")
        values = inner
    values[path[-1]] = value


def _unwrapped(values: Mapping[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in values.items() if name not in WRAPPERS or not isinstance(value, Mapping)}
    for wrapper in WRAPPERS:
        inner = values.get(wrapper)
        if isinstance(inner, Mapping):
            flat |= inner
    return flat


def _unreadable(name: str, complaint: str) -> Invalid:
    return Invalid(f"{name.replace('_', ' ').capitalize()} {complaint}")


def _body(fault: Fault) -> str:
    return fault.message


STYLE = Style(
    body=_body,
    media_type=TEXT,
    refusals={
        "ERROR": Line(status=422),
        "INVALID": Line(status=422),
        "CONFLICT": Line(status=422),
        "FORBIDDEN": Line(status=401),
        "NOT_FOUND": Line(status=404),
        "UNAVAILABLE": Line(status=503),
        "GAME_DISABLED": Line(status=402),
        "MISSING_PARAMETER": Line(status=400),
        "NO_ENTRIES": Line(status=400),
        "ATTRIBUTE_NOT_FOUND": Line(status=400),
    },
    faults={
        Kind.UNPARSEABLE: Line(status=422),
        Kind.PAYLOAD_TOO_LARGE: Line(status=422),
        Kind.MEDIA_TYPE: Line(status=422),
        Kind.UNREADABLE: Line(status=422),
        Kind.NOT_FOUND: Line(sentence="Not found"),
        Kind.FAILED: Line(sentence="Unknown server error"),
    },
)


def named_email(request: Request) -> str | None:
    """Whose account a sign-in is about, for counting the guesses at it; ``None`` when it does not say."""
    try:
        email = merged_parameters(request).text("email", max_length=IDENTITY_LENGTH_MAX)
    except (exceptions.APIException, DomainError, BadRequest, SuspiciousOperation):
        # The view will meet the same and answer it.
        return None
    return email.strip(" ").lower() if email else None


class GameFuseViewSet(StyledViewSet):
    """Base of the resources of this style, open to all callers; ``rounds.api.base`` has the one that signs in."""

    style = STYLE
    lookup_url_kwarg = "id"
    lookup_value_regex = "[0-9]+"
    parser_classes = [StrictJSONParser, FormParser, MultiPartParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.parameters = merged_parameters(request)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # A browser asks first, without any token: it must not be turned away before it may send one.
        if request.method == "OPTIONS":
            response: HttpResponseBase = HttpResponse(status=HTTPStatus.NO_CONTENT)
            response["Access-Control-Allow-Methods"] = ", ".join(self.allowed_methods)
            response["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
            response["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
        else:
            response = super().dispatch(request, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        return response


@extend_schema(exclude=True)
class UnknownRouteViewSet(GameFuseViewSet):
    """The end of this style's routes: whatever the method, a sentence, readable from any address."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Before anything is read or counted.
        self.list(request)

    def list(self, request: Request) -> Response:
        raise exceptions.NotFound("Not found")
