"""What goes to Sentry and to an OpenTelemetry collector, received by a server of the test's own."""

import asyncio
import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import brotli
import pytest
import websockets
from django.conf import settings

from accounts.credentials import access_token
from core.db import clock
from tests.deployment import compose
from tests.support.books import balance
from tests.support.faults import broken_table
from tests.support.pots import person, seated, server, server_of
from tests.support.servers import WebServer, environment
from tests.support.waiting import wait_for

__all__ = ["person", "seated", "server", "server_of"]

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

SECRET = "correct-horse-battery-staple"
REQUEST = "request-of-the-test"
# One request that works, and one that fails inside a view, as a WSGI server makes them; both with a secret everywhere.
PROGRAM = f"""
import io
from gameplatform.wsgi import application
from accounts.models import Game
from gameplatform import urls
from django.urls import path

def failing(request):
    password = "{SECRET}"
    raise ValueError("Bearer " + password)

urls.urlpatterns.insert(0, path("failing", failing))

def ask(where):
    body = b'{{"password": "{SECRET}"}}'
    environ = {{"REQUEST_METHOD": "GET", "PATH_INFO": where, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "HTTP_HOST": "localhost", "QUERY_STRING": "token={SECRET}", "wsgi.url_scheme": "http",
        "HTTP_AUTHORIZATION": "Bearer {SECRET}", "HTTP_COOKIE": "sessionid={SECRET}", "HTTP_X_REQUEST_ID": "{REQUEST}",
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(), "wsgi.version": (1, 0), "wsgi.multithread": True}}
    statuses = []
    list(application(environ, lambda status, headers, *rest: statuses.append(status)))
    return statuses[0]

print(ask("/api/v1/game-lists"))
print(ask("/failing"))
"""


class Receiver(ThreadingHTTPServer):
    """Keeps the body of every request, by its path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: dict[str, bytes] = {}
        self.url = f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        unpack = {"gzip": gzip.decompress, "br": brotli.decompress}.get(
            str(self.headers.get("Content-Encoding")), bytes
        )
        body = unpack(body)
        self.server.bodies[self.path] = self.server.bodies.get(self.path, b"") + body
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def run(folder: Path, program: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        env=environment(folder, DEBUG="false", SECRET_KEY="k" * 60, SECURE_COOKIES="false", **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_an_error_is_reported_without_what_was_sent(receiver, tmp_path):
    done = run(tmp_path, PROGRAM, SENTRY_DSN=f"http://key@{receiver.url}/7", SENTRY_RELEASE="9.9")
    assert done.stdout.splitlines() == ["200 OK", "500 Internal Server Error"], done.stderr
    event = receiver.bodies["/api/7/envelope/"].decode()
    assert "ValueError" in event
    assert "Bearer [hidden]" in event
    assert '"release":"9.9"' in event
    assert '"environment":"production"' in event
    assert f'"request_id":"{REQUEST}"' in event
    assert "http://localhost/failing" in event
    assert SECRET not in event


def test_a_request_gives_spans_without_what_was_sent(receiver, tmp_path):
    decided = {"ALLOWED_HOSTS": "localhost", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{receiver.url}"}
    given = compose.service("rest", decided).environment
    done = run(tmp_path, PROGRAM, **{name: value for name, value in given.items() if name.startswith("OTEL_")})
    assert done.stdout.splitlines() == ["200 OK", "500 Internal Server Error"], done.stderr
    spans = receiver.bodies["/v1/traces"]
    assert b"gameplatform-rest" in spans
    assert b"game-lists" in spans
    assert b"accounts_game" in spans
    assert b"ValueError" in spans
    assert SECRET.encode() not in spans


# Spans wait for company before they leave; not here.
AT_ONCE = {"OTEL_BSP_SCHEDULE_DELAY": "100"}


def received(receiver: Receiver, path: str, *texts: str) -> bytes:
    """The bodies sent to ``path``, as soon as they hold all of ``texts``."""

    def arrived() -> bytes | None:
        body = receiver.bodies.get(path, b"")
        return body if all(text.encode() in body for text in texts) else None

    body = wait_for(arrived)
    assert body is not None
    return body


def test_a_socket_gives_a_span_and_an_error_without_its_token(receiver, tmp_path, player):
    told = {"SENTRY_DSN": f"http://key@{receiver.url}/7", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{receiver.url}"}
    web = WebServer(environment(tmp_path, **told, **AT_ONCE)).start()
    token = access_token(player, now=clock.now())

    async def listen() -> None:
        address = f"{web.ws_url}/ws/game-rooms/12?token={token}"
        async with websockets.connect(address, additional_headers={"X-Request-ID": REQUEST}, proxy=None) as socket:
            await socket.wait_closed()
            assert socket.close_code == 1011

    try:
        with broken_table("rooms_room"):
            asyncio.run(listen())
        event = received(receiver, "/api/7/envelope/", "failed: ProgrammingError 42P01", '"part":"sockets"')
        spans = received(receiver, "/v1/traces", "gameplatform-sockets", "/ws/game-rooms/12")
    finally:
        web.kill()
    assert f'"request_id":"{REQUEST}"'.encode() in event
    assert token.encode() not in event + spans
    assert b"token=" not in event + spans


def test_a_job_gives_a_span_and_an_error_under_its_requests_id(receiver, tmp_path, server, seated):
    ada = seated("ada-lake")
    told = {"SENTRY_DSN": f"http://key@{receiver.url}/7", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{receiver.url}"}
    command = ["-m", "celery", "-A", "gameplatform", "worker", "-P", "threads", "-c", "1", "-l", "warning"]
    worker = subprocess.Popen(
        [sys.executable, *command, "--without-gossip", "--without-mingle"],
        cwd=settings.BASE_DIR,
        env=environment(tmp_path, **told, **AT_ONCE),
    )
    send = server.send
    server.send = lambda method, path, data, headers: send(method, path, data, headers | {"X-Request-ID": REQUEST})
    try:
        with broken_table("payments_pot"):
            paying = {"sessionJwts": [ada.jwt], "tokens": ["gold"], "amounts": [10]}
            job_id = server.post("/game/createJoinPay", paying)["task"]["id"]
            event = received(receiver, "/api/7/envelope/", f"job {job_id} could not be done", '"part":"worker"')
        spans = received(receiver, "/v1/traces", "gameplatform-worker", "payments.tasks.run_job")
    finally:
        worker.kill()
        worker.wait()
    assert f'"request_id":"{REQUEST}"'.encode() in event
    assert ada.jwt.encode() not in event + spans
    assert balance(ada.profile.user) == 10_000


@pytest.mark.parametrize(
    ("setting", "package"), [("SENTRY_DSN", "sentry_sdk"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "opentelemetry.sdk")]
)
def test_a_missing_package_is_named(tmp_path, setting, package):
    # A name that is None among the modules is one that cannot be found.
    program = f"import sys; sys.modules['{package}'] = None; import gameplatform.wsgi"
    done = run(tmp_path, program, **{setting: "http://key@127.0.0.1:1/1"})
    assert done.returncode == 1
    assert f"ImproperlyConfigured: {setting} is set, but the package {package}" in done.stderr
    assert "requirements-production.txt" in done.stderr


def test_a_platform_that_reports_nowhere_loads_neither(tmp_path):
    program = "import gameplatform.asgi, sys; print({'sentry_sdk', 'opentelemetry.instrumentation'} & set(sys.modules))"
    assert run(tmp_path, program).stdout == "set()\n"
