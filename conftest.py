"""The cast of the tests: who plays, who owns rooms, who works here, and what is played."""

from collections.abc import Callable

import pytest
from django.db import connection
from rest_framework.test import APIClient

from gameplatform.accounts.credentials import access_token
from gameplatform.accounts.models import Game, User
from gameplatform.core import clock


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> None:
    """The test database, whose ledger may be emptied between tests that commit (``payments/sql/ledger_guard.sql``)."""
    with django_db_blocker.unblock():
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} SET gameplatform.allow_truncate = 'on'")
        # The setting counts from the next connection on.
        connection.close()


@pytest.fixture(autouse=True)
def _quick_and_movable(settings):
    """A password hash that costs nothing, and the clock that time-machine moves."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CLOCK_SOURCE = "host"


@pytest.fixture
def player(db) -> User:
    """Somebody who plays, with a wallet; the password is ``player's password``."""
    return User.objects.create_user(
        "player",
        "player@example.com",
        "player's password",
        fullname="Paula Player",
        wallet_address="wallet-of-player",
    )


@pytest.fixture
def rival(db) -> User:
    """Somebody else who plays, with a wallet."""
    return User.objects.create_user("rival", password="rival's password", wallet_address="wallet-of-rival")


@pytest.fixture
def master(db) -> User:
    """Somebody who owns rooms, with a wallet."""
    return User.objects.create_user(
        "master", password="master's password", wallet_address="wallet-of-master", is_master=True
    )


@pytest.fixture
def staff(db) -> User:
    """Somebody who works in the back-office with every right."""
    return User.objects.create_superuser("staff", password="staff's password", wallet_address="wallet-of-staff")


@pytest.fixture
def game(db) -> Game:
    """An active draw game."""
    return Game.objects.create(name="Slot Machine", symbol="SLOT")


@pytest.fixture
def api() -> Callable[[User | None], APIClient]:
    """``api(user)``: a JSON client with that user's access token; ``api(None)`` has none."""

    def client_of(user: User | None) -> APIClient:
        client = APIClient()
        client.default_format = "json"
        if user is not None:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token(user, now=clock.now())}")
        return client

    return client_of
