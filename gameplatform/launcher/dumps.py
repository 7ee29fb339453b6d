"""Backups of the platform's database: one file, made and read by PostgreSQL's own programs."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.db import connection

from gameplatform.launcher.postgres import binary_folder
from gameplatform.launcher.problems import LauncherError

# libpq's names for what Django calls otherwise: in the environment, where no process list shows the password.
_LIBPQ = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}
_COPY_BYTES = 1 << 20
_LOCK_SECONDS = 30

# All in the transaction of the restore: when it fails, the old tables are still there.
_EMPTY = f"""
SET lock_timeout = '{_LOCK_SECONDS}s';
DROP SCHEMA public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
SET lock_timeout = 0;
"""


class DumpError(Exception):
    """A program of PostgreSQL is missing or failed; the sentence says what to do."""


@dataclass(frozen=True)
class Programs:
    """The folder of pg_dump, pg_restore and psql of the server's own major version."""

    folder: Path

    def run(self, program: str, *words: str) -> str:
        """Run one to its end; its output. Raises ``DumpError`` with its complaint."""
        done = subprocess.run(
            [self.folder / program, *words], capture_output=True, text=True, env=_environment(), check=False
        )
        if done.returncode != 0:
            raise DumpError(f"{program} failed: {_last_line(done.stderr)}")
        return done.stdout


def find_programs() -> Programs:
    """The programs that fit the server. Raises ``DumpError`` when there are none."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        major = int(cursor.fetchone()[0]) // 10_000
    folders = []
    with suppress(LauncherError):
        folders.append(binary_folder())
    folders.append(Path(f"/usr/lib/postgresql/{major}/bin"))
    on_path = shutil.which("pg_dump")
    if on_path is not None:
        folders.append(Path(on_path).parent)
    for folder in folders:
        if all((folder / name).is_file() for name in ("pg_dump", "pg_restore", "psql")):
            programs = Programs(folder)
            with suppress(DumpError, OSError):
                if programs.run("pg_dump", "--version").split()[2].partition(".")[0] == str(major):
                    return programs
    raise DumpError(f"No pg_dump of PostgreSQL {major}, the server's version, was found. Set PG_BIN to its folder.")


def backup(programs: Programs, file: Path) -> int:
    """Write the whole database, as of one instant, to ``file`` (readable by its owner only); its size in bytes.

    The file appears when it is whole and was read back. Raises ``DumpError``.
    """
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    os.close(descriptor)
    unfinished = Path(name)
    try:
        programs.run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={unfinished}")
        contents(programs, unfinished)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return file.stat().st_size


def contents(programs: Programs, file: Path) -> int:
    """How many tables' rows the backup holds. Raises ``DumpError`` for a file that is none."""
    listing = programs.run("pg_restore", "--list", str(file))
    tables = sum(" TABLE DATA " in line for line in listing.splitlines())
    if tables == 0:
        raise DumpError(f"{file} holds no tables.")
    return tables


def tables_in_the_database() -> int:
    """How many tables the database has; 0 is an empty one."""
    return len(connection.introspection.table_names())


def restore(programs: Programs, file: Path, on_bytes: Callable[[int], object]) -> None:
    """Put the backup in place of all that the database holds, in one transaction. Raises ``DumpError``.

    ``on_bytes`` hears how many bytes of statements went to the server.
    """
    connection.close()
    with tempfile.TemporaryFile() as complaints:
        reader = subprocess.Popen(
            [programs.folder / "pg_restore", "--no-owner", "--no-privileges", "--file=-", str(file)],
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=_environment(),
        )
        writer = subprocess.Popen(
            [programs.folder / "psql", "-X", "-q", "--single-transaction", "-v", "ON_ERROR_STOP=1", "--file=-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            env=_environment(),
        )
        assert reader.stdout is not None
        assert writer.stdin is not None
        with suppress(BrokenPipeError):
            _feed(reader.stdout, writer.stdin, on_bytes)
        reader.stdout.close()
        if reader.wait() == 0:
            with suppress(BrokenPipeError):
                writer.stdin.close()
        else:
            # The end of its input would make psql commit what has come so far.
            writer.kill()
        if writer.wait() != 0:
            complaints.seek(0)
            raise DumpError(f"The restore failed and was undone: {_first_complaint(complaints.read().decode())}")


def _feed(source: IO[bytes], target: IO[bytes], on_bytes: Callable[[int], object]) -> None:
    target.write(_EMPTY.encode())
    while chunk := source.read(_COPY_BYTES):
        target.write(chunk)
        on_bytes(len(chunk))
    target.flush()


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    parameters = connection.get_connection_params()
    named = {_LIBPQ[name]: str(value) for name, value in parameters.items() if name in _LIBPQ and value}
    return kept | named | {"PGOPTIONS": "-c client_min_messages=warning", "LC_ALL": "C"}


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def _first_complaint(text: str) -> str:
    lines = text.strip().splitlines()
    return next((line for line in lines if "ERROR" in line or "error" in line), _last_line(text))
