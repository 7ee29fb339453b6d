"""A PostgreSQL of the test's own, that can be stopped and started again."""

from pathlib import Path

from gameplatform.launcher import environment, postgres
from gameplatform.launcher.children import Child, spawn
from gameplatform.launcher.paths import Layout, prepare
from tests.support.waiting import wait_for


class Postgres:
    """An empty database in ``folder``, which all users must be able to reach: as root the server is another's."""

    def __init__(self, folder: Path) -> None:
        self._layout = Layout(folder)
        prepare(self._layout)
        binaries = postgres.find_binaries()
        identity = postgres.choose_identity(binaries, self._layout)
        postgres.prepare_cluster(binaries, identity, self._layout, throwaway=True)
        settings = postgres.THROWAWAY_SETTINGS
        self._part = postgres.server_part(binaries, identity, self._layout, extra_settings=settings)
        self._child: Child | None = None
        self.url = environment.database_url(self._layout)

    def start(self) -> None:
        """Start it, and return when it answers."""
        self._part.before_start()
        child = self._child = spawn(self._part)
        wait_for(lambda: self._part.is_ready(child))
        postgres.ensure_database(self._layout)

    def stop(self) -> None:
        """As an operator does it: whoever is connected is sent away."""
        if self._child is not None:
            self._child.process.send_signal(self._part.stop_signal)
            self._child.process.wait(timeout=30)
            self._child = None
