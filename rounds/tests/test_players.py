import secrets
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.api_keys import issue_key
from accounts.game_tokens import TOKENS_MAX
from accounts.models import ApiClient, Game, GameUser, GameUserToken
from core.db import clock
from rounds.models import Contest, GameAccess, GameVariable, Leaderboard, Round
from rounds.players import NUMBER_MAX

NOON = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
TEXT = "text/plain; charset=utf-8"


def sign_up(client, access, name="newcomer", **fields):
    sent = {
        "email": f"{name}@players.example",
        "password": "open sesame",
        "password_confirmation": "open sesame",
        "username": name,
        "game_id": str(access.pk),
        "game_token": access.token,
    }
    return client.post("/api/v3/users", sent | fields)


def sign_in(client, access, name="ada", **fields):
    sent = {"email": f"{name}@players.example", "password": "open sesame", "game_id": access.pk}
    return client.post("/api/v3/sessions", sent | fields)


def test_signing_up_answers_the_player_and_a_token_that_works(as_player, arcade):
    with time_machine.travel(NOON, tick=False):
        answer = sign_up(as_player(None), arcade)
        token = answer.json()["authentication_token"]
        shown = as_player(None).get(f"/api/v3/users/{answer.json()['id']}", headers={"authentication-token": token})

    user = GameUser.objects.get()
    assert answer.status_code == 200
    assert answer.json() == {
        "id": user.pk,
        "username": "newcomer",
        "email": "newcomer@players.example",
        "display_email": "newcomer@players.example",
        "credits": 0,
        "score": 0,
        "last_login": "2026-06-30T12:00:00.000Z",
        "number_of_logins": 0,
        "authentication_token": token,
        "events_total": 1,
        "events_current_month": 1,
        "game_sessions_total": 1,
        "game_sessions_current_month": 1,
        "is_new_user": True,
    }
    assert shown.status_code == 200
    assert shown.json()["authentication_token"] == token
    assert token not in str(list(GameUserToken.objects.values()))
    assert user.password.startswith("md5$")


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"game_token": "wrong"}, 404, "Game not found, check the game id and token"),
        ({"game_token": ""}, 404, "Game not found, check the game id and token"),
        ({"game_id": "0"}, 404, "Game not found, check the game id and token"),
        ({"game_id": "abc"}, 404, "Game not found, check the game id and token"),
        ({"email": ""}, 422, "Email can't be blank"),
        ({"email": "no address"}, 422, "Email is invalid"),
        ({"username": ""}, 422, "Username can't be blank"),
        ({"username": "zero\u200bwidth"}, 422, "Username must not contain control or invisible characters"),
        ({"password": "short", "password_confirmation": "short"}, 422, "Password must have 6 to 128 characters"),
        ({"password_confirmation": "another"}, 422, "Password confirmation doesn't match Password"),
        ({"username": "ADA"}, 422, "Username has already been taken"),
        ({"email": "Ada@Players.Example"}, 422, "Email has already been taken"),
    ],
)
def test_a_sign_up_that_breaks_a_rule_makes_nobody(as_player, arcade, ada, fields, status, sentence):
    answer = sign_up(as_player(None), arcade, **fields)

    assert (answer.status_code, answer.content.decode()) == (status, sentence)
    assert answer["Content-Type"] == TEXT
    assert list(GameUser.objects.values_list("username", flat=True)) == ["ada"]


def test_a_name_is_unique_within_its_game_only(as_player, ada, speedrun):
    answer = sign_up(as_player(None), speedrun, "ada")

    assert answer.status_code == 200
    assert answer.json()["username"] == "ada"
    assert answer.json()["id"] != ada.user.pk


def test_signing_in_answers_the_full_player(as_player, arcade, ada):
    as_player(ada).post(
        "/api/v3/game_rounds", {"game_user_id": ada.user.pk, "game_type": "duel", "score": 4, "multiplayer": True}
    )

    answer = sign_in(as_player(None), arcade)

    body = answer.json()
    assert answer.status_code == 200
    assert body["number_of_logins"] == 1
    assert body["is_new_user"] is True
    assert body["authentication_token"] not in ("", None, ada.token)
    assert body["game_rounds"][0]["rankings"][0]["user"]["username"] == "ada"
    empty = (
        "game_user_attributes",
        "game_user_store_items",
        "friends",
        "outgoing_friend_requests",
        "incoming_friend_requests",
        "groups",
        "group_join_requests",
        "group_invites",
        "direct_chats",
        "group_chats",
    )
    assert {name: body[name] for name in empty} == {name: [] for name in empty}
    assert sign_in(as_player(None), arcade, email="ADA@players.example").json()["is_new_user"] is False
    # The token of the other device stays good.
    assert as_player(ada).get(f"/api/v3/users/{ada.user.pk}").status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"password": "close sesame"}, 401, "Incorrect email or password"),
        ({"password": ""}, 401, "Incorrect email or password"),
        ({"email": "nobody@players.example"}, 401, "Incorrect email or password"),
        ({"email": ""}, 401, "Incorrect email or password"),
        ({"game_id": 10**12}, 404, "Game not found, check the game id and token"),
        ({"game_id": None}, 404, "Game not found, check the game id and token"),
        ({"game_token": "wrong"}, 404, "Game not found, check the game id and token"),
    ],
)
def test_a_sign_in_that_does_not_fit_gives_no_token(as_player, arcade, ada, fields, status, sentence):
    answer = sign_in(as_player(None), arcade, **fields)

    assert (answer.status_code, answer.content.decode()) == (status, sentence)
    assert GameUserToken.objects.count() == 1
    assert GameUser.objects.get().number_of_logins == 0


