"""``manage.py up``: the whole platform with one command, and nothing left of it when it stops."""

import argparse
import errno
import http.client
import os
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn

import environ

from gameplatform.launcher import environment, migrations_stamp, postgres, valkey
from gameplatform.launcher.children import Child, Part, Supervisor, cause, ending
from gameplatform.launcher.paths import BASE_DIR, Layout, layout_from_environment, prepare, shown
from gameplatform.launcher.problems import LauncherError, StopRequested, sentence_for

# Long enough for PostgreSQL to replay its log after a crash, or for a first import on a slow disk.
READY_TIMEOUT_SECONDS = 120.0
DEMO_PLAYERS = 6
# A launcher that was killed leaves its port to children that are just dying.
_PORT_PATIENCE_SECONDS = 2.0
_BACKLOG = 2048


def say(line: str) -> None:
    """One line for the person at the terminal, who may have closed it."""
    with suppress(OSError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``manage.py up``; ``--data`` is taken by manage.py itself."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=8000, help="TCP port; 0 takes any free one (default: %(default)s)"
    )
    parser.add_argument("--web-processes", type=_positive, default=1, help="web servers on that port (default: 1)")
    parser.add_argument("--demo", action="store_true", help="add demo data, and players that play")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError("a number from 1 to 64")
    return int(text)


def main(argv: Sequence[str]) -> int:
    """Run with these arguments until stopped; the exit code."""
    parser = argparse.ArgumentParser(prog="manage.py up", description=__doc__)
    parser.add_argument("--data", metavar="DIR", help="folder for everything that is kept (default: var)")
    add_arguments(parser)
    return run(parser.parse_args(argv))


def run(options: argparse.Namespace) -> int:
    """Start everything, keep it running, stop it in order. 0 after a stop that was asked for, 1 after a refusal."""
    supervisor = Supervisor(say)
    supervisor.listen_for_stop()
    try:
        Launch(options, layout_from_environment(), supervisor).run()
    except StopRequested:
        return 0
    except LauncherError as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"{sentence_for(error)}\n")
    return 1


