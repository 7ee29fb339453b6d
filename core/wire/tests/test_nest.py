import json
import logging

import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.http import Http404
from django.test import RequestFactory
from django.urls import path
from rest_framework import exceptions
from rest_framework.test import APIClient

from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unavailable
from core.wire import nest
from core.wire.nest import STYLE, Page, error_body, ok, parse_page
from core.wire.unknown import Prefixes
from core.wire.views import StyledView


class Plain(StyledView):
    style = STYLE


class Raises(Plain):
    """Raises what the test puts here."""

    raised: Exception

    def get(self, request):
        raise self.raised


class Echo(Plain):
    def post(self, request):
        return ok("Echoed", data=str(request.data))


class Leaks(Plain):
    def get(self, request):
        from decimal import Decimal  # noqa: PLC0415

        return ok("Leaked", data={"amount": Decimal("1.5")})


urlpatterns = [
    path("raises", Raises.as_view()),
    path("echo", Echo.as_view()),
    path("api/leaks", Leaks.as_view()),
]
handler404 = Prefixes([("/api/", nest.STYLE)]).page_not_found
handler500 = Prefixes([("/api/", nest.STYLE)]).server_error

pytestmark = pytest.mark.urls(__name__)


class OwnCode(Conflict):
    code = "A_CODE_NO_TABLE_NAMES"
    default_message = "Twice is once too often"


def answer_to(monkeypatch, exception):
    monkeypatch.setattr(Raises, "raised", exception, raising=False)
    return APIClient().get("/raises")


@pytest.mark.parametrize(
    ("exception", "status", "message", "error"),
    [
        (DomainError(), 400, "The request was refused", "Bad Request"),
        (Invalid("Too long"), 400, "Too long", "Bad Request"),
        (Forbidden(), 403, "Forbidden", "Forbidden"),
        (NotFound(), 404, "Not found", "Not Found"),
        (OwnCode(), 409, "Twice is once too often", "Conflict"),
        (Http404("No User matches the given query."), 404, "Not found", "Not Found"),
        (exceptions.ParseError("The body is not valid JSON"), 400, "The body is not valid JSON", "Bad Request"),
        (exceptions.ValidationError("Wrong"), 400, "Wrong", "Bad Request"),
        (exceptions.ValidationError({"a": ["First.", "Second."], "b": ["Third."]}), 400, "a: First.", "Bad Request"),
        (exceptions.ValidationError({"rows": [{}, {"x": ["Bad."]}]}), 400, "rows.1.x: Bad.", "Bad Request"),
        (exceptions.ValidationError({"non_field_errors": ["Do not fit."]}), 400, "Do not fit.", "Bad Request"),
        (exceptions.ValidationError([]), 400, "Invalid parameters", "Bad Request"),
        (exceptions.NotAuthenticated(), 401, "Unauthorized", "Unauthorized"),
        (exceptions.AuthenticationFailed("Token has wrong type"), 401, "Unauthorized", "Unauthorized"),
        (
            exceptions.PermissionDenied(),
            403,
            "You do not have permission to perform this action.",
            "Forbidden",
        ),
        (RequestDataTooBig(), 413, "The body is too large", "Request Entity Too Large"),
        (SuspiciousOperation(), 400, "The request could not be read", "Bad Request"),
    ],
)
def test_each_refusal_has_its_status_and_shape(monkeypatch, caplog, exception, status, message, error):
    answer = answer_to(monkeypatch, exception)

    assert answer.status_code == status
    assert answer.json() == {"statusCode": status, "message": message, "error": error}
    assert [record for record in caplog.records if record.name == "core.wire.styles"] == []


def test_a_throttled_caller_hears_when_to_come_back(monkeypatch):
    answer = answer_to(monkeypatch, exceptions.Throttled(wait=4.2))

    assert (answer.status_code, answer["Retry-After"]) == (429, "5")
    assert answer.json() == {
        "statusCode": 429,
        "message": "Too many requests, please try again later",
        "error": "Too Many Requests",
    }


# An answer of 503 looks at the connection.
@pytest.mark.django_db
@pytest.mark.parametrize("exception", [OperationalError("gone"), InterfaceError("closed"), Unavailable()])
def test_a_part_that_is_down_is_a_503_worth_trying_again(monkeypatch, exception):
    answer = answer_to(monkeypatch, exception)

    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer.json() == {
        "statusCode": 503,
        "message": "The service is temporarily unavailable, please try again",
        "error": "Service Unavailable",
    }