def test_a_disabled_game_takes_nobody_in(as_player, arcade, ada):
    Game.objects.update(status="inactive")

    answers = [sign_in(as_player(None), arcade), sign_up(as_player(None), arcade)]

    assert [(answer.status_code, answer.content.decode()) for answer in answers] == [(402, "Game is disabled")] * 2
    assert GameUser.objects.count() == 1


def test_a_player_keeps_its_newest_sign_ins(as_player, arcade, ada):
    tokens = [sign_in(as_player(None), arcade).json()["authentication_token"] for _ in range(TOKENS_MAX)]

    def status(token):
        url = f"/api/v3/users/{ada.user.pk}"
        return as_player(None).get(url, headers={"authentication-token": token}).status_code

    assert status(ada.token) == 401
    assert [status(token) for token in tokens] == [200] * TOKENS_MAX


def test_a_platform_player_signs_in_with_its_access_token(api, arcade, as_player, player, ada):
    GameUser.objects.filter(pk=ada.user.pk).update(username="Player")

    first = api(player).post("/api/v3/sessions", {"game_id": arcade.pk})
    again = api(player).post("/api/v3/sessions", {"game_id": arcade.pk})

    made = GameUser.objects.get(user=player)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["id"] == again.json()["id"] == made.pk
    # Somebody else of the game has the name already, in whatever case.
    assert made.username.startswith("player#")
    assert len(made.username) == len("player#123456")
    assert made.email is None
    token = again.json()["authentication_token"]
    player.is_active = False
    player.save()
    url = f"/api/v3/users/{made.pk}"
    assert as_player(None).get(url, headers={"authentication-token": token}).status_code == 401


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic xyz", "Bearer"])
def test_a_bad_access_token_signs_nobody_in(as_player, arcade, header):
    answer = as_player(None).post("/api/v3/sessions", {"game_id": arcade.pk}, headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer["Content-Type"] == TEXT
    assert not GameUser.objects.exists()


def test_a_player_sees_others_of_its_game_without_email_and_token(as_player, ada, bob, speedrun, enrol):
    stranger = enrol(speedrun, "stranger")

    shown = as_player(bob).get(f"/api/v3/users/{ada.user.pk}")
    foreign = as_player(stranger).get(f"/api/v3/users/{ada.user.pk}")
    missing = as_player(bob).get("/api/v3/users/999999999")

    body = shown.json()
    assert shown.status_code == 200
    assert (body["username"], body["email"], body["display_email"], body["authentication_token"]) == (
        "ada",
        None,
        None,
        None,
    )
    assert (foreign.status_code, foreign.content.decode()) == (401, "You cannot view users from another game")
    assert (missing.status_code, missing.content.decode()) == (404, "User not found")


def test_a_game_is_verified_by_its_token(as_player, arcade):
    GameVariable.objects.create(access=arcade, key="gravity", value="9.8")
    GameAccess.objects.update(description="Everything falls")
    query = {"game_id": arcade.pk, "game_token": arcade.token, "client_from_library": "js", "seed_store": "true"}

    good = as_player(None).get("/api/v3/games/verify", query)
    bad = as_player(None).get("/api/v3/games/verify", query | {"game_token": arcade.token[:-1]})
    store = as_player(None).get("/api/v3/games/store_items", query)
    no_store = as_player(None).get("/api/v3/games/store_items", query | {"game_id": "no"})

    assert good.status_code == 200
    assert good.json() == {
        "id": arcade.pk,
        "name": "Arcade",
        "token": arcade.token,
        "description": "Everything falls",
        "game_variables": [{"id": GameVariable.objects.get().pk, "key": "gravity", "value": "9.8"}],
    }
    assert (bad.status_code, bad["Content-Type"]) == (401, TEXT)
    assert (store.status_code, store.json()) == (200, {"store_items": []})
    assert no_store.status_code == 404


@pytest.mark.parametrize("name", ["credits", "score"])
def test_credits_and_score_are_set_and_added_to(as_player, ada, name):
    client, user = as_player(ada), f"/api/v3/users/{ada.user.pk}"

    assert client.post(f"{user}/set_{name}", {name: 10}).json()[name] == 10
    answer = client.post(f"{user}/add_{name}?{name}=-25")

    assert answer.status_code == 200
    assert answer.json()[name] == -15
    assert answer.json()["authentication_token"] == ada.token
    assert answer.json()["events_total"] == 3


@pytest.mark.parametrize(
    ("route", "body", "status"),
    [
        ("add_credits", {}, 400),
        ("set_score", {"credits": 5}, 400),
        ("add_credits", {"credits": "many"}, 422),
        ("add_credits", {"credits": 1.5}, 422),
        ("set_credits", {"credits": NUMBER_MAX + 1}, 422),
        ("add_credits", {"credits": NUMBER_MAX - 6}, 422),
        ("add_credits", {"credits": 2**63}, 422),
        ("add_credits", {"credits": -NUMBER_MAX - 8}, 422),
    ],
)
def test_credits_and_score_stay_as_they_are_when_the_request_is_bad(as_player, ada, route, body, status):
    GameUser.objects.update(credits=7, score=7)

    answer = as_player(ada).post(f"/api/v3/users/{ada.user.pk}/{route}", body)

    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == TEXT
    assert GameUser.objects.values_list("credits", "score", "events_total").get() == (7, 7, 1)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("set_credits", {"credits": 5}),
        ("add_score", {"score": 5}),
        ("add_game_user_attribute", {"key": "k", "value": "v"}),
        ("remove_game_user_attribute", {"key": "mine"}),
        ("add_leaderboard_entry", {"leaderboard_name": "top", "score": 5}),
        ("clear_my_leaderboard_entries", {}),
    ],
)
def test_nobody_changes_another_player(as_player, ada, bob, route, body):
    as_player(ada).post(f"/api/v3/users/{ada.user.pk}/add_game_user_attribute", {"key": "mine", "value": "v"})
    before = list(GameUser.objects.order_by("pk").values())

    answer = as_player(bob).post(f"/api/v3/users/{ada.user.pk}/{route}", body)

    assert (answer.status_code, answer.content.decode()) == (401, "You can only change the current user")
    assert list(GameUser.objects.order_by("pk").values()) == before
    assert [row["key"] for row in ada.user.attributes.values()] == ["mine"]
    assert not Leaderboard.objects.exists()


