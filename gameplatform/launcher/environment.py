"""The two files through which every other command finds a started platform, and the lock that keeps it single.

``secrets.env`` is made once and never changed: its keys sign tokens and decrypt rows that outlive a restart.
``runtime.env`` says where the services of this start are. The settings read both for what is not set.
"""

import fcntl
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.parse import quote

from gameplatform.launcher.paths import POSTGRES_PORT, Layout, shown
from gameplatform.launcher.problems import LauncherError

SECRET_NAMES = ("SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEYS", "SEAL_KEYS")
DATABASE_NAME = "gameplatform"


def read_env_file(path: Path) -> dict[str, str]:
    """``NAME=value`` lines; comments and empty lines are skipped. A missing file is empty."""
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def write_env_file(path: Path, values: Mapping[str, str], comment: str) -> None:
    """Replace the file in one step, readable by its owner only: a reader sees the old file or the new one."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"# {comment}\n" + "".join(f"{name}={value}\n" for name, value in values.items()))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def ensure_secrets(layout: Layout) -> None:
    """Make the secrets that the file does not have yet; one that it has is never touched."""
    known = read_env_file(layout.secrets_file)
    missing = [name for name in SECRET_NAMES if not known.get(name)]
    if missing:
        known |= {name: secrets.token_urlsafe(48) for name in missing}
        write_env_file(layout.secrets_file, known, "Made once by manage.py up. Back it up with the database.")


def database_url(layout: Layout) -> str:
    """libpq's URL of the embedded database: psql and psycopg take it as it is."""
    # A host in front of the path would be lower-cased by URL parsers; the port keeps a PGPORT of the shell out.
    folder = quote(str(layout.sockets), safe="")
    return f"postgres://postgres@/{DATABASE_NAME}?host={folder}&port={POSTGRES_PORT}"


def redis_url(layout: Layout) -> str:
    return f"unix://{quote(str(layout.valkey_socket))}"


def external(name: str, embedded_url: str) -> str | None:
    """The URL that the environment gives for a part that is not ours to start.

    Our own URL there is no outside server: a shell may have read ``runtime.env``.
    """
    url = os.environ.get(name)
    return url if url and url != embedded_url else None


def lock(layout: Layout) -> IO[str]:
    """Hold the data folder until the returned file is closed (or the process dies, however it dies).

    Raises ``LauncherError`` when another launcher holds it.
    """
    file = layout.lock_file.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise LauncherError(
            f"Another manage.py up (process {holder or 'unknown'}) already runs on {shown(layout.data)}. Stop it first,"
            " or give this one another folder with --data DIR."
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
