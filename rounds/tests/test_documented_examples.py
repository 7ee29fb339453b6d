"""The documented requests of the Game Round API, in their order, with players of our own."""

from datetime import UTC, datetime

import pytest
import time_machine

NOON = datetime(2026, 6, 1, 12, 0, 0, 250_000, tzinfo=UTC)
ROUNDS = "/api/v3/game_rounds"
KEYS = {
    "id",
    "game_id",
    "game_user_id",
    "multiplayer_game_round_id",
    "game_type",
    "place",
    "score",
    "start_time",
    "end_time",
    "metadata",
    "created_at",
    "updated_at",
}


def play(user, **values):
    return {
        "game_user_id": user.pk,
        "start_time": "2026-05-20T10:00:00Z",
        "end_time": "2026-05-20T10:30:00Z",
        **values,
    }


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def test_a_single_round_is_created_as_it_was_sent(as_player, ada):
    sent = play(ada.user, score=1000, place=1, game_type="solo_adventure", metadata={"difficulty": "Medium"})

    answer = as_player(ada).post(ROUNDS, sent)

    body = answer.json()
    assert answer.status_code == 201
    assert answer["Content-Type"] == "application/json"
    assert body == {
        "id": body["id"],
        "game_id": ada.user.game_id,
        "game_user_id": ada.user.pk,
        "multiplayer_game_round_id": None,
        "game_type": "solo_adventure",
        "place": 1,
        "score": 1000,
        "start_time": "2026-05-20T10:00:00.000Z",
        "end_time": "2026-05-20T10:30:00.000Z",
        "metadata": {"difficulty": "Medium"},
        "created_at": "2026-06-01T12:00:00.250Z",
        "updated_at": "2026-06-01T12:00:00.250Z",
    }


def test_the_master_opens_a_multiplayer_round_and_adds_another_player(as_player, ada, bob):
    first = as_player(ada).post(
        ROUNDS, play(ada.user, score=1200, place=1, game_type="battle", metadata={"map": "ice"}, multiplayer=True)
    )
    number = first.json()["multiplayer_game_round_id"]
    second = as_player(ada).post(
        ROUNDS, play(bob.user, score=1100, place=2, game_type="battle", multiplayer_game_round_id=number)
    )
    shown = as_player(ada).get(f"{ROUNDS}/{first.json()['id']}")

    assert (first.status_code, second.status_code, shown.status_code) == (201, 201, 200)
    assert isinstance(number, int)
    assert second.json()["multiplayer_game_round_id"] == number
    assert shown.json() == {
        **{name: value for name, value in first.json().items() if not name.startswith("rankings")},
        "rankings": [
            {
                "id": first.json()["id"],
                "place": 1,
                "score": 1200,
                "start_time": "2026-05-20T10:00:00.000Z",
                "end_time": "2026-05-20T10:30:00.000Z",
                "user": {
                    "id": ada.user.pk,
                    "username": "ada",
                    "email": "ada@players.example",
                    "display_email": "ada@players.example",
                    "credits": 0,
                    "score": 0,
                    "is_new_user": True,
                },
            },
            {
                "id": second.json()["id"],
                "place": 2,
                "score": 1100,
                "start_time": "2026-05-20T10:00:00.000Z",
                "end_time": "2026-05-20T10:30:00.000Z",
                "user": {
                    "id": bob.user.pk,
                    "username": "bob",
                    "display_email": None,
                    "credits": 0,
                    "score": 0,
                    "is_new_user": True,
                },
            },
        ],
        "rankings_total": 2,
    }