def test_attributes_are_set_read_and_removed(as_player, ada, bob):
    user = f"/api/v3/users/{ada.user.pk}"
    client = as_player(ada)
    client.post(f"{user}/add_game_user_attribute", {"key": "level", "value": 10})
    set_again = client.post(
        f"{user}/add_game_user_attribute",
        {"key": "level", "value": "11", "attributes": [{"key": "color", "value": "blue"}]},
    )
    read = as_player(bob).get(f"{user}/game_user_attributes")
    removed = client.get(f"{user}/remove_game_user_attributes?game_user_attribute_key=level")
    missing = client.get(f"{user}/remove_game_user_attribute?game_user_attribute_key=level")
    unnamed = client.get(f"{user}/remove_game_user_attribute")
    broken = client.post(f"{user}/add_game_user_attribute", {"attributes": [{"key": "half"}]})

    def pairs(answer):
        return [(row["key"], row["value"]) for row in answer.json()["game_user_attributes"]]

    assert pairs(set_again) == pairs(read) == [("level", "11"), ("color", "blue")]
    assert pairs(removed) == [("color", "blue")]
    assert (missing.status_code, unnamed.status_code, broken.status_code) == (400, 400, 400)
    assert client.get(f"{user}/game_user_store_items").json() == {"game_user_store_items": []}


def test_the_monthly_counters_start_again_each_month(as_player, arcade, enrol):
    with time_machine.travel(NOON, tick=False):
        ada = enrol(arcade, "ada")
        as_player(ada).post(f"/api/v3/users/{ada.user.pk}/add_score", {"score": 1})
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        idle = as_player(ada).get(f"/api/v3/users/{ada.user.pk}").json()
        busy = as_player(ada).post(f"/api/v3/users/{ada.user.pk}/add_score", {"score": 1}).json()

    assert (idle["events_total"], idle["events_current_month"], idle["game_sessions_current_month"]) == (2, 0, 0)
    assert (busy["events_total"], busy["events_current_month"], busy["game_sessions_total"]) == (3, 1, 1)
    assert busy["game_sessions_current_month"] == 0


def test_a_full_player_costs_the_same_however_many_rounds_it_has(as_player, ada, bob):
    def cost():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert as_player(bob).get(f"/api/v3/users/{ada.user.pk}").status_code == 200
        return len(captured)

    few = cost()
    for _ in range(5):
        as_player(ada).post(
            "/api/v3/game_rounds", {"game_user_id": ada.user.pk, "game_type": "duel", "multiplayer": True}
        )

    # The token, the player, its rounds, its attributes; and one for all the rankings.
    assert (few, cost()) == (4, 5)


