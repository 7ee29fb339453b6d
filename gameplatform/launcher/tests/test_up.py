"""``manage.py up`` for real: one platform for the whole file, whose parts and launcher are killed in turn."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from core.observability.health import HEARTBEAT_KEY
from gameplatform.bridge import WSGI_THREADS
from gameplatform.launcher.environment import read_env_file
from gameplatform.launcher.paths import BASE_DIR

pytestmark = [
    pytest.mark.faults,
    pytest.mark.xdist_group("manage_py_up"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

PARTS = ("PostgreSQL", "Valkey", "web", "worker", "beat")
# What each part's command line has and no other's.
COMMANDS = {
    "PostgreSQL": "bin/postgres",
    "Valkey": "/valkey-server",
    "web": "\0gameplatform.launcher.web\0",
    "worker": "\0worker\0",
    "beat": "\0beat\0",
}


def bare_environment() -> dict[str, str]:
    """The shell of a person who has set nothing."""
    ours = (
        "DATABASE_URL",
        "REDIS_URL",
        "DEBUG",
        "CLOCK_SOURCE",
        "SECRET_KEY",
        "GAMEPLATFORM_DATA",
        "DEFAULT_SYMBOL_GAME_ROOM",
        "PLATFORM_URL",
        "TEST_DATABASE_NAME",
    )
    return {name: value for name, value in os.environ.items() if name not in ours}


def manage(*words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BASE_DIR / "manage.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, env=bare_environment() | extra, timeout=60)


def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def parents() -> dict[int, int]:
    """Living process -> its parent."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if state != "Z":
                found[int(entry.name)] = int(parent)
    return found


def descendants(root: int) -> set[int]:
    family, all_parents = {root}, parents()
    while grown := {pid for pid, parent in all_parents.items() if parent in family} - family:
        family |= grown
    return family - {root}


