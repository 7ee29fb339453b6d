"""Sessions decided by play: scores while they run, standings at the end, prizes by the standings."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from accounts.models import Game
from rooms import entry, lifecycle, scores, tick
from rooms.errors import ScoreRefused
from rooms.models import Session
from rounds.models import Round
from tests.support.books import balance, findings, nothing_moves

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STARTS_AT, ENDS_AT = START + timedelta(minutes=3), START + timedelta(minutes=4)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def racing(db) -> Game:
    """A game where the lowest score (a time) is the best."""
    return Game.objects.create(name="Hill Race", symbol="RACE", result_mode="score", score_order="asc")


@pytest.fixture
def room(make_room, racing):
    return make_room(game_id=racing.pk)


@pytest.fixture
def session(room) -> Session:
    return Session.objects.get(pk=room.current_session_id)


@pytest.fixture
def racers(room, people, fund, join):
    guests = people(5)
    for guest in guests:
        fund(guest, 1_000)
        join(room, guest, now=START)
    return guests


def scored(session, racer, score: str, *, after: float = 1):
    now = STARTS_AT + timedelta(seconds=after)
    scores.submit_score(session_id=session.pk, player=racer, score=Decimal(score), now=now)


def test_best_score_wins_and_ties_go_earlier(session, racers):
    tick.advance(now=STARTS_AT)
    scored(session, racers[0], "61.25", after=10)
    scored(session, racers[1], "60.5", after=30)
    scored(session, racers[2], "60.5", after=20)
    scored(session, racers[3], "99", after=5)
    scored(session, racers[3], "59.999", after=40)
    tick.advance(now=ENDS_AT)
    session.refresh_from_db()
    assert session.status == "ended"
    # 50.00 in the pool: 25.00, 15.00, 10.00.
    assert [balance(racer) for racer in racers] == [0, 1_000, 1_500, 2_500, 0]
    assert findings() == []


def test_nobody_scored_and_everybody_is_refunded(session, racers):
    tick.advance(now=STARTS_AT)
    tick.advance(now=ENDS_AT)
    session.refresh_from_db()
    assert session.status == "void"
    assert [balance(racer) for racer in racers] == [1_000] * 5
    assert findings() == []


@pytest.mark.parametrize("after", [-1, 60, 61])
def test_scores_outside_the_run_are_refused(session, racers, after):
    if after > 0:
        tick.advance(now=STARTS_AT)
    with nothing_moves(), pytest.raises(ScoreRefused, match="while the session is running"):
        scored(session, racers[0], "1", after=after)
    assert not Round.objects.filter(score__isnull=False).exists()


def test_only_participants_are_scored(session, racers, player):
    tick.advance(now=STARTS_AT)
    with pytest.raises(ScoreRefused, match="You have not joined this session"):
        scored(session, player, "1")


def test_only_present_participants_are_scored(room, session, racers, join):
    leaver = racers[0]
    entry.leave_session(session_id=session.pk, player=leaver, now=START, request_key=None)
    assert session.contest.rounds.count() == 4
    join(room, leaver, now=START)
    assert session.contest.rounds.count() == 5
    tick.advance(now=STARTS_AT)
    scored(session, leaver, "1")
    tick.advance(now=ENDS_AT)
    assert balance(leaver) == 2_500
    assert findings() == []


def test_a_session_called_off_takes_no_scores(session, room, people, fund, join):
    guest = people(1)[0]
    fund(guest, 1_000)
    join(room, guest, now=START)
    tick.advance(now=STARTS_AT)
    with pytest.raises(ScoreRefused):
        scored(session, guest, "1")


def test_voiding_a_scored_session_ends_its_contest(session, racers, staff):
    tick.advance(now=STARTS_AT)
    scored(session, racers[0], "1")
    lifecycle.void_session(session_id=session.pk, now=STARTS_AT, actor=staff, reason="the track broke")
    with pytest.raises(ScoreRefused):
        scored(session, racers[1], "2")
    assert [balance(racer) for racer in racers] == [1_000] * 5
    assert findings() == []


def test_a_session_of_another_mode_takes_no_scores(make_room, player, fund, join):
    room = make_room()
    fund(player, 1_000)
    join(room, player, now=START)
    session = Session.objects.get(pk=room.current_session_id)
    with pytest.raises(ScoreRefused, match="decided by draw"):
        scored(session, player, "1")


def test_other_modes_name_no_score_order(make_room, api, player):
    detail = api(player).get(f"/api/v1/game-rooms/sessions/{make_room().current_session_id}").json()["data"]
    assert (detail["result_mode"], detail["score_order"]) == ("draw", None)


def test_over_http_with_results_that_show_the_scores(api, session, racers, clock):
    path = f"/api/v1/game-rooms/sessions/{session.pk}"
    clock.move_to(STARTS_AT)
    tick.advance(now=STARTS_AT)
    for racer, score in zip(racers, (30.5, 12, 7.25, 100), strict=False):
        answer = api(racer).post(f"{path}/score", {"score": score})
        assert (answer.status_code, answer.json()) == (
            200,
            {"message": "Score submitted successfully", "data": {"session_id": session.pk, "score": score}},
        )
    clock.move_to(ENDS_AT)
    late = api(racers[4]).post(f"{path}/score", {"score": 1})
    assert (late.status_code, late.json()["message"]) == (409, "Scores are taken while the session is running")
    tick.advance(now=ENDS_AT)
    data = api(racers[0]).get(f"{path}/results").json()["data"]
    assert [(row["user"]["id"], row["score"], row["prize"]) for row in data["standings"]] == [
        (racers[2].pk, 7.25, 25),
        (racers[1].pk, 12, 15),
        (racers[0].pk, 30.5, 10),
        (racers[3].pk, 100, 0),
        (racers[4].pk, None, 0),
    ]
    assert data["rule"].startswith("Entries are ranked by their scores")
    detail = api(racers[0]).get(path).json()["data"]
    assert detail["multiplayer_game_round_id"] == session.contest.multiplayer_id
    assert (detail["result_mode"], detail["score_order"]) == ("score", "asc")


@pytest.mark.parametrize("score", ["1", True, None, [1], {}])
def test_score_must_be_a_number(api, session, racers, clock, score):
    clock.move_to(STARTS_AT)
    tick.advance(now=STARTS_AT)
    answer = api(racers[0]).post(f"/api/v1/game-rooms/sessions/{session.pk}/score", {"score": score})
    assert answer.status_code == 400
    assert not Round.objects.filter(score__isnull=False).exists()


def test_a_join_is_still_one_statement(room, session, people, fund, join, django_assert_num_queries):
    guest = people(1)[0]
    fund(guest, 1_000)
    with django_assert_num_queries(3) as seen:
        entry.join_session(
            room_id=room.pk, session_id=session.pk, player=guest, amount_minor=1_000, now=START, request_key=None
        )
    assert [query["sql"].split()[0] for query in seen.captured_queries] == ["SAVEPOINT", "SELECT", "RELEASE"]
