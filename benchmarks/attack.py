"""Attack a running platform: replayed pot requests, log-in floods, muted users who edit.

``python -m benchmarks.attack`` beside ``./bin/up`` (``--data DIR`` for another folder than ``var``) prints one row for
each attempt and ends with 1 when an attack got through. It only ever calls this machine, stops after about
``6 × --seconds`` seconds, and leaves its own players, key and chat room behind.
"""

import argparse
import hashlib
import hmac
import json
import os
import re
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
import httpx
import pyotp

# Log-in clients of each stage; the first is the control.
STAGES = (0, 6, 12)
# Other routes may get at most this much slower under a flood.
SLOWER_MAX = 2.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Row:
    """One attempt and its outcome."""

    attack: str
    attempt: str
    outcome: str
    holds: bool


class GameServer:
    """A game's server with a signing key, as an eavesdropper has captured its requests."""

    def __init__(self, http: httpx.Client, key: str, secret: str) -> None:
        self._http, self._key, self._secret = http, key, secret
        self._last_ms = 0

    def sign(self, body: bytes) -> dict[str, str]:
        """The headers of a request; no two share a timestamp."""
        self._last_ms = max(int(time.time() * 1000), self._last_ms + 1)
        moment = str(self._last_ms)
        signature = hmac.new(self._secret.encode(), moment.encode() + (body or b"{}"), hashlib.sha256).hexdigest()
        return {
            "apikey": self._key,
            "timestamp": moment,
            "signature": signature,
            "Content-Type": "application/json",
        }

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """An honest request. Raises ``httpx.HTTPStatusError``."""
        data = json.dumps(body, separators=(",", ":")).encode()
        answer: dict[str, Any] = self.send(path, data, self.sign(data)).raise_for_status().json()
        return answer

    def send(self, path: str, data: bytes, headers: dict[str, str]) -> httpx.Response:
        """Exactly these bytes under these headers."""
        return self._http.post(f"/api{path}", content=data, headers=headers)

    def balance(self, plyr_id: str) -> str:
        """What the player owns, as the API writes it."""
        answer = self._http.get(f"/api/user/balance/{plyr_id}/gold", headers=self.sign(b""))
        return json.dumps(answer.raise_for_status().json(), sort_keys=True)


def replays(http: httpx.Client, staff: dict[str, str]) -> Iterator[Row]:
    """Send a captured ``earn`` again under other spellings of its body, and a captured ``pay`` to other routes."""
    tag = uuid.uuid4().hex[:8]
    server, plyr_id = _game_server(http, tag), f"attacked-{tag}"
    _player_with_money(http, staff, server, plyr_id)
    login = server.post("/user/login", {"plyrId": plyr_id, "otp": _next_code(plyr_id), "gameId": "slot"})
    paying = {"sessionJwts": {plyr_id: login["sessionJwt"]}, "tokens": ["gold"], "amounts": [1], "sync": True}
    made = server.post("/game/createJoinPay", {**paying, "amounts": [5], "expiresIn": 3600})
    room = made["task"]["roomId"] if "task" in made else made["roomId"]

    earn = json.dumps(
        {"roomId": room, "plyrIds": [plyr_id], "tokens": ["gold"], "amounts": [1], "sync": True}, separators=(",", ":")
    ).encode()
    captured = server.sign(earn)
    server.send("/game/earn", earn, captured).raise_for_status()
    for name, body in {
        "one space more": earn + b" ",
        "two spaces more": earn + b"  ",
        "an escaped letter": earn.replace(b'"roomId"', b'"r\\u006fomId"'),
        "other order": json.dumps(dict(reversed(json.loads(earn).items()))).encode(),
    }.items():
        before = server.balance(plyr_id)
        status = server.send("/game/earn", body, captured).status_code
        held = server.balance(plyr_id) == before
        yield Row("replayed earn", name, f"{status}, balance {'unchanged' if held else 'CHANGED'}", held)

    pay = json.dumps({**paying, "roomId": room}, separators=(",", ":")).encode()
    captured = server.sign(pay)
    server.send("/game/pay", pay, captured).raise_for_status()
    for route in ("/game/joinPay", "/game/createJoinPay"):
        before = server.balance(plyr_id)
        status = server.send(route, pay, captured).status_code
        held = server.balance(plyr_id) == before
        yield Row("replayed pay", route, f"{status}, balance {'unchanged' if held else 'CHANGED'}", held)


