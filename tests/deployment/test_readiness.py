"""`/readyz` names what is away, and `/livez` stays: with the real servers stopped and started below the processes."""

import os
import signal
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.tests.servers import Valkey
from tests.deployment import compose
from tests.deployment.stack import Stack
from tests.support.postgres import Postgres
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

WEB = ("rest", "sockets")
WELL = {"database": "ok", "redis": "ok", "worker": "ok", "beat": "ok"}


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="gameplatform-readiness-") as folder:
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder).resolve())
        server.start()
        yield server
        server.stop()


@pytest.fixture
def valkey(tmp_path) -> Iterator[Valkey]:
    server = Valkey(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def stack(tmp_path, postgres, valkey) -> Iterator[Stack]:
    tested = Stack(tmp_path, database_url=postgres.url, redis_url=valkey.url)
    tested.run("migrate")
    names = (*WEB, "worker", "beat")
    for name in names:
        tested.start(name)
    for name in names:
        tested.wait_ready(name)
    yield tested
    tested.kill()


class Prober(threading.Thread):
    """Asks rest and sockets for ``/livez`` all the time."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self._stack = stack
        self.answers: Counter[tuple[str, int]] = Counter()
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(0.1):
            for name in WEB:
                self.answers[name, ask(self._stack, name, "/livez").status_code] += 1


def ask(stack: Stack, name: str, path: str) -> httpx.Response:
    # As the proxy asks: by a name of the platform's, over TLS.
    headers = {"Host": "localhost", "X-Forwarded-Proto": "https", "X-Forwarded-For": "10.1.1.1"}
    return httpx.get(f"http://127.0.0.1:{stack.ports[name]}{path}", headers=headers, trust_env=False, timeout=20)


def wait_until_both_say(stack: Stack, status: int, **parts: str) -> None:
    """These parts are told, by their beginnings, and all others are well."""
    expected = WELL | parts

    def is_told() -> bool:
        for name in WEB:
            answer = ask(stack, name, "/readyz")
            assert answer.status_code in (200, 503), answer.text
            told = answer.json()["parts"]
            if answer.status_code != status or not all(told[part].startswith(expected[part]) for part in WELL):
                return False
        return True

    wait_for(is_told)


def kill(stack: Stack, name: str) -> None:
    process = stack.processes.pop(name)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_each_part_that_goes_away_is_named_until_it_is_back(stack, postgres, valkey):
    prober = Prober(stack)
    prober.start()
    wait_until_both_say(stack, 200)

    valkey.stop()
    wait_until_both_say(stack, 503, redis="no answer", worker="unknown", beat="unknown")
    assert ask(stack, "rest", "/api/v1/game-lists").status_code == 200
    valkey.start()
    wait_until_both_say(stack, 200)

    postgres.stop()
    wait_until_both_say(stack, 503, database="no answer")
    away = ask(stack, "rest", "/api/v1/game-lists")
    assert (away.status_code, away.json()["statusCode"]) == (503, 503)
    postgres.start()
    wait_until_both_say(stack, 200)
    assert ask(stack, "rest", "/api/v1/game-lists").status_code == 200

    kill(stack, "beat")
    wait_until_both_say(stack, 503, beat="no sign of life for 1")
    stack.start("beat")
    wait_until_both_say(stack, 200)

    kill(stack, "worker")
    wait_until_both_say(stack, 503, worker="no sign of life for 1")
    stack.start("worker")
    wait_until_both_say(stack, 200)

    prober.stopping.set()
    prober.join()
    assert {status for _, status in prober.answers} == {200}
    assert min(prober.answers[name, 200] for name in WEB) > 20
    # What is away is said once by each process that asked, not once for each who asked it.
    said = {name: [line["message"] for line in stack.lines(name)] for name in WEB}
    outages = {name: len([text for text in said[name] if text.startswith("Redis is away")]) for name in WEB}
    command = compose.document()["services"]["rest"]["command"]
    assert 1 <= outages["rest"] <= int(command[command.index("--workers") + 1])
    assert outages["sockets"] == 1
    assert [text for name in WEB for text in said[name] if "readyz" in text] == []
    for name in WEB:
        assert "Traceback" not in stack.log(name).read_text(), name
