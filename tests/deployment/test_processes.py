"""The production processes, as docker/compose.yaml starts them, behind nginx as docker/ configures it: played against,
restarted one by one while they are played against, and read for what they logged."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal

import httpx
import pytest
import websockets
from django.conf import settings as django_settings
from django.db import connection, transaction

from accounts.models import User
from core.db import clock
from payments.models import Account
from rooms import offers
from rooms.models import Participant, Room
from tests.deployment import compose
from tests.deployment.conftest import PASSWORD, signed_in
from tests.deployment.stack import NGINX, WARM_SHUTDOWN, Stack
from tests.support.books import findings

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

# What the restarted sockets and worker count as soon as people play on them.
BUSY = ('gameplatform_deliveries_total{stream="room"}', "gameplatform_session_lateness_seconds_count")


@pytest.fixture
def room(stack, game) -> Room:
    """The first of the rooms; their sessions are short, and those of the last are always refunded."""
    boss = User.objects.get(username="boss")
    tables = {f"for two, {n}": ["60", "40"] for n in range(4)}
    tables["for twenty"] = [str(Decimal("9.75") - Decimal("0.5") * n) for n in range(20)]
    rooms = [
        offers.create_room(
            actor=boss,
            game_id=game.pk,
            name=name,
            symbol=None,
            entry_fee_minor=333,
            prize_table=[(rank, Decimal(percent)) for rank, percent in enumerate(percents, start=1)],
            now=clock.now(),
            max_participants=20,
            join_window_seconds=4,
            run_seconds=1,
        )
        for name, percents in tables.items()
    ]
    return rooms[0]


class Listener(threading.Thread):
    """A room's stream through the proxy, resumed whenever its server goes; what came, and how each socket ended."""

    def __init__(self, stack: Stack, room: Room, token: str) -> None:
        super().__init__(daemon=True)
        self._url = f"{stack.url.replace('https', 'wss')}/ws/game-rooms/{room.pk}?token={token}"
        self._tls = stack.tls()
        self.seqs: list[int] = []
        self.beginnings: list[str] = []
        self.codes: list[int | None] = []
        self.refused = 0
        self.stopping = False

    def run(self) -> None:
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        while not self.stopping:
            since = f"&since={self.seqs[-1]}" if self.seqs else ""
            try:
                async with websockets.connect(self._url + since, ssl=self._tls, proxy=None) as socket:
                    await self._read(socket)
            except (OSError, websockets.InvalidStatus, websockets.InvalidMessage):
                self.refused += 1
                await asyncio.sleep(0.3)

    async def _read(self, socket: websockets.ClientConnection) -> None:
        while not self.stopping:
            try:
                frame = json.loads(await asyncio.wait_for(socket.recv(), 0.5))
            except TimeoutError:
                continue
            except websockets.ConnectionClosed as closed:
                self.codes.append(closed.rcvd.code if closed.rcvd else None)
                return
            if frame["type"] in ("snapshot", "resumed"):
                self.beginnings.append(frame["type"])
            self.seqs += [frame["seq"]] if "seq" in frame and frame["type"] != "resumed" else []


