"""The real web server as a process of its own, on the test's database, to be called, killed and started again."""

import http.client
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection

from core.tests.servers import free_port


def database_url() -> str:
    """The address of this test's own database for another process; the host may be a folder of sockets."""
    database = connection.settings_dict
    parts = {"user": database["USER"], "password": database["PASSWORD"], "host": database["HOST"]}
    return f"postgres:///{database['NAME']}?{urlencode({**parts, 'port': database['PORT']})}"


def environment(data: Path, **more: str) -> dict[str, str]:
    """What a process needs to work on this test's database and Redis."""
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "GAMEPLATFORM_DATA": str(data),
        "DEBUG": "true",
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


class WebServer:
    """uvicorn with one process, as the launcher runs it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> "WebServer":
        words = ["uvicorn", "gameplatform.asgi:application", "--port", str(self.port), "--lifespan", "off"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *words, "--log-level", "warning", "--no-access-log"],
            cwd=settings.BASE_DIR,
            env=self.environment,
        )
        deadline = time.monotonic() + 60
        while not self._is_live():
            assert self.process.poll() is None, "the web server ended"
            assert time.monotonic() < deadline, "the web server did not start"
            time.sleep(0.05)
        return self

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _is_live(self) -> bool:
        live = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            live.request("GET", "/livez")
            return live.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            live.close()


class Clockwork:
    """Celery's worker and beat, as the launcher runs them: what makes sessions and exports move."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> "Clockwork":
        quiet = ["--loglevel", "warning"]
        schedule = ["--schedule", str(self.folder / "beat"), "--pidfile="]
        self._run("worker", "--pool", "threads", "--concurrency", "4", "--without-gossip", "--without-mingle", *quiet)
        self._run("beat", *schedule, *quiet)
        return self

    def kill(self) -> None:
        """kill -9."""
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes.clear()

    def _run(self, *words: str) -> None:
        command = [sys.executable, "-m", "celery", "--quiet", "--app", "gameplatform", *words]
        self.processes.append(subprocess.Popen(command, cwd=settings.BASE_DIR, env=self.environment))
