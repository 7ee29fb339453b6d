"""Children of the launcher: started so that none outlives it, started again when one dies, stopped in order."""

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

from gameplatform.launcher.paths import shown
from gameplatform.launcher.problems import LauncherError, StopRequested

POLL_SECONDS = 0.05
FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 10.0
# A child that lived this long was well: its next death starts again with the shortest delay.
SETTLED_SECONDS = 30.0
MAX_LOG_BYTES = 10 * 1024 * 1024

_PR_SET_PDEATHSIG = 1
# Python's exceptions, Django's commands, PostgreSQL and initdb.
_ERROR = re.compile(r"Error: |Exception: |ImproperlyConfigured: |\b(FATAL|PANIC|error): ")
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Identity:
    """Under whom a program runs: a command put before its own, or another user and group; by default ourselves."""

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None


@dataclass(frozen=True)
class Part:
    """What to run, and how it ends. ``command`` starts with a full path.

    Attributes:
        stop_signal: asks it to stop in order, when the launcher stops.
        death_signal: what the kernel sends it when the launcher is gone without a word.
        stop_within_seconds: how long the orderly stop may take before it is killed.
        stop_round: parts of a lower round have stopped before it is asked to.
        before_start: runs before each start, the first and every later one.
        is_ready: whether it can be used; asked until it says yes.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    identity: Identity = Identity()
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    stop_within_seconds: float = 5.0
    stop_round: int = 0
    cwd: Path = Path("/")
    pass_fds: tuple[int, ...] = ()
    before_start: Callable[[], None] = lambda: None
    is_ready: Callable[["Child"], bool] = lambda _: True


@dataclass
class Child:
    """A part that was started."""

    part: Part
    process: subprocess.Popen[bytes]
    log_offset: int
    started_at: float = field(default_factory=time.monotonic)
    was_ready: bool = False
    failures: int = 0
    restart_at: float | None = None

    def new_log(self) -> str:
        """What it wrote since it was started."""
        with self.part.log.open("rb") as log:
            log.seek(self.log_offset)
            return log.read().decode(errors="replace")


def _die_with_parent(parent: int, death_signal: int) -> None:
    """Runs in the child between fork and exec, after a change of user (which would clear the request)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # it died before the request was made
            os._exit(1)


def spawn(part: Part) -> Child:
    """Start the part. Only from the main thread: the death signal follows the thread that forked, not the process."""
    part.before_start()
    part.log.touch(mode=0o600)
    with part.log.open("ab") as log:
        # Taken before the start: parent and child share one position in the file.
        log_offset = log.tell()
        process = subprocess.Popen(
            [*part.identity.prefix, *part.command],
            env=dict(part.environment),
            cwd=part.cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C goes to the whole group of the terminal; the order of stopping is the launcher's to choose.
            start_new_session=True,
            pass_fds=part.pass_fds,
            user=part.identity.user,
            group=part.identity.group,
            extra_groups=[] if part.identity.group is not None else None,
            preexec_fn=partial(_die_with_parent, os.getpid(), part.death_signal),
        )
    return Child(part, process, log_offset)


def ending(returncode: int) -> str:
    return f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"