class Launch:
    """One start of the platform."""

    def __init__(self, options: argparse.Namespace, layout: Layout, supervisor: Supervisor) -> None:
        self._options = options
        self._layout = layout
        self._supervisor = supervisor
        self._began = time.monotonic()

    def run(self) -> NoReturn:
        """Ends with ``StopRequested`` when asked to stop, with ``LauncherError`` when it could not start."""
        layout = self._layout
        # A `.env` beside manage.py counts like the environment itself, for us and for the children.
        environ.Env.read_env(BASE_DIR / ".env")
        prepare(layout)
        with environment.lock(layout):
            listener = self._listen()
            environment.ensure_secrets(layout)
            try:
                self._start_services(listener)
                self._migrate()
                self._start_platform(listener)
                self._announce(listener)
                self._start_demo()
                self._supervisor.watch()
            except StopRequested:
                say("Stopping.")
                raise
            finally:
                self._supervisor.stop()
                listener.close()

    # --- the servers below ---------------------------------------------------------------------------------------

    def _start_services(self, listener: socket.socket) -> None:
        """Start what no URL is given for; say where all is to the children and to other commands."""
        layout = self._layout
        starting = []
        database = environment.external("DATABASE_URL", environment.database_url(layout))
        if database:
            postgres.require_reachable(database)
            say("PostgreSQL ready (the one that DATABASE_URL names)")
        else:
            starting.append(self._start_postgres())
        redis = environment.external("REDIS_URL", environment.redis_url(layout))
        if redis:
            valkey.require_reachable(redis)
            say("Redis ready (the one that REDIS_URL names)")
        else:
            starting.append(self._start_valkey())
        # One comes up while the other is waited for.
        for child, ready_line in starting:
            self._supervisor.wait_ready(child, READY_TIMEOUT_SECONDS)
            say(ready_line)
        if not database:
            postgres.ensure_database(layout)
        found = {
            "DATABASE_URL": database or environment.database_url(layout),
            "REDIS_URL": redis or environment.redis_url(layout),
            # A room without a name is a room here too: ROOM_SLOT_001, unless the shell says another first part.
            "DEFAULT_SYMBOL_GAME_ROOM": os.environ.get("DEFAULT_SYMBOL_GAME_ROOM") or "ROOM",
            "PLATFORM_URL": _base_url(listener),
        }
        environment.write_env_file(layout.runtime_file, found, "Written by each manage.py up.")
        os.environ.update(found)
        os.environ["GAMEPLATFORM_DATA"] = str(layout.data)

    def _start_postgres(self) -> tuple[Child, str]:
        layout = self._layout
        binaries = postgres.find_binaries()
        identity = postgres.choose_identity(binaries, layout)
        postgres.clear_leftovers(layout)
        postgres.prepare_cluster(binaries, identity, layout)
        child = self._supervisor.start(postgres.server_part(binaries, identity, layout))
        return child, f"PostgreSQL {binaries.version} ready (data in {shown(layout.postgres)})"

    def _start_valkey(self) -> tuple[Child, str]:
        binary = valkey.find_binary()
        return self._supervisor.start(valkey.server_part(binary, self._layout)), f"Valkey {binary.version} ready"

    # --- the platform --------------------------------------------------------------------------------------------

    def _migrate(self) -> None:
        url = os.environ["DATABASE_URL"]
        if migrations_stamp.is_up_to_date(self._layout, url):
            return
        part = self._manage("migrate", "--no-input")
        code, output = self._supervisor.finish(part)
        if code != 0:
            raise LauncherError(f"The database could not be migrated: {cause(output)} (log: {shown(part.log)})")
        migrations_stamp.record(self._layout, url)
        say("Database migrated")

    def _start_platform(self, listener: socket.socket) -> None:
        start, wait = self._supervisor.start, self._supervisor.wait_ready
        web = [start(part) for part in self._web_parts(listener)]
        worker = start(self._worker_part())
        for child in web:
            wait(child, READY_TIMEOUT_SECONDS)
        say(f"web ready ({_base_url(listener)})")
        # Beat is what nobody waits for: it leaves the processors to the other two.
        beat = start(self._beat_part())
        wait(worker, READY_TIMEOUT_SECONDS)
        say("worker ready")
        wait(beat, READY_TIMEOUT_SECONDS)
        say("beat ready")

    def _web_parts(self, listener: socket.socket) -> list[Part]:
        count = self._options.web_processes
        names = ["web"] if count == 1 else [f"web-{number}" for number in range(1, count + 1)]
        address, fd = _local_address(listener), listener.fileno()
        return [
            replace(
                self._python(name, "-m", "gameplatform.launcher.web", "--fd", str(fd)),
                pass_fds=(fd,),
                is_ready=lambda _: _is_live(address),
            )
            for name in names
        ]

    def _worker_part(self) -> Part:
        words = ("worker", "--pool", "threads", "--concurrency", "4", "--without-gossip", "--without-mingle")
        return self._celery("worker", *words, "--loglevel", "INFO", ready_text=" ready.")

    def _beat_part(self) -> Part:
        # The schedule is in the settings; the file only remembers when what ran last.
        words = ("beat", "--schedule", str(self._layout.beat_schedule), "--pidfile=", "--loglevel", "WARNING")
        return self._celery("beat", *words, ready_text=" is starting.")

    def _celery(self, name: str, *words: str, ready_text: str) -> Part:
        part = self._python(name, "-m", "celery", "--app", "gameplatform", *words)
        return replace(part, is_ready=lambda child: ready_text in child.new_log())

    def _manage(self, command: str, *words: str) -> Part:
        return self._python(command, str(BASE_DIR / "manage.py"), command, *words)

    def _python(self, name: str, *words: str) -> Part:
        return Part(
            name=name,
            command=[sys.executable, *words],
            # PostgreSQL's pg_stat_activity says which part holds a connection.
            environment=os.environ | {"PYTHONUNBUFFERED": "1", "PGAPPNAME": f"gameplatform {name}"},
            cwd=BASE_DIR,
            log=self._layout.log(name),
        )

    # --- what the person sees ------------------------------------------------------------------------------------

    def _announce(self, listener: socket.socket) -> None:
        base = _base_url(listener)
        say(f"Ready after {time.monotonic() - self._began:.1f} s. Stop with Ctrl-C.")
        say(f"  API        {base}/")
        say(f"  Docs       {base}/api/docs/")
        say(f"  Admin      {base}/admin/")
        say(f"  WebSocket  {base.replace('http', 'ws', 1)}/ws/")
        say(f"  Logs       {shown(self._layout.logs)}/")

    def _start_demo(self) -> None:
        if not self._options.demo:
            return
        code, output = self._supervisor.finish(self._manage("seed_demo"))
        say(output.rstrip())
        if code != 0:
            say(f"No demo: manage.py seed_demo failed ({ending(code)}).")
            return
        child = self._supervisor.start(self._manage("play", "--players", str(DEMO_PLAYERS), "--forever"))
        self._supervisor.wait_ready(child, READY_TIMEOUT_SECONDS)
        say(f"{DEMO_PLAYERS} demo players are playing")

    # --- ends ----------------------------------------------------------------------------------------------------

    def _listen(self) -> socket.socket:
        """The listening socket, ours for as long as we run: the port is taken or refused once."""
        host, port = self._options.host, self._options.port
        deadline = time.monotonic() + _PORT_PATIENCE_SECONDS
        while True:
            try:
                family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
                return socket.create_server((host, port), family=family, backlog=_BACKLOG)
            except socket.gaierror as error:
                raise LauncherError(f"{host} is no address of this machine: correct --host.") from error
            except OSError as error:
                if time.monotonic() > deadline:
                    raise LauncherError(_why_not_listening(error, host, port)) from error
                time.sleep(0.2)


def _why_not_listening(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program. Stop it, or choose another (--port 0 takes any free one)."
    if error.errno == errno.EACCES:
        return f"Port {port} is for root only. Choose one above 1023, for example --port 8000."
    return f"Cannot listen on {host} port {port}: {error.strerror}. Correct --host or --port."


def _local_address(listener: socket.socket) -> tuple[str, int]:
    """Where we reach our own web server; every interface includes the loopback."""
    host, port = listener.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port


def _base_url(listener: socket.socket) -> str:
    host, port = _local_address(listener)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_live(address: tuple[str, int]) -> bool:
    connection = http.client.HTTPConnection(*address, timeout=1)
    try:
        # A name that ALLOWED_HOSTS always has: the address may be one that it lacks.
        connection.request("GET", "/livez", headers={"Host": "localhost"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