def test_places_come_from_the_scores_in_the_games_order(as_player, speedrun, enrol):
    runners = [enrol(speedrun, name) for name in ("quick", "middling", "slow")]
    number = None
    for runner, score in zip(runners, (100.0, 200.0, 300.0), strict=True):
        sent = {"game_user_id": runner.user.pk, "game_type": "dash", "score": score, "multiplayer": True}
        if number is not None:
            sent["multiplayer_game_round_id"] = number
        made = as_player(runner).post(ROUNDS, sent)
        number = made.json()["multiplayer_game_round_id"]

    rankings = made.json()["rankings"]
    assert [(row["place"], row["score"], row["user"]["username"]) for row in rankings] == [
        (1, 100, "quick"),
        (2, 200, "middling"),
        (3, 300, "slow"),
    ]
    assert made.json()["place"] == 3
    assert made.json()["metadata"] is None


def test_a_single_round_shows_no_rankings(as_player, ada, bob):
    made = as_player(ada).post(ROUNDS, play(ada.user, score=1500, game_type="battle", metadata={"level": "Hard"}))

    shown = as_player(bob).get(f"{ROUNDS}/{made.json()['id']}")

    assert shown.status_code == 200
    assert shown.json() == made.json()
    assert set(shown.json()) == KEYS
    assert shown.json()["place"] is None


def test_an_update_changes_what_was_sent_and_nothing_else(as_player, ada):
    made = as_player(ada).post(
        ROUNDS, play(ada.user, score=1500, place=1, game_type="battle", metadata={"level": "Hard"})
    )

    updated = as_player(ada).put(f"{ROUNDS}/{made.json()['id']}", {"score": 1600, "place": 2})

    assert updated.status_code == 200
    assert updated.json() == made.json() | {"score": 1600, "place": 2}


def test_a_players_rounds_are_listed_oldest_first_without_rankings(as_player, ada, bob):
    single = as_player(ada).post(ROUNDS, play(ada.user, score=1500, place=1, game_type="battle"))
    multi = as_player(ada).post(ROUNDS, play(ada.user, score=1700, game_type="adventure", multiplayer=True))

    listed = as_player(bob).get(ROUNDS, {"user_id": ada.user.pk})

    assert listed.status_code == 200
    rows = listed.json()["game_rounds"]
    assert [(row["id"], row["score"], row["place"]) for row in rows] == [
        (single.json()["id"], 1500, 1),
        (multi.json()["id"], 1700, 1),
    ]
    assert [set(row) for row in rows] == [KEYS, KEYS]


def test_a_deleted_round_is_gone(as_player, ada):
    made = as_player(ada).post(ROUNDS, play(ada.user, game_type="battle"))

    deleted = as_player(ada).delete(f"{ROUNDS}/{made.json()['id']}")

    assert deleted.status_code == 200
    assert deleted.json() == {"message": "Game Round destroyed successfully!"}
    assert as_player(ada).get(f"{ROUNDS}/{made.json()['id']}").status_code == 404


def test_errors_are_one_sentence_of_text(as_player, ada, bob):
    made = as_player(ada).post(ROUNDS, play(ada.user, game_type="battle")).json()["id"]
    answers = {
        "no token": as_player(None).get(f"{ROUNDS}/{made}"),
        "no type": as_player(ada).post(ROUNDS, {"game_user_id": ada.user.pk}),
        "no user": as_player(ada).post(ROUNDS, {"game_type": "battle"}),
        "no user id": as_player(ada).get(ROUNDS),
        "not the owner": as_player(bob).put(f"{ROUNDS}/{made}", {"score": 1}),
        "not the owner either": as_player(bob).delete(f"{ROUNDS}/{made}"),
        "no such round": as_player(ada).get(f"{ROUNDS}/{made + 1}"),
    }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "no token": 401,
        "no type": 422,
        "no user": 422,
        "no user id": 422,
        "not the owner": 401,
        "not the owner either": 401,
        "no such round": 404,
    }
    assert {answer["Content-Type"] for answer in answers.values()} == {"text/plain; charset=utf-8"}
    assert answers["no token"].content.decode() == "Request missing user authentication token"
    assert answers["no such round"].content.decode() == "Game round not found"
    assert as_player(ada).get(f"{ROUNDS}/{made}").json()["score"] is None
