"""Between the ASGI server and the two applications behind it: what is settled before either sees a request."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import quote, urlparse
from wsgiref.util import FileWrapper

from a2wsgi import WSGIMiddleware
from channels.security.websocket import OriginValidator
from django.conf import settings

from core.observability import logs

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Few: the database works on about four requests per core at a time, and more threads only queue inside it.
WSGI_THREADS = 4
# No route takes more than DATA_UPLOAD_MAX_MEMORY_SIZE; this is the bound of what one caller may have us hold.
MAX_BODY_BYTES = 4 * 1024 * 1024
# From the first byte of the body to the last.
BODY_TIMEOUT_SECONDS = 30.0
# Chunks of a response that may wait for a slow reader, so that the thread is free before the reader is done.
WAITING_CHUNKS = 1024
# Each chunk goes from the thread to the event loop by itself: Django's 4 KB blocks would make files slow.
FILE_BLOCK_BYTES = 64 * 1024
# WebSocket close codes 4000 and up are the application's own.
REFUSED_SOCKET = 4404


class ThreadedWSGI:
    """Django's WSGI application in a thread pool, behind a reader that takes in the whole body first.

    A thread is given a request only when its body is here: four callers that send slowly would otherwise hold all the
    threads. A body that is too long answers 413, one that is too slow 408.
    """

    def __init__(self, wsgi_application: Callable[..., Any]) -> None:
        def with_large_blocks(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            environ["wsgi.file_wrapper"] = lambda file, _block_size: FileWrapper(file, FILE_BLOCK_BYTES)
            answer: Iterable[bytes] = wsgi_application(environ, start_response)
            return answer

        self._application = WSGIMiddleware(with_large_blocks, workers=WSGI_THREADS, send_queue_size=WAITING_CHUNKS)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
                body = await _read_body(receive)
        except TimeoutError:
            await _answer(send, 408, b"The request's body did not arrive in time.")
            return
        except _BodyTooLarge:
            await _answer(send, 413, b"The request's body is too large.")
            return
        except _CallerLeft:
            return
        await self._application(_plain_scope(scope), _replay(body, receive), send)


class _BodyTooLarge(Exception):
    pass


class _CallerLeft(Exception):
    """The connection ended inside the body: half a request is none."""


async def _read_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _CallerLeft
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _BodyTooLarge
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return messages.pop() if messages else await receive()

    return next_message


def _plain_scope(scope: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The scope as WSGI can say it.

    WSGI spells ``X-Forwarded-For`` and ``X_Forwarded_For`` alike, so a header with an underscore could pose as one that
    a proxy has set: it is dropped. A query string may hold raw bytes: they are percent-encoded.
    """
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    query = scope["query_string"]
    if not query.isascii():
        query = quote(query, safe="".join(map(chr, range(0x21, 0x7F)))).encode()
    return {**scope, "headers": headers, "query_string": query}


async def _answer(send: Send, status: int, text: bytes) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(text)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


class KnownOrigins:
    """Lets a browser's page open a socket only from our own hosts or ``WEBSOCKET_ORIGINS``.

    A caller that is no browser sends no ``Origin`` and is let through: it proves itself to the consumer. What is
    logged of a socket has the id that the proxy gave to its handshake.
    """

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application
        self._rule = OriginValidator(application, [*settings.ALLOWED_HOSTS, *settings.WEBSOCKET_ORIGINS])

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        origins = [value.decode("latin1") for name, value in scope["headers"] if name == b"origin"]
        known = all(self._is_known(origin) for origin in origins)
        given = [value.decode("latin1") for name, value in scope["headers"] if name == b"x-request-id"]
        with logs.request(given[0] if given else None):
            await (self._application if known else refuse_websocket)(scope, receive, send)

    def _is_known(self, origin: str) -> bool:
        try:
            return bool(self._rule.validate_origin(urlparse(origin)))
        except ValueError:  # no address at all, or no number for a port
            return False


async def refuse_websocket(_scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """No such socket, or not for this page: closed before it is accepted, which callers see as HTTP 403."""
    await receive()
    await send({"type": "websocket.close", "code": REFUSED_SOCKET})