@dataclass
class Platform:
    """A launcher that was started, and the lines it has written."""

    data: Path
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    port: int = 0

    @classmethod
    def start(cls, data: Path) -> "Platform":
        command = [sys.executable, str(BASE_DIR / "manage.py"), "up", "--data", str(data), "--port", "0"]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=bare_environment())
        platform = cls(data, process)
        threading.Thread(target=platform._read, daemon=True).start()
        eventually(lambda: process.poll() is not None or platform.said("Ready after"), seconds=90)
        assert process.poll() is None, platform.lines
        (address,) = [line for line in platform.lines if line.startswith("web ready")]
        platform.port = int(re.findall(r":(\d+)\)$", address)[0])
        return platform

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def said(self, beginning: str) -> bool:
        return any(line.startswith(beginning) for line in self.lines)

    def pid_of(self, part: str) -> int:
        children = [pid for pid, parent in parents().items() if parent == self.process.pid]
        (pid,) = [pid for pid in children if COMMANDS[part] in Path(f"/proc/{pid}/cmdline").read_text()]
        return pid

    def request(self, method: str, path: str, body: bytes | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body)
        response = connection.getresponse()
        response.body = response.read()  # type: ignore[attr-defined]
        connection.close()
        return response

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Seconds until the launcher and everything under it was gone."""
        family = descendants(self.process.pid)
        assert len(family) >= len(PARTS)
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(20)
        eventually(lambda: not family & parents().keys())
        return time.monotonic() - started


@pytest.fixture(scope="module")
def home() -> Iterator[dict[str, Platform]]:
    """The platform of the whole file: tests may come in any order, and some of them stop it."""
    home: dict[str, Platform] = {}
    yield home
    for platform in home.values():
        if platform.process.poll() is None:
            platform.stop()


@pytest.fixture
def platform(home: dict[str, Platform], tmp_path_factory: pytest.TempPathFactory) -> Platform:
    if not home:
        home["only"] = Platform.start(tmp_path_factory.mktemp("up") / "My data")
    elif home["only"].process.poll() is not None:
        home["only"] = Platform.start(home["only"].data)
    eventually(lambda: home["only"].request("GET", "/readyz").status == 200)
    return home["only"]


def test_each_part_has_one_line_when_it_is_ready(platform: Platform) -> None:
    ready = [line.split(" ready")[0] for line in platform.lines if " ready" in line]
    assert [re.sub(r" [\d.]+$", "", name) for name in ready] == list(PARTS)


def test_another_shell_finds_the_web_server_too(platform: Platform) -> None:
    answer = manage("play", "--help", "--data", str(platform.data))
    assert f"default: http://127.0.0.1:{platform.port} " in re.sub(r"\s+", " ", answer.stdout)


def test_another_shell_finds_the_platform_by_its_data_folder(platform: Platform) -> None:
    answer = manage("migrate", "--check", "--data", str(platform.data))
    assert (answer.returncode, answer.stderr) == (0, "")
    # The negative control: beside an empty folder there is no secret, let alone a database.
    assert manage("migrate", "--check", "--data", str(platform.data.parent / "other")).returncode != 0


def test_a_second_launcher_on_the_same_folder_is_refused_in_one_sentence(platform: Platform) -> None:
    answer = manage("up", "--data", str(platform.data), "--port", "0")
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert re.fullmatch(
        rf"Another manage\.py up \(process {platform.process.pid}\) already runs on .*My data\. Stop it first, or give"
        r" this one another folder with --data DIR\.\n",
        answer.stderr,
    )
    assert platform.request("GET", "/livez").status == 200


def test_a_taken_port_is_refused_in_one_sentence_and_nothing_is_left(platform: Platform, tmp_path: Path) -> None:
    answer = manage("up", "--data", str(tmp_path / "data"), "--port", str(platform.port))
    assert answer.returncode == 1
    assert answer.stderr == (
        f"Port {platform.port} is taken by another program. Stop it, or choose another (--port 0 takes any free one).\n"
    )
    assert not (tmp_path / "data" / "postgres").exists()


def test_the_servers_listen_on_no_tcp_port(platform: Platform) -> None:
    for part in ("PostgreSQL", "Valkey"):
        pid = platform.pid_of(part)
        sockets = {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink() and fd.exists()}
        rows = [
            line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()
        ]
        listening = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}
        assert listening
        assert not sockets & listening


def test_static_files_of_the_admin_are_served_and_head_has_no_body(platform: Platform) -> None:
    path = "/static/admin/css/base.css"
    got, head = platform.request("GET", path), platform.request("HEAD", path)
    assert (got.status, head.status) == (200, 200)
    assert len(got.body) == int(got.headers["Content-Length"]) > 10_000  # type: ignore[attr-defined]
    assert head.body == b""  # type: ignore[attr-defined]


def test_an_unknown_websocket_path_is_refused_without_a_traceback(platform: Platform) -> None:
    with (
        pytest.raises(InvalidStatus) as refusal,
        connect(f"ws://127.0.0.1:{platform.port}/no/such/socket?token=s3cret"),
    ):
        pass
    assert refusal.value.response.status_code == 403
    log = (platform.data / "logs" / "web.log").read_text()
    assert "Traceback" not in log
    assert "s3cret" not in log


def test_callers_that_send_slowly_or_leave_do_not_hold_the_threads(platform: Platform) -> None:
    half = b"POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf"
    slow = [socket.create_connection(("127.0.0.1", platform.port)) for _ in range(12)]
    for caller in slow:
        caller.sendall(half)
    for caller in slow[:6]:
        caller.close()
    started = time.monotonic()
    assert platform.request("GET", "/livez").status == 200
    assert time.monotonic() - started < 5
    for caller in slow[6:]:
        caller.close()


def test_the_web_servers_threads_keep_their_database_connections(platform: Platform) -> None:
    database_url = read_env_file(platform.data / "runtime.env")["DATABASE_URL"]

    def connections_after_requests() -> set[int]:
        with ThreadPoolExecutor(16) as callers:
            answers = callers.map(lambda _: platform.request("GET", "/readyz").status, range(64))
        assert set(answers) == {200}
        with psycopg.connect(database_url) as connection:
            query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'gameplatform web'"
            return {pid for (pid,) in connection.execute(query)}

    first, second = connections_after_requests(), connections_after_requests()
    assert first <= second
    # One for each thread that answers requests, and one for all that the sockets ask.
    assert 1 <= len(second) <= WSGI_THREADS + 1


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_killed_is_started_again(platform: Platform, part: str) -> None:
    before = platform.pid_of(part)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: platform.said(f"{part} stopped (signal 9), started again"))
    assert platform.pid_of(part) != before
    # Callers wait while a web server comes back: its port never closes.
    assert platform.request("GET", "/livez").status == 200
    # The parts find each other again: /readyz asks the database, Redis, and for a new sign of life of worker and beat.
    redis_url = read_env_file(platform.data / "runtime.env")["REDIS_URL"]
    # A server that was just started again does not listen yet.
    retry = Retry(ConstantBackoff(0.2), 50, supported_errors=(redis.ConnectionError,))
    with redis.Redis.from_url(redis_url, retry=retry) as client:
        client.delete(HEARTBEAT_KEY)
    eventually(lambda: platform.request("GET", "/readyz").status == 200)


def test_a_killed_launcher_leaves_nothing_and_the_next_start_keeps_data_and_secrets(
    platform: Platform, home: dict[str, Platform]
) -> None:
    secrets = read_env_file(platform.data / "secrets.env")
    platform.stop(signal.SIGKILL)

    again = home["only"] = Platform.start(platform.data)
    assert not again.said("Database migrated")
    assert read_env_file(platform.data / "secrets.env") == secrets
    assert manage("migrate", "--check", "--data", str(platform.data)).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_launcher_that_is_asked_to_stop_has_stopped_everything_in_ten_seconds(
    platform: Platform, number: signal.Signals
) -> None:
    assert platform.stop(number) < 10
    assert platform.process.returncode == 0
    assert platform.lines[-1] == "Stopping."
    log = (platform.data / "logs" / "postgres.log").read_text()
    assert log.rstrip().endswith("database system is shut down")