def play(stack: Stack, *words: str) -> subprocess.Popen[str]:
    (stack.folder / "password").write_text(f"{PASSWORD}\n")
    staff = ["--staff-username", "boss", "--staff-password-file", str(stack.folder / "password")]
    return subprocess.Popen(
        [sys.executable, "manage.py", "play", "--base-url", stack.url, *staff, *words],
        cwd=django_settings.BASE_DIR,
        env=stack.environment("rest") | {"SSL_CERT_FILE": str(stack.secrets / "tls_certificate")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for_places(playing: subprocess.Popen[str], *, at_least: int) -> None:
    deadline = time.monotonic() + 60
    while Participant.objects.count() < at_least:
        assert playing.poll() is None, playing.communicate()[0]
        assert time.monotonic() < deadline, "nobody plays"
        time.sleep(0.1)


def restart(stack: Stack, name: str) -> float:
    took = stack.stop(name)
    stack.start(name)
    stack.wait_ready(name)
    return took


@pytest.mark.skipif(
    NGINX is None, reason="nginx is missing: THE PRODUCTION PROCESSES WERE NOT TESTED (apt install nginx)"
)
@pytest.mark.parametrize(
    ("players", "rounds"),
    [(10, 1), pytest.param(100, 3, marks=[pytest.mark.nightly, pytest.mark.timeout(600)])],
)
def test_every_process_is_restarted_while_people_play_and_no_unit_is_lost(stack, room, players, rounds):
    # What the image's build does; the database of the tests is migrated, so this finds nothing to do.
    stack.run("migrate")
    stack.manage("collectstatic", "--no-input")
    found = stack.manage("check", "--deploy", "--fail-level", "INFO")
    assert found == "System check identified no issues (1 silenced).\n"
    names = ("rest", "sockets", "worker", "beat", "proxy")
    for name in names:
        stack.start(name)
    for name in names:
        stack.wait_ready(name)
    with stack.client() as client:
        token = signed_in(client)
        listener = Listener(stack, room, token)
        listener.start()
        playing = play(stack, "--players", str(players), "--minutes", "10")
        wait_for_places(playing, at_least=players // 2)
        took = [{name: restart(stack, name) for name in names} for _ in range(rounds)]
        wait_until_counted(stack, *BUSY)
        # However long the restarts took: no more joins from here on.
        playing.send_signal(signal.SIGINT)
        output, _ = playing.communicate(timeout=300)
        assert playing.returncode == 0, output
        reconciled = rf"^Reconciled: {players} players, \d+ sessions, to the last unit$"
        assert re.search(reconciled, output, re.MULTILINE), output
        assert client.get("/readyz").json() == {
            "status": "ok",
            "parts": {"database": "ok", "redis": "ok", "worker": "ok", "beat": "ok"},
        }
        assert client.get("/metrics").status_code == 404
        css = client.get("/static/admin/css/base.css")
        assert (css.status_code, css.headers["Content-Type"]) == (200, "text/css")
    counted = stack.scraped()
    assert counted["gameplatform_database_up"] == 1
    assert 0 <= counted["gameplatform_tick_age_seconds"] < 10
    assert counted["gameplatform_transfers"] > 0
    assert counted["gameplatform_joins_total"] >= 1
    assert counted["gameplatform_sockets"] == 1
    health = [sys.executable, str(compose.FOLDER / "healthcheck.py"), "tick"]
    subprocess.run(health, env=stack.environment("worker"), check=True)
    listener.stopping = True
    listener.join(timeout=10)
    print(output, took, listener.codes, listener.refused, stack.manage("verify_ledger"))
    assert findings() == []
    # 1012 is the word of the sockets' own server; whom the proxy cuts hears nothing.
    assert listener.codes[0] == 1012
    assert listener.beginnings[0] == "snapshot"
    assert set(listener.beginnings[1:]) == {"resumed"}
    assert listener.seqs == list(range(listener.seqs[0], listener.seqs[0] + len(listener.seqs)))
    for name in names:
        stack.stop(name)
    read_logs(stack, token, stops=rounds + 1)


def wait_until_counted(stack: Stack, *metrics: str) -> None:
    """A process that was just restarted counts from nothing: the people play on until each of these has happened."""
    deadline = time.monotonic() + 60
    while missing := [name for name in metrics if not any(seen.startswith(name) for seen in stack.scraped())]:
        assert time.monotonic() < deadline, f"never counted: {missing}"
        time.sleep(0.2)


def read_logs(stack: Stack, token: str, *, stops: int) -> None:
    """One JSON object a line, and no secret in any."""
    secrets = {path.read_text().strip() for path in stack.secrets.iterdir()} | {PASSWORD, token}
    for name in ("rest", "sockets", "worker", "beat"):
        lines = stack.log(name).read_text().splitlines()
        if name == "worker":
            # Celery says these past every logger.
            assert lines.count(WARM_SHUTDOWN) == stops
            lines = [line for line in lines if line not in ("", WARM_SHUTDOWN)]
        for line in lines:
            assert {"time", "level", "logger", "request_id", "message"} <= json.loads(line).keys(), (name, line)
    texts = {path.name: path.read_text() for path in stack.folder.glob("*.log")}
    assert texts["access.log"].count('"path":"/api/v1/game-join-rooms"') > 0
    assert texts["access.log"].count('"path":"/ws/game-rooms/') > 0
    for name, text in texts.items():
        assert not [secret for secret in secrets if secret in text], name
        assert not re.search(r"eyJ|ticket_|token=|Bearer|argon2|password\"", text), name


def test_a_request_in_progress_is_answered_before_rest_stops(stack):
    stack.start("rest")
    stack.wait_ready("rest")
    base_url = f"http://127.0.0.1:{stack.ports['rest']}"
    headers = {"Host": "localhost", "X-Forwarded-Proto": "https"}
    with httpx.Client(base_url=base_url, headers=headers, trust_env=False, timeout=30) as client:
        client.headers["Authorization"] = f"Bearer {signed_in(client)}"
        answers: list[httpx.Response] = []
        receiver = User.objects.create_user("receiver")
        body = {"user_id": receiver.pk, "token": "GOLD", "amount": "5", "reason": "slow"}

        def deposit(key: str) -> None:
            answers.append(client.post("/api/v1/wallet/deposits", json=body, headers={"Idempotency-Key": key}))

        deposit("the first makes the wallet")
        with transaction.atomic():
            list(Account.objects.select_for_update())
            slow = threading.Thread(target=deposit, args=["one that waits"])
            slow.start()
            wait_until_somebody_waits_for_a_lock()
            stopping = threading.Thread(target=stack.stop, args=["rest"])
            stopping.start()
            time.sleep(1)
            assert len(answers) == 1
        slow.join(timeout=20)
        stopping.join(timeout=30)
    assert [answer.status_code for answer in answers] == [201, 201]
    assert Account.objects.get(owner=receiver).balance_minor == 1000
    assert "rest" not in stack.processes


def wait_until_somebody_waits_for_a_lock() -> None:
    deadline = time.monotonic() + 10
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while True:
        with connection.cursor() as cursor:
            # Inside a transaction the statistics are those of the first look.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        assert time.monotonic() < deadline, "no request waits"
        time.sleep(0.02)
