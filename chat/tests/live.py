"""Two real web processes and a Valkey of their own, and a small client for their chat."""

import asyncio
import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import websockets
from django.conf import settings

from core.tests.servers import Valkey
from tests.support.servers import WebServer, environment


class ChatServer(WebServer):
    """One web process, spoken to as a tenant does."""

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of an HTTP call; ``key="…"`` is the tenant's, ``authorization="…"`` a user's."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        names = {"key": "X-API-Key", "authorization": "Authorization"}
        try:
            sent = {"Content-Type": "application/json"} | {names[name]: value for name, value in headers.items()}
            text = None if body is None else json.dumps(body, ensure_ascii=False).encode()
            connection.request(method, path, text, sent)
            response = connection.getresponse()
            answer = response.read()
            return response.status, json.loads(answer) if answer else None
        finally:
            connection.close()

    def socket_url(self, room_id: Any, **query: Any) -> str:
        from_query = "&".join(f"{name}={value}" for name, value in query.items())
        return f"{self.ws_url}/ws/{room_id}?{from_query}"

    def connect(self, room_id: Any, **query: Any) -> Any:
        return websockets.connect(self.socket_url(room_id, **query), max_queue=None, compression=None)


@dataclass
class Live:
    """The processes of one platform."""

    valkey: Valkey
    webs: list[ChatServer]

    @classmethod
    def start(cls, folder: Path) -> "Live":
        """Everything up. ``settings.REDIS_URL`` must be put back by the caller."""
        valkey = Valkey(folder)
        valkey.start()
        settings.REDIS_URL = valkey.url
        variables = environment(folder, RATE_LIMITS_ENABLED="false", CLOCK_SOURCE="database", PYTHONWARNINGS="ignore")
        webs = [ChatServer(variables), ChatServer(variables)]
        for web in webs:
            web.start()
        return cls(valkey, webs)

    def stop(self) -> None:
        for web in self.webs:
            web.kill()
        if self.valkey.process is not None:
            self.valkey.stop()


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
        await ws.wait_closed()
    code: int = ws.close_code
    return code
