"""The servers of a test run: there for one command, gone after it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gameplatform.launcher.paths import BASE_DIR

pytestmark = pytest.mark.faults

SCRIPT = """
import os, sys, psycopg, redis
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    (fsync,) = connection.execute("SHOW fsync").fetchone()
with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
    print(fsync, client.ping(), os.environ["DEBUG"], os.environ["CLOCK_SOURCE"])
print(os.environ["GAMEPLATFORM_DATA"])
sys.exit(3)
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "gameplatform.launcher.throwaway", "--", *command]
    environment = {name: value for name, value in os.environ.items() if name not in ("DEBUG", "CLOCK_SOURCE")}
    return subprocess.run(words, capture_output=True, text=True, cwd=BASE_DIR, env=environment, timeout=60)


def test_a_command_finds_both_servers_and_its_exit_code_comes_back() -> None:
    answer = run(sys.executable, "-c", SCRIPT)
    assert answer.returncode == 3, answer.stderr
    state, folder = answer.stdout.splitlines()
    assert state == "off True true host"
    assert not Path(folder).exists()


def test_a_command_that_is_killed_counts_as_failed() -> None:
    assert run("/bin/sh", "-c", "kill -9 $$").returncode == 128 + 9
