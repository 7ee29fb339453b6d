"""Real web processes and a Valkey of their own, for what only processes can show: kills, restarts, two of them at once."""

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
import websockets
from django.conf import settings
from django.db import connection

from gameplatform.embedded.valkey import find_binary

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def database_url() -> str:
    """The test database, for a process that reads ``DATABASE_URL``."""
    given = connection.settings_dict
    return (
        f"postgres://{given['USER']}:{given['PASSWORD']}@/{given['NAME']}"
        f"?host={given['HOST'] or 'localhost'}&port={given['PORT'] or 5432}"
    )


@dataclass
class Valkey:
    """A server that forgets everything when it is killed."""

    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [str(find_binary().path), "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd="/tmp")
        client = redis.Redis.from_url(self.url)
        wait_until(lambda: _pings(client), "Valkey")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


def _pings(client: Any) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@dataclass
class Web:
    """One uvicorn process with the whole platform."""

    redis_url: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "gameplatform.asgi:application", "--port", str(self.port)]
        command += ["--lifespan", "off", "--log-level", "warning"]
        variables = {
            "DATABASE_URL": database_url(),
            "REDIS_URL": self.redis_url,
            "DEBUG": "true",
            "CLOCK_SOURCE": "database",
            "RATE_LIMITS_ENABLED": "false",
            "PYTHONWARNINGS": "ignore",
        }
        self.process = subprocess.Popen(command, cwd=ROOT, env=os.environ | variables)
        wait_until(self._answers, "the web process")

    def _answers(self) -> bool:
        try:
            return self.call("GET", "/livez")[0] == 200
        except OSError:
            return False

    def kill(self) -> None:
        """As a machine dies: no goodbye to anybody."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> tuple[int, Any]:
        """Status and JSON of an HTTP call."""
        http_connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            headers = {"Content-Type": "application/json"} | ({} if key is None else {"X-API-Key": key})
            http_connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = http_connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None
        finally:
            http_connection.close()

    def socket_url(self, room_id: Any, **query: Any) -> str:
        from_query = "&".join(f"{name}={value}" for name, value in query.items())
        return f"ws://127.0.0.1:{self.port}/ws/{room_id}?{from_query}"

    def connect(self, room_id: Any, **query: Any) -> Any:
        return websockets.connect(self.socket_url(room_id, **query), max_queue=None, ping_interval=None)


@dataclass
class Live:
    """Two web processes on one database and one Valkey."""

    valkey: Valkey
    webs: list[Web]


def start_live() -> Live:
    valkey = Valkey()
    valkey.start()
    webs = [Web(valkey.url), Web(valkey.url)]
    for web in webs:
        web.start()
    settings.REDIS_URL = valkey.url
    return Live(valkey, webs)


def wait_until(condition: Any, what: str, seconds: float = READY_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.05)


async def receive(ws: Any, type: str, *, seconds: float = 10.0) -> dict[str, Any]:
    """The data of the next frame of this type; others are passed over."""
    async with asyncio.timeout(seconds):
        while True:
            frame = json.loads(await ws.recv())
            if frame["type"] == type:
                data: dict[str, Any] = frame["data"]
                return data


async def send(ws: Any, type: str, /, **data: Any) -> None:
    await ws.send(json.dumps({"type": type, "data": data}))


async def close_code(ws: Any, *, seconds: float = 10.0) -> int:
    """With what code the server closed."""
    async with asyncio.timeout(seconds):
        try:
            while True:
                await ws.recv()
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd is not None
            return int(closed.rcvd.code)
