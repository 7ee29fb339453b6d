import secrets

import pytest

from rounds.tests.conftest import arcade

__all__ = ["arcade"]


@pytest.fixture
def address() -> str:
    """An address no other test has: the counts live in a Redis that outlives the test."""
    return "10." + ".".join(str(secrets.randbelow(256)) for _ in range(3))
