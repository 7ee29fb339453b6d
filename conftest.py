"""The cast of the tests: who plays, who owns rooms, who works here, and what is played."""

import os
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import TransactionTestCase
from rest_framework.test import APIClient

from accounts.credentials import access_token
from accounts.models import Game, User
from core.db import clock
from gameplatform.celery import app
from gameplatform.settings import broker_url
from payments import wallets
from payments.models import Token
from rooms import entry, offers
from rooms.models import Room, Session
from tests.support.books import deposit


def pytest_configure(config: pytest.Config) -> None:
    """Of tests that run side by side, each row has a database of Redis of its own, as it has one of PostgreSQL.

    Else the Celery worker that one test starts would take the tasks of another's.
    """
    name = os.environ.get("PYTEST_XDIST_WORKER")
    if name is not None:
        server, number = settings.REDIS_URL.partition("?")[0], int(name.removeprefix("gw")) + 1
        own = (
            f"{server}?db={number}"
            if server.startswith("unix:")
            else urlsplit(server)._replace(path=f"/{number}").geturl()
        )
        settings.REDIS_URL = os.environ["REDIS_URL"] = own
        settings.CELERY_BROKER_URL = broker_url(settings.REDIS_URL)
        app.conf.update(broker_url=settings.CELERY_BROKER_URL)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker waits at the end for another's last test."""
    items.sort(key=lambda item: not any(item.get_closest_marker(mark) for mark in ("browser", "faults")))


@cache
def _tables() -> list[str]:
    """The tables of models, without the two that migrate fills and no test changes."""
    filled = {ContentType._meta.db_table, Permission._meta.db_table}
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return [connection.ops.quote_name(name) for name in names if name not in filled]


def _delete_all_rows(_: TransactionTestCase) -> None:
    """Undo what a test committed. Django's own flush takes 50 times as long: it truncates and fills all permissions.

    Replica mode switches off the guards of the ledger and the foreign keys. The lock waits for writers that go on.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(_tables())} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("; ".join(f"DELETE FROM {table}" for table in _tables()))


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _delete_all_rows)
        yield


@pytest.fixture(autouse=True)
def _quick_and_movable(settings):
    """A password hash that costs nothing, the clock that time-machine moves, and no limit on how often or how long."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CLOCK_SOURCE = "host"
    settings.RATE_LIMITS_ENABLED = False
    settings.AXES_ENABLED = False
    settings.MONEY_REAUTHENTICATION_SECONDS = 0
    # Else each test client reads all static files when it loads the middleware: half the time of an API test.
    settings.WHITENOISE_AUTOREFRESH = True


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


@pytest.fixture
def gold(db) -> Token:
    """The token that rooms are played for, with two decimals."""
    with transaction.atomic():
        return wallets.ensure_token(symbol="GOLD", name="Gold", decimals=2)


@pytest.fixture
def fund(gold) -> Callable[[User, int], None]:
    """``fund(user, 10_000)``: 100.00 GOLD more in the user's wallet."""

    def add(user: User, amount_minor: int) -> None:
        deposit(user, gold, amount_minor, now=clock.now())

    return add


@pytest.fixture
def people(db) -> Callable[[int], list[User]]:
    """``people(5)``: that many more players with connected wallets, made in one statement."""

    def make(count: int) -> list[User]:
        tag = uuid.uuid4().hex[:8]
        return User.objects.bulk_create(
            User(username=f"guest-{tag}-{n}", wallet_address=f"wallet-of-guest-{tag}-{n}") for n in range(count)
        )

    return make


@pytest.fixture
def make_room(db, gold, game, master) -> Callable[..., Room]:
    """``make_room()``: the master's room for 10.00 with prizes of 50, 30 and 20 %, its first session open."""

    def make(**terms: Any) -> Room:
        given: dict[str, Any] = {
            "actor": master,
            "game_id": game.pk,
            "name": f"room {uuid.uuid4().hex[:8]}",
            "symbol": None,
            "entry_fee_minor": 1_000,
            "prize_table": [(1, Decimal(50)), (2, Decimal(30)), (3, Decimal(20))],
            "now": clock.now(),
        }
        return offers.create_room(**{**given, **terms})

    return make


@pytest.fixture
def join() -> Callable[..., entry.Entry]:
    """``join(room, player)``: a paid place in the room's current session, a second after it opened."""

    def take(room: Room, player: User, **given: Any) -> entry.Entry:
        assert room.current_session_id is not None
        session = Session.objects.get(pk=room.current_session_id)
        place: dict[str, Any] = {
            "room_id": room.pk,
            "session_id": session.pk,
            "player": player,
            "amount_minor": session.entry_fee_minor,
            "now": session.opens_at + timedelta(seconds=1),
            "request_key": None,
        }
        return entry.join_session(**{**place, **given})

    return take
