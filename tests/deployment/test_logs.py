"""What a log line has, and what it never has."""

import asyncio
import json
import logging
import sys
from contextlib import suppress
from typing import Any, cast

import pytest
from django.http import HttpResponse
from django.test import Client

from core.errors import Unavailable
from core.observability import logs
from core.observability.logs import HIDDEN, JSONFormatter, LineFormatter
from core.realtime import hub
from core.realtime.census import Census
from core.realtime.hub import Hub
from core.realtime.offload import offload
from gameplatform.celery import drop_request_id, send_request_id, take_request_id
from gameplatform.operations import metrics
from rooms.tasks import advance

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def formatted(formatter: logging.Formatter, message: str, *arguments: object, error: Any = None) -> str:
    return formatter.format(logging.LogRecord("tested", logging.ERROR, __file__, 1, message, arguments, error))


@pytest.mark.parametrize(
    ("message", "hidden"),
    [
        (f"Authorization: Bearer {JWT}", JWT),
        ("header Bearer abc.def", "abc.def"),
        ("GET /ws/game-rooms/1?token=secret-of-old&since=4", "secret-of-old"),
        ("POST /api/v3/sessions?email=ada&password=open-sesame", "open-sesame"),
        ("redeemed ticket_0123456789abcdefXYZ", "ticket_0123456789abcdefXYZ"),
        ("duplicate key\nDETAIL:  Key (username)=(ada) already exists.", "ada"),
    ],
)
@pytest.mark.parametrize("formatter", [LineFormatter(), JSONFormatter()])
def test_a_secret_in_a_message_is_hidden(formatter, message, hidden):
    line = formatted(formatter, "%s", message)
    assert hidden not in line
    assert HIDDEN in line


def test_a_json_line_has_the_request_and_the_error_in_one_line():
    try:
        raise ValueError(f"Bearer {JWT}")
    except ValueError:
        error = sys.exc_info()
    with logs.request("request-0001"):
        line = formatted(JSONFormatter(), "it %s", "broke", error=error)
    assert "\n" not in line
    found = json.loads(line)
    assert (found["level"], found["logger"], found["request_id"], found["message"]) == (
        "ERROR",
        "tested",
        "request-0001",
        "it broke",
    )
    assert found["error"].endswith(f"ValueError: Bearer {HIDDEN}")


@pytest.mark.parametrize("odd", [None, "", "short", "with space in it", "a" * 65, "new\nline-in-it", "ünïcödé-ïd"])
def test_a_request_id_that_is_odd_is_replaced(odd):
    with logs.request(odd) as request_id:
        assert request_id != odd
        assert len(request_id) == 32
        assert logs.current_request_id() == request_id
    assert logs.current_request_id() == logs.NO_REQUEST


def test_a_request_is_answered_with_the_id_of_the_proxy():
    assert Client().get("/livez", headers={"X-Request-ID": "0123456789abcdef"})["X-Request-ID"] == "0123456789abcdef"


def test_a_task_belongs_to_the_request_that_asked_for_it():
    headers: dict[str, object] = {}
    with logs.request("request-0002"):
        send_request_id(headers=headers)
    advance.push_request(**headers)
    try:
        take_request_id(task_id="task-000001", task=advance)
        assert logs.current_request_id() == "request-0002"
        drop_request_id(task_id="task-000001")
    finally:
        advance.pop_request()
    assert logs.current_request_id() == logs.NO_REQUEST


def test_a_task_that_nobody_asked_for_has_an_id_of_its_own():
    headers: dict[str, object] = {}
    send_request_id(headers=headers)
    assert headers == {}
    take_request_id(task_id="task-000002", task=advance)
    assert logs.current_request_id() == "task-000002"
    drop_request_id(task_id="task-000002")


def test_a_page_that_fails_unforeseen_is_logged_and_an_answer_of_503_is_not(caplog, monkeypatch):
    def failing(request):
        raise ValueError("unforeseen")

    monkeypatch.setitem(metrics.PROBES, "/failing", failing)
    monkeypatch.setitem(metrics.PROBES, "/away", lambda request: HttpResponse(status=503))
    client = Client(raise_request_exception=False)
    assert client.get("/failing").status_code == 500
    assert client.get("/away").status_code == 503
    assert [record.message for record in caplog.records] == ["Internal Server Error: /failing"]
    assert "ValueError: unforeseen" in caplog.text


def test_work_for_an_event_loop_belongs_to_the_request_that_asked_for_it():
    async def both() -> tuple[str, str]:
        with logs.request("request-0004"):
            inside = await offload(logs.current_request_id)
        return inside, await offload(logs.current_request_id)

    assert asyncio.run(both()) == ("request-0004", logs.NO_REQUEST)


def test_what_serves_all_sockets_belongs_to_none_of_them(monkeypatch):
    found: list[str] = []

    async def run(self) -> None:
        found.append(logs.current_request_id())

    monkeypatch.setattr(Hub, "_run", run)
    monkeypatch.setattr(Census, "_speak", run)

    async def first_socket() -> None:
        with logs.request("request-0005"), Census().counted(), suppress(Unavailable):
            await Hub("redis://127.0.0.1:1/0").subscribe("room:1", cast(Any, object()), encode=lambda topic, data: None)

    monkeypatch.setattr(hub, "SUBSCRIBE_TIMEOUT_SECONDS", 0.1)
    asyncio.run(first_socket())
    assert found == [logs.NO_REQUEST, logs.NO_REQUEST]
