"""A small game server: signs its requests as the PLYR documents show, over any way to send them."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A status and the decoded JSON body."""

    status: int
    body: Any

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


Send = Callable[[str, str, bytes, dict[str, str]], Answer]


def sign(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).hexdigest()


@dataclass
class PlyrClient:
    """``send(method, path, body, headers)`` is the transport; ``paths`` counts what was called."""

    key: str
    secret: str
    send: Send
    prefix: str = "/api"
    now_ms: Callable[[], int] = lambda: int(time.time() * 1000)

    def __post_init__(self) -> None:
        self.calls: list[str] = []
        self._last_ms = 0

    def get(self, path: str) -> Answer:
        return self.raw("GET", path, b"", signed=b"{}")

    def post(self, path: str, body: dict[str, Any] | None = None, *, timestamp: str | None = None) -> Answer:
        data = json.dumps(body or {}, separators=(",", ":"), ensure_ascii=False).encode()
        return self.raw("POST", path, data, timestamp=timestamp)

    def raw(
        self, method: str, path: str, data: bytes, *, signed: bytes | None = None, timestamp: str | None = None
    ) -> Answer:
        """Send exactly these bytes; two requests never share a timestamp unless it is given."""
        self.calls.append(f"{method} {path}")
        moment = timestamp or self.timestamp()
        headers = {
            "apikey": self.key,
            "signature": sign(self.secret, moment, data if signed is None else signed),
            "timestamp": moment,
        }
        return self.send(method, self.prefix + path, data, headers)

    def timestamp(self) -> str:
        self._last_ms = max(self.now_ms(), self._last_ms + 1)
        return str(self._last_ms)

    def finished(self, answer: Answer, *, tick: Callable[[], Any] = lambda: time.sleep(0.1)) -> Answer:
        """The finished task that an asynchronous answer promised; ``tick`` passes the time between two looks."""
        task = answer["task"]
        assert task["status"] == "PENDING"
        for _ in range(300):
            found = self.get(f"/task/status/{task['id']}")
            if found["status"] != "PENDING":
                return found
            tick()
        raise AssertionError(f"task {task['id']} never finished")
