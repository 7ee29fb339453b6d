"""HTTP between uvicorn and Django's WSGI application: bodies, limits, headers, query strings."""

import asyncio
import threading
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from gameplatform import bridge
from gameplatform.bridge import MAX_BODY_BYTES, WSGI_THREADS, KnownOrigins, ThreadedWSGI

Answer = tuple[int, dict[str, str], bytes]


def scope(method: str = "POST", query: bytes = b"", headers: Iterable[tuple[bytes, bytes]] = ()) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": "/",
        "query_string": query,
        "headers": list(headers),
        "server": ("localhost", 8000),
        "client": ("127.0.0.1", 40000),
    }


async def ask(application: ThreadedWSGI, scope: dict[str, Any], *chunks: bytes) -> Answer:
    caller = ApplicationCommunicator(application, scope)
    for chunk in chunks:
        await caller.send_input({"type": "http.request", "body": chunk, "more_body": True})
    await caller.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await caller.receive_output(10)
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    body, more = b"", True
    while more:
        message = await caller.receive_output(10)
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await caller.wait()
    return start["status"], headers, body


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("X-Query", environ["QUERY_STRING"])])
    return [body]


def with_length(length: int) -> list[tuple[bytes, bytes]]:
    return [(b"content-length", b"%d" % length)]


@pytest.mark.asyncio
async def test_a_body_that_comes_in_pieces_arrives_whole() -> None:
    pieces = [bytes([number]) * 300_000 for number in range(5)]
    status, _, body = await ask(ThreadedWSGI(echo), scope(headers=with_length(1_500_000)), *pieces)
    assert (status, body) == (200, b"".join(pieces))


@pytest.mark.asyncio
async def test_a_body_of_the_greatest_length_is_taken_and_one_byte_more_is_413() -> None:
    application = ThreadedWSGI(echo)
    most = b"x" * MAX_BODY_BYTES
    assert (await ask(application, scope(headers=with_length(len(most))), most))[0] == 200

    caller = ApplicationCommunicator(application, scope(headers=with_length(len(most) + 1)))
    await caller.send_input({"type": "http.request", "body": most, "more_body": True})
    await caller.send_input({"type": "http.request", "body": b"x", "more_body": True})
    start = await caller.receive_output(10)
    assert (start["status"], (b"connection", b"close") in start["headers"]) == (413, True)


@pytest.mark.asyncio
async def test_a_body_that_does_not_arrive_in_time_is_408_and_never_reaches_the_application(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bridge, "BODY_TIMEOUT_SECONDS", 0.1)
    reached: list[str] = []

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        reached.append(environ["REQUEST_METHOD"])
        return echo(environ, start_response)

    caller = ApplicationCommunicator(ThreadedWSGI(application), scope(headers=with_length(10)))
    await caller.send_input({"type": "http.request", "body": b"half", "more_body": True})
    assert (await caller.receive_output(10))["status"] == 408
    assert reached == []


@pytest.mark.asyncio
async def test_a_caller_that_leaves_inside_its_body_never_reaches_the_application() -> None:
    reached: list[str] = []

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        reached.append(environ["REQUEST_METHOD"])
        return echo(environ, start_response)

    caller = ApplicationCommunicator(ThreadedWSGI(application), scope(headers=with_length(10)))
    await caller.send_input({"type": "http.request", "body": b"half", "more_body": True})
    await caller.send_input({"type": "http.disconnect"})
    await caller.wait()
    assert reached == []
    assert await caller.receive_nothing()


@pytest.mark.asyncio
async def test_requests_run_beside_each_other_in_as_many_threads_as_there_are() -> None:
    together = threading.Barrier(WSGI_THREADS, timeout=10)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        together.wait()
        return echo(environ, start_response)

    threaded = ThreadedWSGI(application)
    answers = await asyncio.gather(*(ask(threaded, scope("GET")) for _ in range(WSGI_THREADS)))
    assert [status for status, _, _ in answers] == [200] * WSGI_THREADS


@pytest.mark.asyncio
async def test_a_streamed_response_longer_than_the_queue_arrives_whole() -> None:
    chunks = bridge.WAITING_CHUNKS + 500

    def application(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/csv")])
        return (b"%05d\n" % number for number in range(chunks))

    _, _, body = await ask(ThreadedWSGI(application), scope("GET"))
    assert body == b"".join(b"%05d\n" % number for number in range(chunks))


@pytest.mark.asyncio
async def test_raw_bytes_in_a_query_string_are_percent_encoded_and_the_rest_is_left_alone() -> None:
    query = "name=Việt&x=%2F+a&y[]=1".encode()
    status, headers, _ = await ask(ThreadedWSGI(echo), scope("GET", query=query))
    assert (status, headers["x-query"]) == (200, "name=Vi%E1%BB%87t&x=%2F+a&y[]=1")


@pytest.mark.asyncio
async def test_a_header_with_an_underscore_cannot_pose_as_one_with_a_dash() -> None:
    seen: dict[str, str] = {}

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.update({name: value for name, value in environ.items() if name.startswith("HTTP_")})
        return echo(environ, start_response)

    headers = [(b"x-forwarded-for", b"192.0.2.1"), (b"x_forwarded_for", b"10.0.0.1"), (b"x-api-key", b"k")]
    await ask(ThreadedWSGI(application), scope("GET", headers=headers))
    assert seen == {"HTTP_X_FORWARDED_FOR": "192.0.2.1", "HTTP_X_API_KEY": "k"}


def socket_scope(origin: str | None) -> dict[str, Any]:
    headers = [] if origin is None else [(b"origin", origin.encode())]
    return {"type": "websocket", "path": "/ws/", "headers": headers, "query_string": b"", "subprotocols": []}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("origin", "answer"),
    [
        (None, "websocket.accept"),
        ("http://game.example", "websocket.accept"),
        ("https://game.example:8443", "websocket.accept"),
        ("https://partner.example", "websocket.accept"),
        ("http://partner.example", "websocket.close"),
        ("https://evil.example", "websocket.close"),
        ("https://game.example.evil.example", "websocket.close"),
        ("null", "websocket.close"),
        ("http://[", "websocket.close"),
        ("https://partner.example:port", "websocket.close"),
    ],
)
async def test_only_pages_of_our_hosts_and_of_allowed_origins_open_a_socket(
    settings: Any, origin: str | None, answer: str
) -> None:
    settings.ALLOWED_HOSTS = ["game.example"]
    settings.WEBSOCKET_ORIGINS = ["https://partner.example"]

    async def accept(_scope: MutableMapping[str, Any], receive: bridge.Receive, send: bridge.Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})

    caller = ApplicationCommunicator(KnownOrigins(accept), socket_scope(origin))
    await caller.send_input({"type": "websocket.connect"})
    assert (await caller.receive_output(10))["type"] == answer
