"""Backing up and restoring with docker/, by the very lines of the manual; what containers would run, runs here."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from gameplatform.launcher.postgres import binary_folder
from tests.support.postgres import Postgres

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

MANUAL = (settings.BASE_DIR / "docs" / "operations.md").read_text()
# What a container would run is run here; what would start and stop containers is only noted.
DOCKER = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
    "compose exec -T postgres "*) shift 4 ;;
    "compose run --rm rest "*) shift 4 ;;
    "compose stop "* | "compose up "*) exit 0 ;;
    *) echo "docker $*: unknown" >&2; exit 1 ;;
esac
exec "$@"
"""


@pytest.fixture
def surroundings() -> Iterator[dict[str, str]]:
    """An empty database in a server with the role of the container's, and the programs of both images."""
    with tempfile.TemporaryDirectory(prefix="gameplatform-backups-") as folder:
        home = Path(folder).resolve()
        home.chmod(0o755)
        server = Postgres(home)
        server.start()
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE gameplatform SUPERUSER LOGIN")
        programs = home / "programs"
        programs.mkdir()
        (programs / "docker").write_text(DOCKER)
        (programs / "docker").chmod(0o755)
        yield {
            "PATH": f"{programs}:{Path(sys.executable).parent}:{binary_folder()}:{os.environ['PATH']}",
            "CALLS": str(home / "calls"),
            "PGHOST": str(home / "run"),
            "DATABASE_URL": server.url.replace("postgres@", "gameplatform@"),
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "SECRET_KEY": "k" * 60,
            "GAMEPLATFORM_DATA": str(home),
            "LOG_LEVEL": "ERROR",
        }
        server.stop()


def run(script: str, surroundings: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=settings.BASE_DIR,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def lines(name: str, file: Path) -> str:
    """The block of the manual of that name, for this file."""
    found = re.search(rf"<!-- {name} -->\n```sh\n(.*?)```", MANUAL, re.DOTALL)
    assert found
    return found[1].replace("FILE", str(file))


def test_the_manuals_lines_bring_back_what_was_there_and_keep_what_they_replace(surroundings, tmp_path):
    backup = tmp_path / "last-night.dump"
    run("python manage.py migrate --no-input --verbosity 0; python manage.py seed_demo", surroundings)
    run(lines("backup", backup), surroundings)
    forged = "UPDATE payments_account SET balance_minor = balance_minor + 1"
    run(f"psql --username gameplatform --command '{forged}'", surroundings)
    assert "The ledger is wrong" in run("python manage.py verify_ledger 2>&1 || true", surroundings)

    said = run(lines("restore", backup), surroundings)
    assert re.search(r"^The ledger is right: \d+ transfers", said, re.MULTILINE), said
    assert "0 secrets would be encrypted anew." in said
    calls = Path(surroundings["CALLS"]).read_text().splitlines()
    assert calls[1] == "compose stop proxy rest sockets beat worker"
    assert calls[-1] == "compose up -d --wait"
    kept = "psql --username gameplatform --dbname gameplatform_before --tuples-only --command"
    count = "SELECT count(*) FROM payments_account WHERE balance_minor % 100 <> 0"
    assert int(run(f"{kept} '{count}'", surroundings)) > 0
    assert int(run(f"{kept.replace('_before', '')} '{count}'", surroundings)) == 0
