"""Children: watched, started again, stopped in order, and never left behind. With real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gameplatform.launcher.children import Child, Part, Supervisor
from gameplatform.launcher.paths import BASE_DIR
from gameplatform.launcher.problems import LauncherError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def supervisor(lines: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(lines.append)
    yield supervisor
    supervisor.stop()


def sleeper(tmp_path: Path, name: str = "sleeper", **options: object) -> Part:
    return script_part(tmp_path, name, "echo up; exec sleep 60", **options)


def script_part(tmp_path: Path, name: str, script: str, **options: object) -> Part:
    return Part(name, ["/bin/sh", "-c", script], os.environ, tmp_path / f"{name}.log", **options)  # type: ignore[arg-type]


def said_up(child: Child) -> bool:
    return "up" in child.new_log()


def eventually(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_child_that_is_killed_is_started_again_and_one_line_says_so(
    supervisor: Supervisor, lines: list[str], tmp_path: Path
) -> None:
    child = supervisor.start(sleeper(tmp_path, is_ready=said_up))
    supervisor.wait_ready(child, 10)
    first = child.process.pid
    os.kill(first, signal.SIGKILL)

    def restarted() -> bool:
        supervisor.look_after()
        return child.process.pid != first

    eventually(restarted)
    assert child.process.poll() is None
    assert len(lines) == 1
    assert lines[0].startswith("sleeper stopped (signal 9), started again (log: ")


def test_a_child_that_keeps_dying_is_started_again_ever_more_slowly(supervisor: Supervisor, tmp_path: Path) -> None:
    child = supervisor.start(script_part(tmp_path, "weak", "exit 3"))
    child.was_ready = True
    delays = []
    for _ in range(4):
        child.process.wait()
        supervisor.look_after()
        assert child.restart_at is not None
        delays.append(child.restart_at - time.monotonic())
        child.restart_at = 0.0  # no need to sit through it
        supervisor.look_after()
    assert delays == pytest.approx([0.2, 0.4, 0.8, 1.6], abs=0.1)


def test_a_child_that_dies_before_it_was_ready_ends_the_start_with_the_end_of_its_log(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    child = supervisor.start(script_part(tmp_path, "broken", "echo no such table; exit 7", is_ready=said_up))
    with pytest.raises(
        LauncherError, match=r"^broken stopped while starting \(exit code 7\): no such table \(log: .*\)$"
    ):
        supervisor.wait_ready(child, 10)


def test_a_child_that_is_never_ready_is_given_up_after_the_time_out(supervisor: Supervisor, tmp_path: Path) -> None:
    child = supervisor.start(sleeper(tmp_path, is_ready=lambda _: False))
    with pytest.raises(LauncherError, match="sleeper was not ready after 0 seconds"):
        supervisor.wait_ready(child, 0.2)


def test_stopping_goes_round_by_round_and_kills_what_does_not_listen(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    polite = "trap 'echo {} >> {}; exit' TERM; echo up; while :; do sleep 0.05; done"
    deaf = script_part(
        tmp_path,
        "deaf",
        "trap '' TERM; echo up; while :; do sleep 0.05; done",
        is_ready=said_up,
        stop_within_seconds=0.5,
    )
    parts = [
        script_part(tmp_path, "database", polite.format("database", order), is_ready=said_up, stop_round=2),
        script_part(tmp_path, "web", polite.format("web", order), is_ready=said_up),
        deaf,
    ]
    children = [supervisor.start(part) for part in parts]
    for child in children:
        supervisor.wait_ready(child, 10)
    supervisor.stop()

    assert order.read_text().split() == ["web", "database"]
    assert [child.process.returncode for child in children] == [0, 0, -signal.SIGKILL]


def test_a_log_that_grew_too_long_is_cut_while_its_child_goes_on_writing(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gameplatform.launcher.children.MAX_LOG_BYTES", 1000)
    part = script_part(tmp_path, "talker", "while :; do echo 0123456789; sleep 0.001; done")
    supervisor.start(part)
    old = part.log.with_suffix(".log.1")

    def was_cut() -> bool:
        supervisor.look_after()
        return old.exists()

    eventually(was_cut)
    assert old.stat().st_size > 1000
    eventually(lambda: part.log.stat().st_size > 0)
    assert part.log.read_text().splitlines()[-1] in "0123456789"


def test_no_child_outlives_a_launcher_that_is_killed(tmp_path: Path) -> None:
    script = """
import os, sys, time
from pathlib import Path
from gameplatform.launcher.children import Part, Supervisor
supervisor = Supervisor(print)
child = supervisor.start(Part("sleeper", ["/bin/sleep", "60"], os.environ, Path(sys.argv[1])))
print(child.process.pid, flush=True)
time.sleep(60)
"""
    command = [sys.executable, "-c", script, str(tmp_path / "sleeper.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=BASE_DIR) as launcher:
        assert launcher.stdout is not None
        child = int(launcher.stdout.readline())
        assert not is_gone(child)
        launcher.kill()
    eventually(lambda: is_gone(child))
