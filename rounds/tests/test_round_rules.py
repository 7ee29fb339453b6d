"""Who may do what with a round, which place it gets, and what an authoritative round refuses."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import GameUser
from rounds import contests
from rounds.models import Contest, Round

ROUNDS = "/api/v3/game_rounds"
OPENS = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
CLOSES = OPENS + timedelta(minutes=1)


@pytest.fixture
def play(as_player):
    """``play(ada, score=5)``: a round of her own, as the API answered it."""

    def make(signed_in, *, status=201, **values):
        sent = {"game_user_id": signed_in.user.pk, "game_type": "duel", **values}
        answer = as_player(signed_in).post(ROUNDS, sent)
        assert answer.status_code == status, answer.content
        return answer.json() if status == 201 else answer

    return make


def everything():
    return list(Round.objects.order_by("pk").values()), list(Contest.objects.order_by("pk").values())


def test_an_id_joins_the_round_with_or_without_the_flag(play, ada, bob):
    number = play(ada, multiplayer=True)["multiplayer_game_round_id"]
    play(bob, multiplayer_game_round_id=number)
    joined = play(bob, multiplayer_game_round_id=number, multiplayer=True)

    assert joined["multiplayer_game_round_id"] == number
    assert joined["rankings_total"] == 3
    assert Contest.objects.count() == 1


def test_two_multiplayer_rounds_without_an_id_are_two(play, ada):
    assert (
        play(ada, multiplayer=True)["multiplayer_game_round_id"]
        != (play(ada, multiplayer=True)["multiplayer_game_round_id"])
    )


def test_who_brings_an_unknown_id_first_is_the_master(play, ada, bob):
    play(bob, multiplayer_game_round_id=777)
    play(ada, multiplayer_game_round_id=777)

    contest = Contest.objects.get()
    assert (contest.multiplayer_id, contest.master, contest.rounds_count) == (777, bob.user, 2)


def test_a_number_that_a_client_took_is_passed_over(play, ada):
    taken = play(ada, multiplayer=True)["multiplayer_game_round_id"] + 1
    play(ada, multiplayer_game_round_id=taken)

    assert play(ada, multiplayer=True)["multiplayer_game_round_id"] == taken + 1


def test_the_same_number_in_two_games_is_two_contests(play, ada, speedrun, enrol):
    play(ada, multiplayer_game_round_id=777, score=1)
    other = play(enrol(speedrun, "runner"), multiplayer_game_round_id=777, score=1)

    assert other["rankings_total"] == 1
    assert Contest.objects.count() == 2


def test_the_master_changes_and_deletes_every_connected_row_and_others_only_their_own(
    as_player, play, arcade, ada, bob, enrol
):
    number = play(ada, multiplayer=True)["multiplayer_game_round_id"]
    cyd = enrol(arcade, "cyd")
    bobs = play(bob, multiplayer_game_round_id=number)["id"]
    before = everything()

    refused = [
        as_player(cyd).put(f"{ROUNDS}/{bobs}", {"score": 9}),
        as_player(cyd).delete(f"{ROUNDS}/{bobs}"),
        as_player(bob).post(
            ROUNDS, {"game_user_id": cyd.user.pk, "game_type": "duel", "multiplayer_game_round_id": number}
        ),
        as_player(bob).post(ROUNDS, {"game_user_id": cyd.user.pk, "game_type": "duel"}),
    ]
    assert [answer.status_code for answer in refused] == [401] * 4
    assert everything() == before

    assert as_player(ada).put(f"{ROUNDS}/{bobs}", {"score": 9}).json()["score"] == 9
    assert as_player(ada).delete(f"{ROUNDS}/{bobs}").status_code == 200
    assert Contest.objects.get().rounds_count == 1


def test_another_games_rounds_and_users_are_out_of_reach(as_player, play, ada, speedrun, enrol):
    stranger = enrol(speedrun, "stranger")
    own = play(ada, multiplayer=True)
    url = f"{ROUNDS}/{own['id']}"
    before = everything()

    answers = [
        as_player(stranger).get(url),
        as_player(stranger).put(url, {"score": 1}),
        as_player(stranger).delete(url),
        as_player(stranger).get(ROUNDS, {"user_id": ada.user.pk}),
        as_player(ada).post(ROUNDS, {"game_user_id": stranger.user.pk, "game_type": "duel", "multiplayer": True}),
    ]

    assert [answer.status_code for answer in answers] == [401] * 5
    assert everything() == before


def test_an_update_replaces_metadata_whole_and_null_clears(as_player, play, ada):
    made = play(ada, score=5, place=3, metadata={"a": 1, "b": 2}, end_time="2026-05-20T10:30:00Z")
    url = f"{ROUNDS}/{made['id']}"

    assert as_player(ada).put(url, {"game_round": {"metadata": {"c": 3}}}).json()["metadata"] == {"c": 3}
    cleared = as_player(ada).put(url, {"score": None, "place": None, "metadata": None, "end_time": None}).json()

    assert [cleared[name] for name in ("score", "place", "metadata", "end_time")] == [None] * 4
    assert cleared["game_type"] == "duel"
    assert cleared["start_time"] == made["start_time"]


def test_start_time_defaults_to_now_and_the_rest_to_null(play, ada):
    with time_machine.travel(OPENS, tick=False):
        made = play(ada)

    assert made["start_time"] == "2026-06-01T12:00:00.000Z"
    assert [made[name] for name in ("score", "place", "metadata", "end_time")] == [None] * 4


def test_a_place_that_was_supplied_is_kept_and_rules_the_order(play, as_player, ada, bob, arcade, enrol):
    number = play(ada, multiplayer=True, score=10)["multiplayer_game_round_id"]
    play(bob, multiplayer_game_round_id=number, score=99, place=7)
    play(enrol(arcade, "cyd"), multiplayer_game_round_id=number)
    last = play(enrol(arcade, "dan"), multiplayer_game_round_id=number, score=50)

    # bob's 99 is ahead of dan and ada, so they are second and third; bob's own place stays the 7 it was given.
    assert [(row["user"]["username"], row["place"]) for row in last["rankings"]] == [
        ("dan", 2),
        ("ada", 3),
        ("bob", 7),
        ("cyd", None),
    ]


def test_equal_scores_are_ranked_by_submission_and_a_repetition_keeps_its_time(play, as_player, ada, bob):
    first = play(ada, multiplayer=True, score=10)
    second = play(bob, multiplayer_game_round_id=first["multiplayer_game_round_id"], score=10)

    repeated = as_player(ada).put(f"{ROUNDS}/{first['id']}", {"score": "10.0"}).json()
    assert [row["id"] for row in repeated["rankings"]] == [first["id"], second["id"]]

    as_player(ada).put(f"{ROUNDS}/{first['id']}", {"score": 11})
    back = as_player(ada).put(f"{ROUNDS}/{first['id']}", {"score": 10}).json()
    assert [row["id"] for row in back["rankings"]] == [second["id"], first["id"]]


def test_scores_that_a_float_cannot_tell_apart_are_told_apart(play, ada, bob):
    first = play(ada, multiplayer=True, score="9007199254740992.1")
    second = play(bob, multiplayer_game_round_id=first["multiplayer_game_round_id"], score="9007199254740992.2")

    assert [(row["id"], row["place"]) for row in second["rankings"]] == [(second["id"], 1), (first["id"], 2)]


def test_lists_are_paged_by_at_most_100(as_player, ada):
    Round.objects.bulk_create(
        Round(
            game=ada.user.game,
            game_user=ada.user,
            game_type="duel",
            start_time=OPENS,
            submitted_at=OPENS,
            created_at=OPENS,
            updated_at=OPENS,
        )
        for _ in range(103)
    )
    ids = list(Round.objects.order_by("id").values_list("id", flat=True))

    def listed(**query):
        answer = as_player(ada).get(ROUNDS, {"user_id": ada.user.pk, **query})
        return [row["id"] for row in answer.json()["game_rounds"]]

    assert listed() == ids[:100]
    assert listed(page=2) == ids[100:]
    assert listed(per_page=1000) == ids[:100]
    assert listed(page=3, per_page=2) == ids[4:6]
    assert listed(page=9) == []


def test_creating_showing_and_listing_cost_few_statements(play, as_player, ada, bob):
    made = play(ada, multiplayer=True)
    number = made["multiplayer_game_round_id"]

    def cost(send):
        with CaptureQueriesContext(connection) as captured:
            assert send().status_code in (200, 201)
        return len([each for each in captured if "SAVEPOINT" not in each["sql"]])

    joining = {"game_user_id": bob.user.pk, "game_type": "duel", "multiplayer_game_round_id": number, "score": 3}
    # token; contest, its count, the row, the counters; the row as it is, its rankings.
    assert cost(lambda: as_player(bob).post(ROUNDS, joining)) == 7
    assert cost(lambda: as_player(bob).get(f"{ROUNDS}/{made['id']}")) == 3
    assert cost(lambda: as_player(bob).get(ROUNDS, {"user_id": ada.user.pk})) == 3
    # token; row under lock, score order, the row, the counters; the row as it is, its rankings.
    assert cost(lambda: as_player(ada).put(f"{ROUNDS}/{made['id']}", {"score": 4})) == 7


@pytest.fixture
def session_contest(arcade):
    """A contest as a paid session would have it, running for a minute."""
    with transaction.atomic():
        return contests.open_contest(
            game=arcade.game,
            controller=Contest.Controller.SESSION,
            score_order="desc",
            opens_at=OPENS,
            closes_at=CLOSES,
            now=OPENS - timedelta(minutes=3),
        )


@pytest.fixture
def entrant(api, session_contest, arcade, as_player, player):
    """The platform's player in that contest, signed in at the game: (client, its round's id)."""
    with transaction.atomic():
        entered = contests.add_entrant(contest_id=session_contest.pk, user_id=player.pk, now=OPENS)
    signed_in = api(player).post("/api/v3/sessions", {"game_id": arcade.pk}).json()
    client = as_player(None)
    client.credentials(HTTP_AUTHENTICATION_TOKEN=signed_in["authentication_token"])
    return client, entered.round_id


def test_a_player_scores_its_round_of_a_session_while_it_runs(entrant):
    client, round_id = entrant
    with time_machine.travel(OPENS, tick=False):
        first = client.put(f"{ROUNDS}/{round_id}", {"score": 40, "place": 9, "metadata": {"kills": 3}})
    with time_machine.travel(CLOSES - timedelta(milliseconds=1), tick=False):
        last = client.put(f"{ROUNDS}/{round_id}", {"score": 50})

    assert (first.status_code, first.json()["score"], first.json()["place"]) == (200, 40, 1)
    assert (last.status_code, last.json()["score"], last.json()["metadata"]) == (200, 50, {"kills": 3})
    assert last.json()["start_time"] == "2026-06-01T12:00:00.000Z"


def test_a_post_with_the_sessions_number_scores_the_players_one_round(entrant, session_contest, player):
    client, round_id = entrant
    mine = GameUser.objects.get(user=player)
    sent = {
        "game_user_id": mine.pk,
        "game_type": "duel",
        "score": 40,
        "multiplayer_game_round_id": session_contest.multiplayer_id,
    }
    with time_machine.travel(OPENS, tick=False):
        answers = [client.post(ROUNDS, sent), client.post(ROUNDS, sent)]

    assert [(answer.status_code, answer.json()["id"]) for answer in answers] == [(201, round_id)] * 2
    assert Round.objects.count() == 1


@pytest.mark.parametrize("moment", [OPENS - timedelta(milliseconds=1), CLOSES, CLOSES + timedelta(days=1)])
def test_a_score_before_or_after_the_session_is_refused(entrant, session_contest, moment, player):
    client, round_id = entrant
    before = everything()
    mine = GameUser.objects.get(user=player)
    sent = {"game_user_id": mine.pk, "game_type": "duel", "score": 1}

    with time_machine.travel(moment, tick=False):
        answers = [
            client.put(f"{ROUNDS}/{round_id}", {"score": 1}),
            client.post(ROUNDS, sent | {"multiplayer_game_round_id": session_contest.multiplayer_id}),
        ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert "not running" in answers[0].content.decode()
    assert everything() == before


def test_nobody_else_scores_leaves_or_joins_a_session_through_the_api(entrant, session_contest, as_player, ada):
    client, round_id = entrant
    before = everything()
    number = session_contest.multiplayer_id

    with time_machine.travel(OPENS, tick=False):
        answers = {
            "another player's score": as_player(ada).put(f"{ROUNDS}/{round_id}", {"score": 1}),
            "another player's delete": as_player(ada).delete(f"{ROUNDS}/{round_id}"),
            "its own delete": client.delete(f"{ROUNDS}/{round_id}"),
            "joining": as_player(ada).post(
                ROUNDS, {"game_user_id": ada.user.pk, "game_type": "duel", "multiplayer_game_round_id": number}
            ),
            "for the entrant": as_player(ada).post(
                ROUNDS,
                {
                    "game_user_id": Round.objects.get().game_user_id,
                    "game_type": "duel",
                    "multiplayer_game_round_id": number,
                },
            ),
        }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "another player's score": 401,
        "another player's delete": 401,
        "its own delete": 422,
        "joining": 422,
        "for the entrant": 401,
    }
    assert everything() == before


def test_the_games_server_scores_a_session_for_its_players(entrant, as_player, ada, server_key):
    _, round_id = entrant
    headers = {
        "service-key-name": "arcade server",
        "service-key-token": server_key.text,
        "current-user-id": str(ada.user.pk),
    }
    with time_machine.travel(OPENS, tick=False):
        answer = as_player(None).put(f"{ROUNDS}/{round_id}", {"score": 12.5}, headers=headers)

    assert answer.status_code == 200
    assert Round.objects.get().score == Decimal("12.5")