def cause(text: str) -> str:
    """The line of a log that most likely says why its program ended: the last that names an error, or else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if _ERROR.search(line)]
    return (named or lines or ["it wrote nothing"])[-1]


class Supervisor:
    """Keeps the children alive until asked to stop, then stops them in order."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._children: list[Child] = []
        self._stop_requests = 0

    def listen_for_stop(self) -> None:
        """Ctrl-C, SIGTERM and a closed terminal ask for an orderly stop; asking again kills what hesitates."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_requests += 1

    def start(self, part: Part) -> Child:
        """Start a part and watch it from now on; ``wait_ready`` tells when it can be used."""
        child = spawn(part)
        self._children.append(child)
        return child

    def wait_ready(self, child: Child, timeout_seconds: float) -> None:
        """Returns when the child can be used.

        Raises ``LauncherError`` when it ends or ``timeout_seconds`` pass before, ``StopRequested`` on Ctrl-C.
        """
        deadline = time.monotonic() + timeout_seconds
        while not child.part.is_ready(child):
            self.look_after()
            if time.monotonic() > deadline:
                raise LauncherError(
                    f"{child.part.name} was not ready after {timeout_seconds:.0f} seconds: {cause(child.new_log())}"
                    f" (log: {shown(child.part.log)})"
                )
            time.sleep(POLL_SECONDS)
        child.was_ready = True

    def finish(self, part: Part) -> tuple[int, str]:
        """Run a part to its end; its exit code and what it wrote. Raises ``StopRequested`` on Ctrl-C."""
        child = spawn(part)
        try:
            while child.process.poll() is None:
                self.look_after()
                time.sleep(POLL_SECONDS)
        finally:
            if child.process.poll() is None:
                _end([child], self._patience)
        return child.process.returncode, child.new_log()

    def watch(self) -> NoReturn:
        """Start again what dies, until asked to stop: ends with ``StopRequested``."""
        while True:
            self.look_after()
            time.sleep(POLL_SECONDS)

    def look_after(self) -> None:
        """One round: raises ``StopRequested`` when asked to stop, starts again what died since the last round."""
        if self._stop_requests:
            raise StopRequested
        for child in self._children:
            if child.restart_at is None:
                self._note_death(child)
            elif time.monotonic() >= child.restart_at:
                self._restart(child)
            _limit_log(child.part.log)

    def _note_death(self, child: Child) -> None:
        returncode = child.process.poll()
        if returncode is None:
            return
        if not child.was_ready:
            raise LauncherError(
                f"{child.part.name} stopped while starting ({ending(returncode)}): {cause(child.new_log())}"
                f" (log: {shown(child.part.log)})"
            )
        if time.monotonic() - child.started_at > SETTLED_SECONDS:
            child.failures = 0
        self._restart_later(child)

    def _restart_later(self, child: Child) -> None:
        delay = min(FIRST_DELAY_SECONDS * 2**child.failures, LONGEST_DELAY_SECONDS)
        child.failures += 1
        child.restart_at = time.monotonic() + delay

    def _restart(self, child: Child) -> None:
        how = ending(child.process.returncode)
        try:
            fresh = spawn(child.part)
        except (OSError, LauncherError) as error:  # the machine is out of something: it may pass
            self._say(f"{child.part.name} stopped ({how}) and could not be started again yet: {error}")
            self._restart_later(child)
            return
        child.process, child.log_offset, child.started_at = fresh.process, fresh.log_offset, fresh.started_at
        child.restart_at = None
        self._say(f"{child.part.name} stopped ({how}), started again (log: {shown(child.part.log)})")

    def stop(self) -> None:
        """Stop all children, round by round; whoever takes too long is killed."""
        for number in sorted({child.part.stop_round for child in self._children}):
            _end([child for child in self._children if child.part.stop_round == number], self._patience)
        self._children = []

    def _patience(self) -> bool:
        return self._stop_requests < 2


def _end(children: Sequence[Child], patience: Callable[[], bool]) -> None:
    for child in children:
        child.process.send_signal(child.part.stop_signal)  # does nothing to one that has ended
    started = time.monotonic()
    for child in children:
        while child.process.poll() is None:
            if not patience() or time.monotonic() - started > child.part.stop_within_seconds:
                child.process.kill()
                child.process.wait()
            else:
                time.sleep(POLL_SECONDS)


def _limit_log(log: Path) -> None:
    """Keep the last part of a log that grew too long: it would fill the disk of a platform that runs for months."""
    if not log.exists() or log.stat().st_size <= MAX_LOG_BYTES:
        return
    with suppress(OSError):  # on a full disk, making room matters more than the past
        log.with_suffix(".log.1").write_bytes(log.read_bytes())
    # The child appends, so that its next line lands at the new end.
    os.truncate(log, 0)