def test_an_unforeseen_exception_is_a_logged_500(monkeypatch, caplog):
    answer = answer_to(monkeypatch, RuntimeError("the cellar is on fire"))

    assert (answer.status_code, answer.json()) == (
        500,
        {"statusCode": 500, "message": "Internal server error", "error": "Internal Server Error"},
    )
    (record,) = [record for record in caplog.records if record.name == "core.wire.styles"]
    assert record.levelno == logging.ERROR
    assert "GET /raises failed: RuntimeError: the cellar is on fire" in record.getMessage()
    assert "test_nest.py" in record.getMessage()


@pytest.mark.django_db
def test_the_log_of_a_database_error_does_not_quote_rows(monkeypatch, caplog, player):
    with pytest.raises(IntegrityError, match=r"player@example\.com") as caught, connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET wallet_address = '' WHERE id = %s", [player.pk])

    assert answer_to(monkeypatch, caught.value).status_code == 500
    (record,) = [record for record in caplog.records if record.name == "core.wire.styles"]
    assert "IntegrityError 23514 accounts_user_wallet_address_printable" in record.getMessage()
    assert "player@example.com" not in record.getMessage()
    assert player.password not in record.getMessage()


@pytest.mark.parametrize(
    "body", [b"{", b"", b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 60_000, b'"\\ud800"', b'{"a":' + b"9" * 99]
)
def test_garbage_json_is_a_400_of_this_shape(body):
    answer = APIClient().post("/echo", body, content_type="application/json")

    if body == b"":
        assert answer.json() == {"message": "Echoed", "data": "{}"}
    else:
        assert answer.status_code == 400
        refusal = answer.json()
        assert (refusal["statusCode"], refusal["error"]) == (400, "Bad Request")
        assert isinstance(refusal["message"], str)


def test_another_media_type_is_a_415_and_another_method_a_405():
    form = APIClient().post("/echo", "a=1", content_type="application/x-www-form-urlencoded")
    get = APIClient().get("/echo")

    assert (form.status_code, form.json()["error"]) == (415, "Unsupported Media Type")
    assert get.json() == {"statusCode": 405, "message": 'Method "GET" not allowed.', "error": "Method Not Allowed"}
    assert get["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("accept", ["text/html", "application/xml;q=1", "", "*/*"])
def test_the_answer_is_json_whatever_accept_wishes_for(accept):
    answer = APIClient().post("/echo?format=xml", {}, format="json", HTTP_ACCEPT=accept)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_a_decimal_never_reaches_the_wire():
    answer = APIClient(raise_request_exception=False).get("/api/leaks")

    assert answer.status_code == 500
    assert json.loads(answer.content) == error_body(500, "Internal server error")


def test_an_unknown_api_route_has_this_shape_and_a_page_has_djangos():
    api, page = APIClient().get("/api/v1/nothing-here"), APIClient().get("/nothing-here")

    assert (api.status_code, api["Content-Type"]) == (404, "application/json")
    assert api.json() == {"statusCode": 404, "message": "Not found", "error": "Not Found"}
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_success_holds_only_what_it_was_given():
    assert ok("Done").data == {"message": "Done"}
    assert ok("Done", data=None).data == {"message": "Done", "data": None}
    pagination = Page(1, 10).pagination(0)
    assert ok("Done", data=[], pagination=pagination).data == {"message": "Done", "data": [], "pagination": pagination}


@pytest.mark.parametrize(
    ("page", "total", "expected"),
    [
        (Page(1, 10), 0, (1, 10, 0, 0, False, False)),
        (Page(1, 10), 10, (1, 10, 10, 1, False, False)),
        (Page(1, 10), 11, (1, 10, 11, 2, True, False)),
        (Page(2, 10), 11, (2, 10, 11, 2, False, True)),
        (Page(9, 10), 11, (9, 10, 11, 2, False, True)),
    ],
)
def test_pagination_counts_pages(page, total, expected):
    names = ("page", "limit", "total", "totalPages", "hasNext", "hasPrev")

    assert page.pagination(total) == dict(zip(names, expected, strict=True))


def test_pages_cut_a_list_without_gap_or_overlap():
    rows = list(range(23))

    assert [row for number in (1, 2, 3) for row in rows[Page(number, 10).slice]] == rows


def test_a_query_without_page_and_limit_means_the_first_ten():
    assert parse_page(RequestFactory().get("/").GET) == Page(1, 10)
    assert parse_page(RequestFactory().get("/?page=1000000&limit=100").GET) == Page(1_000_000, 100)


@pytest.mark.parametrize("name", ["page", "limit"])
@pytest.mark.parametrize("text", ["", "0", "-1", "1.0", "ten", "１", "1000001", "9" * 5000, " 1", "+1", "1e2"])
def test_a_page_that_is_none_is_refused(name, text):
    with pytest.raises(exceptions.ValidationError) as refusal:
        parse_page({name: text})

    maximum = {"page": 1_000_000, "limit": 100}[name]
    assert refusal.value.detail == {name: [f"A number from 1 to {maximum} is required."]}
