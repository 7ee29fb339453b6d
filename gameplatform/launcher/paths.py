"""Where the launcher keeps things: one data folder, and a short folder for the Unix sockets."""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gameplatform.launcher.problems import LauncherError, sentence_for

BASE_DIR = Path(__file__).resolve().parent.parent.parent

# The kernel's limit is 108 bytes with the closing zero on Linux and 104 on macOS; the longest name below it is
# PostgreSQL's ".s.PGSQL.5432".
MAX_SOCKET_PATH_BYTES = 90
POSTGRES_PORT = 5432
MIN_FREE_BYTES = 200 * 1024 * 1024


@dataclass(frozen=True)
class Layout:
    """The files of one platform. ``data`` is absolute."""

    data: Path

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def secrets_file(self) -> Path:
        return self.data / "secrets.env"

    @property
    def runtime_file(self) -> Path:
        return self.data / "runtime.env"

    @property
    def lock_file(self) -> Path:
        return self.data / "up.lock"

    @property
    def migrations_stamp(self) -> Path:
        return self.data / "migrations.stamp"

    @property
    def beat_schedule(self) -> Path:
        return self.data / "beat-schedule"

    @property
    def sockets(self) -> Path:
        """The folder of both sockets: inside the data folder, or a short one named after it when that is too long."""
        inside = self.data / "run"
        if len(os.fsencode(inside / f".s.PGSQL.{POSTGRES_PORT}")) <= MAX_SOCKET_PATH_BYTES:
            return inside
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"gameplatform-{os.geteuid()}-{digest}"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


def layout_from_environment() -> Layout:
    """The layout of ``GAMEPLATFORM_DATA`` (``--data DIR``), by default ``var`` beside manage.py."""
    return Layout(Path(os.environ.get("GAMEPLATFORM_DATA") or BASE_DIR / "var").resolve())


def shown(path: Path) -> str:
    """The path as a person in this working folder would type it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, FileNotFoundError):
        return str(path)


def prepare(layout: Layout) -> None:
    """Make the folders; raises ``LauncherError`` when they cannot be written or the disk is nearly full."""
    try:
        layout.data.mkdir(mode=0o755, parents=True, exist_ok=True)
        layout.logs.mkdir(mode=0o700, exist_ok=True)
        # The settings' STATIC_ROOT: empty, as files are found where they are installed, but it has to be there.
        (layout.data / "static").mkdir(exist_ok=True)
        _prepare_sockets(layout.sockets)
        with tempfile.TemporaryFile(dir=layout.data):
            pass
    except FileExistsError as error:
        raise LauncherError(f"{error.filename} is a file, not a folder. Choose a folder with --data DIR.") from error
    except OSError as error:
        raise LauncherError(f"The data folder cannot be used: {sentence_for(error)}") from error
    require_free_space(layout.data)


def require_free_space(
    folder: Path, free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free
) -> None:
    """Raises ``LauncherError`` when fewer than ``MIN_FREE_BYTES`` are free: PostgreSQL stops dead on a full disk."""
    free = free_bytes(folder)
    if free < MIN_FREE_BYTES:
        raise LauncherError(
            f"Only {free // 1024**2} MB are free on the disk of {shown(folder)}; at least"
            f" {MIN_FREE_BYTES // 1024**2} MB are needed. Free some space, or choose a folder on another disk with"
            " --data DIR."
        )


def _prepare_sockets(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # In a shared temporary folder somebody else could have made it first, to stand between us and our database.
    # Root owns everything anyway, and has given the folder to the user PostgreSQL runs as.
    if not stat.S_ISDIR(found.st_mode) or (os.geteuid() != 0 and found.st_uid != os.geteuid()):
        raise LauncherError(f"{folder} belongs to somebody else. Remove it, or choose a shorter --data DIR.")
    folder.chmod(0o700)
