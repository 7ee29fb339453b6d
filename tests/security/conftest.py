import secrets

import pytest

from rounds.tests.conftest import arcade
from tests.support.pots import other_game, person, seated, server, server_of

__all__ = ["arcade", "other_game", "person", "seated", "server", "server_of"]


@pytest.fixture
def address() -> str:
    """An address no other test has: the counts live in a Redis that outlives the test."""
    return "10." + ".".join(str(secrets.randbelow(256)) for _ in range(3))
