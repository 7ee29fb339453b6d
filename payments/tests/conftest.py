import pytest

from payments import jobs
from tests.support.pots import other_game, person, seated, server, server_of

__all__ = ["other_game", "person", "seated", "server", "server_of"]


@pytest.fixture(autouse=True)
def _no_deadman_in_the_tests_own_transaction(request, monkeypatch):
    """A claim's time limit lasts to the end of its transaction, which in most tests is the whole test's."""
    marker = request.node.get_closest_marker("django_db")
    if marker is None or not marker.kwargs.get("transaction"):
        monkeypatch.setattr(jobs, "_DEADMAN", "SELECT 1")
