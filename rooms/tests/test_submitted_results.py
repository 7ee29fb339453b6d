"""Sessions decided by the game's own server: one signed ranking, kept once; nothing by the deadline is void."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts import api_keys
from accounts.api.signed import signature
from accounts.models import ApiClient, Game
from rooms import tick
from rooms.models import Participant, Session, SubmittedResult
from tests.support.books import balance, findings, nothing_moves

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def arena(db) -> Game:
    return Game.objects.create(name="Arena Duel", symbol="DUEL", result_mode="submitted")


def issued(game, scopes=("results",)):
    return api_keys.issue_key(
        client=ApiClient.objects.create(name=f"server of {game.symbol}", game=game), scopes=scopes, now=START
    )


@pytest.fixture
def key(arena):
    return issued(arena)


@pytest.fixture
def places(make_room, arena, people, fund, join, clock) -> list[Participant]:
    """Four paid places in a running session."""
    room = make_room(game_id=arena.pk)
    for guest in people(4):
        fund(guest, 1_000)
        join(room, guest, now=START)
    clock.shift(180)
    tick.advance(now=START + timedelta(seconds=180))
    return list(Participant.objects.select_related("user", "session").order_by("id"))


def post(key, session, ranking, *, at=None, secret=None, tamper=None, path=None):
    path = path or f"/api/v1/game-rooms/sessions/{session.pk}/result"
    body = json.dumps({"ranking": ranking}).encode()
    timestamp = str(int((at or datetime.now(UTC)).timestamp() * 1000))
    signed = signature(
        secret=secret or key.signing_secret, method="POST", path=path, timestamp=timestamp, body=tamper or body
    )
    headers = {"X-Api-Key": key.text, "X-Timestamp": timestamp, "X-Signature": signed}
    return APIClient().post(path, body, content_type="application/json", headers=headers)


def test_the_posted_ranking_decides_the_prizes(key, places, clock):
    session = places[0].session
    ranking = [places[2].pk, places[0].pk, places[3].pk, places[1].pk]
    answer = post(key, session, ranking)
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "message": "Game session result submitted successfully",
            "data": {"session_id": session.pk, "ranking": ranking, "submitted_at": "2026-03-01T12:03:00.000Z"},
        },
    )
    tick.advance(now=START + timedelta(seconds=240))
    assert [balance(places[n].user) for n in (2, 0, 3, 1)] == [2_000, 1_200, 800, 0]
    assert findings() == []


def test_first_posted_result_stands(key, places):
    session = places[0].session
    ranking = [place.pk for place in places]
    first = post(key, session, ranking)
    again = post(key, session, ranking)
    other = post(key, session, ranking[::-1])
    assert (again.status_code, again.json()) == (201, first.json())
    assert (other.status_code, other.json()["message"]) == (
        409,
        "Another result was submitted for this session already",
    )
    assert SubmittedResult.objects.get().ranking == ranking


def test_missing_result_refunds_all_entries(places):
    tick.advance(now=START + timedelta(seconds=240))
    session = Session.objects.get(pk=places[0].session_id)
    assert session.status == "void"
    assert [balance(place.user) for place in places] == [1_000] * 4
    assert session.transitions.latest("id").reason == "no result by the deadline"
    assert findings() == []


def refused(answer, status):
    assert answer.status_code == status, answer.content
    assert not SubmittedResult.objects.exists()


def test_a_result_at_the_deadline_is_too_late(key, places, clock):
    clock.shift(60)
    with nothing_moves():
        refused(post(key, places[0].session, [place.pk for place in places]), 409)


@pytest.mark.parametrize("change", ["one missing", "one twice", "a stranger", "nobody"])
def test_a_ranking_names_every_participant_once(key, places, change):
    ranking = [place.pk for place in places]
    ranking = {
        "one missing": ranking[:-1],
        "one twice": [*ranking, ranking[0]],
        "a stranger": [*ranking[:-1], ranking[-1] + 1],
        "nobody": [],
    }[change]
    refused(post(key, places[0].session, ranking), 400)


@pytest.mark.parametrize("ranking", ["x", [True], [1.5], [-1], [2**63], {"a": 1}, None])
def test_garbage_is_a_400(key, places, ranking):
    refused(post(key, places[0].session, ranking), 400)


def test_a_draw_takes_no_result(game, make_room, people, fund, join, clock):
    key = issued(game)
    room = make_room()
    for guest in people(3):
        fund(guest, 1_000)
        join(room, guest, now=START)
    clock.shift(180)
    tick.advance(now=START + timedelta(seconds=180))
    session = Session.objects.get(pk=room.current_session_id)
    refused(post(key, session, list(Participant.objects.values_list("pk", flat=True))), 409)


def test_other_games_server_gets_session_not_found(game, places):
    refused(post(issued(game), places[0].session, [place.pk for place in places]), 404)


def test_result_needs_a_valid_signature(arena, key, places):
    session, ranking = places[0].session, [place.pk for place in places]
    for answer in (
        post(key, session, ranking, secret="guessed"),
        post(key, session, ranking, tamper=b'{"ranking":[1]}'),
        post(key, session, ranking, at=START - timedelta(minutes=3)),
        post(key, session, ranking, at=START + timedelta(minutes=9)),
    ):
        refused(answer, 401)
    chat_key = api_keys.issue_key(client=key.key.client, scopes=["chat"], now=START)
    refused(post(chat_key, session, ranking), 401)
    api_keys.revoke_key(key=key.key, now=START)
    refused(post(key, session, ranking), 401)
