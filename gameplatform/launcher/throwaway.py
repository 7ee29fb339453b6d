"""A PostgreSQL and a Valkey that live as long as one command: what the tests run on.

``python -m gameplatform.launcher.throwaway -- COMMAND …`` runs the command with ``DATABASE_URL`` and ``REDIS_URL`` set
to the two servers, and ends with its exit code. Nothing of them is left, however it ends.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gameplatform.launcher import environment, postgres, valkey
from gameplatform.launcher.children import Supervisor
from gameplatform.launcher.paths import Layout, prepare
from gameplatform.launcher.problems import LauncherError

READY_TIMEOUT_SECONDS = 60.0


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """Both servers in a temporary folder; gives the environment that a test process needs to use them."""
    with tempfile.TemporaryDirectory(prefix="gameplatform-throwaway-") as folder:
        Path(folder).chmod(0o755)
        layout = Layout(Path(folder).resolve())
        prepare(layout)
        supervisor = Supervisor(lambda line: None)
        try:
            binaries = postgres.find_binaries()
            identity = postgres.choose_identity(binaries, layout)
            postgres.prepare_cluster(binaries, identity, layout, throwaway=True)
            part = postgres.server_part(binaries, identity, layout, extra_settings=postgres.THROWAWAY_SETTINGS)
            started = [supervisor.start(part), supervisor.start(valkey.server_part(valkey.find_binary(), layout))]
            for child in started:
                supervisor.wait_ready(child, READY_TIMEOUT_SECONDS)
            postgres.ensure_database(layout)
            yield {
                "DATABASE_URL": environment.database_url(layout),
                "REDIS_URL": environment.redis_url(layout),
                "GAMEPLATFORM_DATA": str(layout.data),
                "DEBUG": "true",
                "CLOCK_SOURCE": "host",
            }
        finally:
            supervisor.stop()


def main(argv: list[str]) -> int:
    command = argv[1:] if argv[:1] == ["--"] else argv
    if not command:
        sys.stderr.write("usage: python -m gameplatform.launcher.throwaway -- COMMAND …\n")
        return 2
    try:
        with servers() as variables:
            # Ctrl-C reaches the command too, which decides how to end; we stop the servers after it.
            signal.signal(signal.SIGINT, lambda *_: None)
            process = subprocess.Popen(command, env=os.environ | variables)
            signal.signal(signal.SIGTERM, lambda *_: process.terminate())
            code = process.wait()
    except LauncherError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
