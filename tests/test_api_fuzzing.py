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

from accounts import sign_in
from accounts.credentials import access_token
from core.wire import openapi
from rooms import offers, tick
from rooms.models import Participant, Session
from rooms.terms import TermsChange
from rounds import access, players
from tests.support.json_schema import closed
from tests.support.webhooks import ADDRESS, an_endpoint, deliveries_of

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# Closed for the test: an answer with a key that the document does not know is a failure.
SCHEMA = schemathesis.openapi.from_dict(
    closed(openapi.document()),
    # The test sends the tokens; and a parameter that nobody reads is no error.
    config=Config.from_dict({"generation": {"with-security-parameters": False, "allow-extra-parameters": False}}),
)
SCHEMA.app = get_wsgi_application()

ROLES = ["player", "master", "staff"]
WEBHOOKS = "/api/v1/webhook-endpoints"
# Who may do what not every role may; the rooms and the webhook endpoints are the master's.
ALLOWED = {
    "POST /api/v1/game-rooms": ["master", "staff"],
    "PATCH /api/v1/game-rooms": ["master", "staff"],
    "DELETE /api/v1/game-rooms": ["master", "staff"],
    "POST /api/v1/game-join-rooms/process-refund": ["master", "staff"],
    # Only a game's server, which signs what it sends.
    "POST /api/v1/game-rooms/sessions/{session_id}/result": [],
    # Every session of this world is decided by a draw.
    "POST /api/v1/game-rooms/sessions/{session_id}/score": [],
    # Only staff with an authenticator, and a code of it.
    "POST /api/v1/auth/step-up": [],
    "POST /api/v1/wallet/deposits": ["staff"],
    "POST /api/v1/wallet/withdrawals": ["staff"],
    **{f"{method} {WEBHOOKS}": ["master"] for method in ("GET", "POST")},
    **{f"{method} {WEBHOOKS}/{{endpoint_id}}": ["master"] for method in ("GET", "PATCH", "DELETE")},
    **{f"POST {WEBHOOKS}/{{endpoint_id}}/{act}": ["master"] for act in ("rotate-secret", "test", "replay-dead")},
    f"GET {WEBHOOKS}/{{endpoint_id}}/deliveries": ["master"],
    f"POST {WEBHOOKS}/{{endpoint_id}}/deliveries/{{delivery_id}}/replay": ["master"],
}

checks.load_all_checks()
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
def world(settings, role, player, rival, master, staff, game, make_room, fund, join, people):
    """Four rooms: to join, joined by every role, ended with prizes, and called off. The lists are in this order."""
    settings.DEFAULT_SYMBOL_GAME_ROOM = "GOLD"
    guests = people(3)
    roles = {"player": player, "master": master, "staff": staff}
    for user in (rival, *roles.values(), *guests):
        fund(user, 100_000)
    with time_machine.travel(START - timedelta(minutes=10), tick=False):
        ended, off = make_room(), make_room()
        over = [Session.objects.get(pk=room.current_session_id) for room in (ended, off)]
        for guest in guests:
            join(ended, guest)
        join(off, player)
        for minutes in (7, 5):
            tick.advance(now=START - timedelta(minutes=minutes))
    with time_machine.travel(START, tick=False):
        free, joined = make_room(), make_room()
        for user in roles.values():
            join(joined, user, now=START)
        endpoint = an_endpoint(user=master, now=START)
        offers.edit_room(actor=master, room_id=joined.pk, change=TermsChange(entry_fee_minor=1_200), now=START)
        found = SimpleNamespace(
            roles=roles,
            rooms=[room.pk for room in (free, joined, ended, off)],
            sessions=[free.current_session_id, joined.current_session_id, *(session.pk for session in over)],
            joins=[*Participant.objects.values_list("pk", flat=True)],
            game=game.pk,
            user=rival.pk,
            refresh=sign_in.log_in(username="player", password="player's password", now=START).refresh,
            endpoints=[str(endpoint.public_id)],
            deliveries=[delivery.pk for delivery in deliveries_of(endpoint, now=START)],
            good=itertools.count(),
            aimed=itertools.count(),
            operation=None,
            statuses=set(),
        )
        yield found
        # Else only the checks of a request's form were met, and never the rules behind them.
        assert bool(found.statuses & {200, 201}) == (role in ALLOWED.get(found.operation, ROLES)), found.statuses


@pytest.fixture
def game_user(game, player):
    """A player of the platform as a user of a game."""
    with time_machine.travel(START, tick=False):
        access.open_access(game=game, now=START)
        yield players.sign_in_player(game_id=game.pk, user=player, now=START)


BOUNDED = settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@SCHEMA.include(path_regex="^/api/v3/").parametrize()
@BOUNDED
def test_every_answer_to_a_game_client_has_a_documented_status(case, game_user):
    """GameFuse's parameters are all optional texts to the document: which ones are refused is not for it to say."""
    for part in (case.path_parameters, case.query, case.body):
        for name in part if isinstance(part, dict) else ():
            if name in ("id", "user_id", "game_user_id") and case.meta.generation.mode.is_positive:
                part[name] = game_user.user.pk
    before = transaction.savepoint()
    try:
        case.call_and_validate(checks=CHECKS[:2], headers={"authentication-token": game_user.token})
    finally:
        transaction.savepoint_rollback(before)


@pytest.mark.parametrize("role", ROLES)
# What is below /api/v1/rooms and /api/v1/messages is the chat: chat/tests/test_bad_input.py sends it bad input.
@SCHEMA.include(path_regex="^/api/v1/(?!rooms|messages)").parametrize()
@BOUNDED
def test_every_answer_is_a_documented_one(case, role, world):
    if case.meta.generation.mode.is_positive and next(world.good) % 2 == 0:
        aim(case, world, next(world.aimed))
    token = access_token(world.roles[role], now=START)
    before = transaction.savepoint()
    try:
        answer = case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"})
    finally:
        transaction.savepoint_rollback(before)
    world.operation = case.operation.label
    # Requests with another method than the operation's are among the generated ones.
    if answer.request.method == case.operation.method.upper():
        world.statuses.add(answer.status_code)


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
        "username": ["rival"],
        "password": ["rival's password"],
        "game_set_prizes": [[{"rank": 1, "percent": 60}, {"rank": 2, "percent": 40.0}]],
        "prizes_num": [2],
        "participation_amount": [12.5, "99"],
        "endpoint_id": world.endpoints,
        "delivery_id": world.deliveries,
        "url": [ADDRESS],
        "types": [["session.ended"]],
    }
    parts: list[Any] = [case.path_parameters, case.query, case.body]
    parts += [part["game_room"] for part in parts if isinstance(part, dict) and isinstance(part.get("game_room"), dict)]
    for part in parts:
        for name in part if isinstance(part, dict) else ():
            if name in known:
                part[name] = known[name][turn % len(known[name])]
