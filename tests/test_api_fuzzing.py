"""Every operation of the OpenAPI document under generated requests, good and bad, as player, master and staff.

The requests come from schemathesis, always the same ones. In every other good one the ids, amounts and tokens are those
of things that exist, so that both sides of each rule are seen. Each request meets the same world: what it changed is
rolled back.
"""

import itertools
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import schemathesis
import time_machine
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks
from schemathesis.config import SchemathesisConfig as Config

from gameplatform.accounts import tokens
from gameplatform.accounts.credentials import access_token
from gameplatform.wire import openapi
from rooms import offers, tick
from rooms.models import Participant, Session
from tests.support.json_schema import closed

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# Closed for the test: an answer with a key that the document does not know is a failure.
SCHEMA = schemathesis.openapi.from_dict(
    closed(openapi.document()),
    # The test sends the tokens; and a parameter that nobody reads is no error.
    config=Config.from_dict({"generation": {"with-security-parameters": False, "allow-extra-parameters": False}}),
)
SCHEMA.app = get_wsgi_application()

schemathesis.checks.load_all_checks()
CHECKS = checks.CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "missing_required_header",
        "unsupported_method",
        "ignored_auth",
    ]
)


@pytest.fixture(autouse=True)
def _one_transaction():
    """As Django's own test client does: a request must not close the connection that holds the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def world(settings, player, rival, master, staff, game, make_room, fund, join, people):
    """A room to join with one player in it, one whose session ended with prizes, and one that was called off."""
    settings.DEFAULT_SYMBOL_GAME_ROOM = "GOLD"
    guests = people(3)
    for user in (player, rival, master, staff, *guests):
        fund(user, 100_000)
    with time_machine.travel(START - timedelta(minutes=10), tick=False):
        ended, off = make_room(), make_room(now=START - timedelta(minutes=10))
        over = [Session.objects.get(pk=room.current_session_id) for room in (ended, off)]
        for guest in guests:
            join(ended, guest)
        join(off, player)
        for minutes in (7, 5):
            tick.advance(now=START - timedelta(minutes=minutes))
    with time_machine.travel(START, tick=False):
        room = make_room(now=START)
        offers.edit_room(actor=master, room_id=room.pk, change=offers.TermsChange(entry_fee_minor=1_200), now=START)
        place = join(room, player, now=START)
        yield SimpleNamespace(
            roles={"player": player, "master": master, "staff": staff},
            rooms=[room.pk, ended.pk],
            sessions=[room.current_session_id, *(session.pk for session in over)],
            joins=[place.participant_id, Participant.objects.filter(session=over[1]).get().pk],
            game=game.pk,
            user=rival.pk,
            login={"username": "rival", "password": "rival's password"},
            refresh=tokens.log_in(username="player", password="player's password", now=START).refresh,
        )


@pytest.mark.parametrize("role", ["player", "master", "staff"])
@SCHEMA.parametrize()
@settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_a_documented_one(case, role, world):
    turn = next(world.__dict__.setdefault("turns", itertools.count()))
    if turn % 2 == 0 and case.meta.generation.mode.is_positive:
        aim(case, world, turn // 2)
    token = access_token(world.roles[role], now=START)
    before = transaction.savepoint()
    try:
        case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"})
    finally:
        transaction.savepoint_rollback(before)


def aim(case: schemathesis.Case, world: SimpleNamespace, turn: int) -> None:
    """Put what exists into the places where the request names something."""
    known: dict[str, list[Any]] = {
        "room_id": world.rooms,
        "session_id": world.sessions,
        "join_id": world.joins,
        "id": [world.game] if case.operation.path.startswith("/api/v1/game-lists") else world.rooms,
        "game_type_id": [world.game],
        "user_id": [world.user],
        "amount": [10, "10.00"],
        "token": ["GOLD", "gold"],
        "refresh": [world.refresh],
        "username": [world.login["username"]],
        "password": [world.login["password"]],
        "game_set_prizes": [[{"rank": 1, "percent": 60}, {"rank": 2, "percent": 40.0}]],
        "prizes_num": [2],
        "participation_amount": [12.5, "99"],
    }
    parts = [case.path_parameters, case.query, case.body]
    parts += [part["game_room"] for part in parts if isinstance(part, dict) and isinstance(part.get("game_room"), dict)]
    for part in parts:
        for name in part if isinstance(part, dict) else ():
            if name in known:
                part[name] = known[name][turn % len(known[name])]
