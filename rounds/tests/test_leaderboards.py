from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rounds.models import Leaderboard, LeaderboardEntry

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def add(as_player):
    """``add(ada, 5)``: an entry of hers on the board ``top``, a second after the one before."""
    moments = iter(range(1_000))

    def make(signed_in, score, name="top", **fields):
        url = f"/api/v3/users/{signed_in.user.pk}/add_leaderboard_entry"
        with time_machine.travel(NOON + timedelta(seconds=next(moments)), tick=False):
            return as_player(signed_in).post(url, {"leaderboard_name": name, "score": score, **fields})

    return make


@pytest.fixture
def board(as_player):
    """``board(ada)``: what she reads of her game's board ``top``, as (name, score)."""

    def read(signed_in, **query):
        url = f"/api/v3/games/{signed_in.user.game_id}/leaderboard_entries"
        answer = as_player(signed_in).get(url, {"leaderboard_name": "top", "limit": 10, **query})
        assert answer.status_code == 200, answer.content
        return [(row["username"], row["score"]) for row in answer.json()["leaderboard_entries"]]

    return read


def test_an_entry_answers_the_player_and_stands_on_the_board(add, as_player, ada):
    added = add(ada, 21, metadata={"level": "10", "color": "blue"})

    assert added.status_code == 200
    assert (added.json()["username"], added.json()["authentication_token"]) == ("ada", ada.token)
    answer = as_player(ada).get(
        f"/api/v3/games/{ada.user.game_id}/leaderboard_entries?leaderboard_name=top&limit=10&one_per_user=false"
    )
    assert answer.json() == {
        "leaderboard_entries": [
            {
                "username": "ada",
                "score": 21,
                "leaderboard_name": "top",
                "game_user_id": ada.user.pk,
                "metadata": {"level": "10", "color": "blue"},
                "extra_attributes": {"level": "10", "color": "blue"},
                "created_at": "2026-06-01T12:00:00.000Z",
            }
        ]
    }


def test_a_board_is_in_the_games_order_with_the_earlier_of_equals_first(add, board, ada, bob):
    add(bob, 5)
    add(ada, 5)
    add(ada, 7.5)
    add(bob, -1)

    assert board(ada) == [("ada", 7.5), ("bob", 5), ("ada", 5), ("bob", -1)]
    assert board(ada, limit=2) == [("ada", 7.5), ("bob", 5)]
    assert board(ada, one_per_user="true") == [("ada", 7.5), ("bob", 5)]


def test_the_lowest_score_wins_where_the_game_says_so(add, board, speedrun, enrol):
    quick, slow = enrol(speedrun, "quick"), enrol(speedrun, "slow")
    add(slow, 90)
    add(quick, 80)
    add(quick, 100)

    assert board(slow) == [("quick", 80), ("slow", 90), ("quick", 100)]
    assert board(slow, one_per_user=True) == [("quick", 80), ("slow", 90)]


def test_a_player_has_one_best_entry_even_when_it_repeats_its_score(add, board, ada):
    with time_machine.travel(NOON, tick=False):
        for _ in range(3):
            add(ada, 5)

    assert board(ada, one_per_user="true") == [("ada", 5)]


def test_a_players_entries_are_listed_newest_first_or_as_ranked_on_one_board(add, as_player, ada, bob):
    add(ada, 1)
    add(ada, 3)
    add(ada, 9, name="other")
    add(bob, 5)
    url = f"/api/v3/users/{ada.user.pk}/leaderboard_entries"

    def listed(**query):
        rows = as_player(bob).get(url, query).json()["leaderboard_entries"]
        return [(row["leaderboard_name"], row["score"]) for row in rows]

    assert listed() == [("other", 9), ("top", 3), ("top", 1)]
    assert listed(limit=1) == [("other", 9)]
    assert listed(leaderboard_name="top") == [("top", 3), ("top", 1)]
    assert listed(one_per_user="true") == [("other", 9), ("top", 3)]
    assert listed(leaderboard_name="none such") == []


def test_clearing_takes_the_callers_entries_only(add, board, as_player, ada, bob):
    add(ada, 1)
    add(ada, 2, name="other")
    add(bob, 3)
    url = f"/api/v3/users/{ada.user.pk}/clear_my_leaderboard_entries"

    assert as_player(ada).post(url, {"leaderboard_name": "top"}).status_code == 200
    assert board(ada) == [("bob", 3)]
    assert LeaderboardEntry.objects.filter(game_user=ada.user).count() == 1
    assert as_player(ada).post(url).status_code == 200
    assert LeaderboardEntry.objects.filter(game_user=ada.user).count() == 0


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"score": None}, 400),
        ({"leaderboard_name": ""}, 400),
        ({"extra_attributes": '{"deaths": none}'}, 400),
        ({"metadata": [1]}, 400),
        ({"score": "high"}, 422),
        ({"score": 1e30}, 422),
        ({"leaderboard_name": "x" * 101}, 422),
        ({"leaderboard_name": "a\u202eb"}, 422),
    ],
)
def test_a_bad_entry_is_refused(as_player, ada, fields, status):
    sent = {"leaderboard_name": "top", "score": 5} | fields

    answer = as_player(ada).post(f"/api/v3/users/{ada.user.pk}/add_leaderboard_entry", sent)

    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert not LeaderboardEntry.objects.exists()
    assert not Leaderboard.objects.exists()


def test_boards_are_read_within_their_game(add, as_player, ada, speedrun, enrol):
    add(ada, 5)
    stranger = enrol(speedrun, "stranger")
    game, user = f"/api/v3/games/{ada.user.game_id}", f"/api/v3/users/{ada.user.pk}"

    def status(client, url):
        return client.get(url).status_code

    assert status(as_player(stranger), f"{game}/leaderboard_entries?leaderboard_name=top") == 401
    assert status(as_player(stranger), f"{user}/leaderboard_entries") == 401
    assert status(as_player(ada), f"{game}/leaderboard_entries") == 400
    assert status(as_player(ada), f"{game}/leaderboard_entries?leaderboard_name=none") == 400
    assert status(as_player(ada), f"{game}/leaderboard_entries?leaderboard_name=top&limit=0") == 400
    assert status(as_player(ada), f"{game}/leaderboard_entries?leaderboard_name=top&limit=many") == 422


def test_reading_a_board_costs_two_statements(add, board, ada, bob):
    for score in range(6):
        add(ada, score)
        add(bob, score)

    with CaptureQueriesContext(connection) as captured:
        board(ada, one_per_user="true")

    assert len(captured) == 2