def log_in_floods(url: str, seconds: float) -> Iterator[Row]:
    """Guess at unknown names with more and more clients, and time an open route beside them."""
    control = 0.0
    for clients in STAGES:
        with _flood(url, clients) as counts:
            median = _median_seconds(url, seconds)
        control = control or median
        held = median <= SLOWER_MAX * control
        answers = ", ".join(f"{count} × {status}" for status, count in sorted(counts.items()))
        outcome = f"GET /game-lists p50 {median * 1000:.1f} ms ({median / control:.2f} of control); {answers or '-'}"
        yield Row("log-in flood", f"{clients} clients", outcome, held)


def moderation(http: httpx.Client) -> Iterator[Row]:
    """A muted and a banned user put text before others by every path but posting."""
    from django.core.management import call_command  # noqa: PLC0415 - settings are there only now

    shown = StringIO()
    call_command("create_api_client", f"attacked tenant {uuid.uuid4().hex[:8]}", stdout=shown, stderr=StringIO())
    match = re.search(r"^key:\s+(\S+)", shown.getvalue(), re.MULTILINE)
    assert match is not None
    tenant = {"Authorization": f"Bearer {match[1]}"}

    def call(method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        return http.request(method, f"/api/v1{path}", json=body, headers=tenant)

    room = call("POST", "/rooms", {"name": f"attacked {uuid.uuid4().hex[:8]}"}).raise_for_status().json()["data"]["id"]
    for sanction, adjective in (("mute", "muted"), ("ban", "banned")):
        user = {"user_id": f"{adjective}-user", "user_name": "Mallory"}
        call("POST", f"/rooms/{room}/join", user).raise_for_status()
        said = {"sender_id": user["user_id"], "sender_name": "Mallory", "content": "harmless"}
        first, second = (
            call("POST", f"/rooms/{room}/messages", said).raise_for_status().json()["data"]["id"] for _ in range(2)
        )
        call("DELETE", f"/messages/{second}", {"user_id": user["user_id"]}).raise_for_status()
        call("POST", f"/rooms/{room}/{sanction}", {"user_id": user["user_id"], "reason": "attack"}).raise_for_status()
        attempts = {
            "post": ("POST", f"/rooms/{room}/messages", said),
            "edit": ("PUT", f"/messages/{first}", {"user_id": user["user_id"], "content": "anything at all"}),
            "restore": ("POST", f"/messages/{second}/restore", {"user_id": user["user_id"]}),
        }
        for name, (method, path, body) in attempts.items():
            status = call(method, path, body).status_code
            yield Row(f"{adjective} user", name, str(status), 400 <= status < 500)


def _game_server(http: httpx.Client, tag: str) -> GameServer:
    from django.core.management import call_command  # noqa: PLC0415 - settings are there only now

    from accounts.models import Game  # noqa: PLC0415

    Game.objects.get_or_create(symbol="SLOT", defaults={"name": "Slot Machine"})
    shown = StringIO()
    call_command(
        "create_api_client", f"attacked server {tag}", "--scope", "pots", "--game", "SLOT", stdout=shown, stderr=shown
    )
    parts = dict(re.findall(r"^([a-z ]+):\s+(\S+)$", shown.getvalue(), re.MULTILINE))
    return GameServer(http, parts["key"], parts["signing secret"])


_secrets: dict[str, str] = {}
_used: dict[str, int] = {}


def _next_code(plyr_id: str) -> str:
    """A code that was not used yet: the window takes one step to either side of now."""
    now = int(time.time()) // 30
    step = max(now - 1, _used.get(plyr_id, 0) + 1)
    while step > int(time.time()) // 30 + 1:
        time.sleep(1)
    _used[plyr_id] = step
    return pyotp.TOTP(_secrets[plyr_id]).generate_otp(step)


def _player_with_money(http: httpx.Client, staff: dict[str, str], server: GameServer, plyr_id: str) -> None:
    from core.db import clock  # noqa: PLC0415 - settings are there only now
    from payments.players import create_player  # noqa: PLC0415

    made = create_player(plyr_id=plyr_id, user=None, now=clock.now())
    _secrets[plyr_id] = pyotp.parse_uri(made.otpauth_uri).secret
    deposit = {"user_id": made.player.user_id, "token": "GOLD", "amount": "50.00", "reason": "attack"}
    key = {"Idempotency-Key": f"attack-{uuid.uuid4().hex}"}
    http.post("/api/v1/wallet/deposits", json=deposit, headers=staff | key).raise_for_status()
    grant = {"plyrId": plyr_id, "otp": _next_code(plyr_id), "gameId": "slot", "tokens": ["gold"], "amounts": [40]}
    server.post("/game/approve", grant)


@contextmanager
def _flood(url: str, clients: int) -> Iterator[dict[int, int]]:
    stop, counts, lock = threading.Event(), dict[int, int](), threading.Lock()

    def guess(number: int) -> None:
        with httpx.Client(base_url=url, timeout=30) as http:
            while not stop.is_set():
                body = {"username": f"stranger-{number}-{uuid.uuid4().hex[:8]}", "password": "a guess"}
                status = http.post("/api/v1/auth/login", json=body).status_code
                with lock:
                    counts[status] = counts.get(status, 0) + 1

    threads = [threading.Thread(target=guess, args=(number,), daemon=True) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield counts
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=35)


def _median_seconds(url: str, seconds: float) -> float:
    taken = []
    with httpx.Client(base_url=url, timeout=60) as http:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            started = time.monotonic()
            http.get("/api/v1/game-lists").raise_for_status()
            taken.append(time.monotonic() - started)
            time.sleep(0.05)
    return statistics.median(taken)


def _staff(http: httpx.Client, data: Path) -> dict[str, str]:
    password = json.loads((data / "demo-logins.json").read_text())["demo_staff"]
    body = {"username": "demo_staff", "password": password}
    answer = http.post("/api/v1/auth/login", json=body).raise_for_status().json()
    return {"Authorization": f"Bearer {answer['data']['access']}"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="var", help="the data folder of the running ./bin/up (default: var)")
    parser.add_argument("--seconds", type=float, default=60, help="how long each stage of the flood lasts")
    options = parser.parse_args()
    data = Path(options.data).resolve()
    os.environ["GAMEPLATFORM_DATA"] = str(data)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gameplatform.settings")
    django.setup()
    from django.conf import settings  # noqa: PLC0415 - the data folder must be named first

    url = str(settings.PLATFORM_URL)
    if urlsplit(url).hostname not in LOOPBACK:
        print(f"{url} is not on this machine: attacks are for a platform of your own.", file=sys.stderr)
        return 2
    failed = 0
    with httpx.Client(base_url=url, timeout=60) as http:
        staff = _staff(http, data)
        print(f"{'attack':<16} {'attempt':<22} {'holds':<6} outcome")
        for rows in (replays(http, staff), moderation(http), log_in_floods(url, options.seconds)):
            for row in rows:
                failed += not row.holds
                print(f"{row.attack:<16} {row.attempt:<22} {'yes' if row.holds else 'NO':<6} {row.outcome}", flush=True)
    print(f"{failed} attacks got through." if failed else "Every attack was refused.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