@pytest.fixture
def system_headers(db):
    client = ApiClient.objects.create(name="suite")
    key = issue_key(client=client, scopes=["system"], now=clock.now())
    return {"service-key-name": "suite", "service-key-token": key.text}


def test_the_suite_routes_are_off_unless_switched_on(as_player, system_headers, settings):
    assert settings.GAMEFUSE_TEST_SUITE is False

    answer = as_player(None).post("/api/v3/test_suite/create_game", headers=system_headers)

    assert answer.status_code == 404
    assert not Game.objects.exists()


def test_the_suite_routes_make_and_delete_a_throw_away_game(as_player, system_headers, arcade, settings):
    settings.GAMEFUSE_TEST_SUITE = True
    client = as_player(None)

    made = client.post("/api/v3/test_suite/create_game", headers=system_headers)
    game = made.json()
    user = client.post(
        f"/api/v3/test_suite/create_user?game_id={game['id']}",
        {"username": "tester", "email": "tester@players.example"},
        headers=system_headers,
    )
    access = GameAccess.objects.get(pk=game["id"])
    signed_in = sign_in(client, access, "tester", password="password")
    token = {"authentication-token": signed_in.json()["authentication_token"]}
    played = client.post(
        "/api/v3/game_rounds",
        {"game_user_id": user.json()["id"], "game_type": "t", "multiplayer": True},
        headers=token,
    )
    not_a_test = client.delete(f"/api/v3/test_suite/clean_up_test?game_id={arcade.pk}", headers=system_headers)
    cleaned = client.delete(f"/api/v3/test_suite/clean_up_test?game_id={game['id']}", headers=system_headers)

    assert [made.status_code, user.status_code, signed_in.status_code, played.status_code] == [201, 201, 200, 201]
    assert set(game) == {"id", "name", "token"}
    assert not_a_test.status_code == 404
    assert (cleaned.status_code, cleaned.json()) == (200, {"message": "everything should have been destroyed!"})
    assert list(Game.objects.all()) == [arcade.game]
    assert (GameUser.objects.count(), Contest.objects.count(), Round.objects.count()) == (0, 0, 0)


def test_a_throw_away_game_with_a_paid_room_stays(as_player, system_headers, make_room, settings):
    settings.GAMEFUSE_TEST_SUITE = True
    made = as_player(None).post("/api/v3/test_suite/create_game", headers=system_headers).json()
    make_room(game_id=made["id"])

    url = f"/api/v3/test_suite/clean_up_test?game_id={made['id']}"
    answer = as_player(None).delete(url, headers=system_headers)

    assert (answer.status_code, answer["Content-Type"]) == (422, TEXT)
    assert GameAccess.objects.filter(pk=made["id"]).exists()


def test_the_suite_routes_want_a_key_of_the_system(as_player, server_key, settings):
    settings.GAMEFUSE_TEST_SUITE = True
    headers = {"service-key-name": "arcade server", "service-key-token": server_key.text}

    answer = as_player(None).post("/api/v3/test_suite/create_game", headers=headers)

    assert answer.status_code == 401
    assert Game.objects.count() == 1


@pytest.mark.parametrize("spelling", ["ada@players.example", "ADA@players.example ", "Ada@Players.Example"])
def test_guessing_one_players_password_is_limited(as_player, arcade, ada, settings, spelling):
    settings.RATE_LIMITS_ENABLED = True
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"auth": "3/m", "auth_ip": "100/m"}
    address = "10." + ".".join(str(secrets.randbelow(256)) for _ in range(3))

    def guess(email):
        body = {"email": email, "password": "a guess", "game_id": arcade.pk}
        return as_player(None).post("/api/v3/sessions", body, REMOTE_ADDR=address, format="multipart")

    statuses = [guess("ada@players.example").status_code for _ in range(3)]
    refused = guess(spelling)

    assert statuses == [401, 401, 401]
    assert (refused.status_code, refused["Content-Type"]) == (429, TEXT)
    assert 15 <= int(refused["Retry-After"]) <= 20
    assert guess("bob@players.example").status_code == 401


@pytest.mark.parametrize("attributes", ["true", "1", '"text"', True, 7, 1.5])
def test_attributes_that_are_no_list_are_refused_beside_a_good_one(ada, as_player, attributes):
    body = {"key": "level", "value": "10", "attributes": attributes}
    answer = as_player(ada).post(f"/api/v3/users/{ada.user.pk}/add_game_user_attribute", body)
    assert (answer.status_code, answer.content) == (400, b"Each attribute needs a 'key' and a 'value' parameter")
