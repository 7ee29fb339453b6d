"""One request in every form that game clients send it, and both ways to say who is asking."""

import json

import pytest

from accounts.api_keys import issue_key
from accounts.models import ApiClient
from core.db import clock
from rounds.models import GameUserAttribute, Round

ROUNDS = "/api/v3/game_rounds"
FORM = "application/x-www-form-urlencoded"


def as_query(client, url, values):
    return client.post(f"{url}?" + "&".join(f"{name}={value}" for name, value in values.items()))


def as_json(client, url, values):
    return client.post(url, values, format="json")


def as_wrapped_json(client, url, values):
    inner = {name: value for name, value in values.items() if name != "multiplayer"}
    return client.post(url, {"game_round": inner, "multiplayer": values["multiplayer"] == "true"}, format="json")


def as_form(client, url, values):
    return client.post(url, "&".join(f"{name}={value}" for name, value in values.items()), content_type=FORM)


def as_bracketed_form(client, url, values):
    pairs = [
        f"{name}={value}" if name == "multiplayer" else f"game_round[{name}]={value}" for name, value in values.items()
    ]
    return client.post(url, "&".join(pairs), content_type=FORM)


def as_multipart(client, url, values):
    return client.post(url, values, format="multipart")


def as_some_of_each(client, url, values):
    rest = {name: value for name, value in values.items() if name not in ("score", "game_type")}
    return client.post(f"{url}?score={values['score']}", {"game_round": {"game_type": values["game_type"]}, **rest})


@pytest.mark.parametrize("suffix", ["", ".json", "/", ".json/"])
@pytest.mark.parametrize(
    "send", [as_query, as_json, as_wrapped_json, as_form, as_bracketed_form, as_multipart, as_some_of_each]
)
def test_every_form_of_a_request_means_the_same(as_player, ada, send, suffix):
    values = {
        "game_user_id": str(ada.user.pk),
        "game_type": "battle",
        "score": "3.96",
        "start_time": "2026-05-20T17:00:00.599-04:00",
        "metadata": '{"level":"Hard"}',
        "multiplayer": "true",
    }

    answer = send(as_player(ada), ROUNDS + suffix, {name: value.replace("+", "%2B") for name, value in values.items()})

    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["game_user_id"] == ada.user.pk
    assert body["score"] == 3.96
    assert body["start_time"] == "2026-05-20T21:00:00.599Z"
    assert body["metadata"] == {"level": "Hard"}
    assert len(body["rankings"]) == 1


def test_metadata_may_come_in_brackets(as_player, ada):
    text = f"game_user_id={ada.user.pk}&game_type=battle&metadata[level]=Hard&metadata[boss][name]=Grue"

    answer = as_player(ada).post(ROUNDS, text, content_type=FORM)

    assert answer.json()["metadata"] == {"level": "Hard", "boss": {"name": "Grue"}}


def test_the_body_wins_over_the_query(as_player, ada):
    answer = as_player(ada).post(
        f"{ROUNDS}?game_type=query&score=1", {"game_user_id": ada.user.pk, "game_type": "body"}
    )

    assert (answer.json()["game_type"], answer.json()["score"]) == ("body", 1)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("1000", "1000"),
        ("100.0", "100"),
        ("0.1", "0.1"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("12345678901234567890.5", "12345678901234567890.5"),
        ("-7", "-7"),
        ("1.5e3", "1500"),
        ("-0.0", "0"),
    ],
)
def test_a_score_keeps_its_very_digits(as_player, ada, sent, told):
    body = f'{{"game_user_id": {ada.user.pk}, "game_type": "battle", "score": {sent}}}'

    answer = as_player(ada).post(ROUNDS, body, content_type="application/json")
    listed = as_player(ada).get(ROUNDS, {"user_id": ada.user.pk})

    assert f'"score":{told},' in answer.content.decode()
    assert f'"score":{told},' in listed.content.decode()


def test_a_games_server_acts_for_its_users(as_player, ada, bob, server_key):
    headers = {"service-key-name": "arcade server", "service-key-token": server_key.text}
    client = as_player(None)

    made = client.post(
        ROUNDS,
        {"game_user_id": bob.user.pk, "game_type": "battle", "score": 5},
        headers=headers | {"current-user-id": str(bob.user.pk)},
    )
    shown = client.get(f"/api/v3/users/{bob.user.pk}", headers=headers | {"current-user-id": str(bob.user.pk)})

    assert made.status_code == 201
    assert made.json()["game_user_id"] == bob.user.pk
    assert shown.json()["authentication_token"] is None
    assert shown.json()["email"] == "bob@players.example"


@pytest.mark.parametrize("flaw", ["name", "token", "user", "other game", "no user", "scope", "switched off"])
def test_a_service_key_that_does_not_fit_is_refused(as_player, ada, speedrun, enrol, server_key, flaw):
    stranger = enrol(speedrun, "stranger")
    headers = {
        "service-key-name": "arcade server",
        "service-key-token": server_key.text,
        "current-user-id": str(ada.user.pk),
    }
    if flaw == "name":
        headers["service-key-name"] = "another server"
    elif flaw == "token":
        headers["service-key-token"] = server_key.text[:-1] + "x"
    elif flaw == "user":
        headers["current-user-id"] = "99999999999999999999"
    elif flaw == "other game":
        headers["current-user-id"] = str(stranger.user.pk)
    elif flaw == "no user":
        del headers["current-user-id"]
    elif flaw == "scope":
        client = ApiClient.objects.create(name="chat tool", game=ada.user.game)
        key = issue_key(client=client, scopes=["chat"], now=clock.now())
        headers |= {"service-key-name": "chat tool", "service-key-token": key.text}
    else:
        ApiClient.objects.update(is_active=False)

    answer = as_player(None).post(ROUNDS, {"game_user_id": ada.user.pk, "game_type": "battle"}, headers=headers)

    assert answer.status_code == 401
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert not Round.objects.exists()


DEEP = b"[" * 40 + b"]" * 40
HOSTILE_BODIES = [
    b"",
    b"{",
    b"[]",
    b'"text"',
    b"null",
    DEEP,
    b'{"a": ' + DEEP + b"}",
    b'{"score": NaN}',
    b'{"score": 1e400}',
    b'{"score": 1e30, "game_type": "x", "game_user_id": 1}',
    b'{"score": [], "game_type": "x"}',
    b'{"score": true, "game_type": "x"}',
    b'{"game_type": {}, "game_user_id": 1}',
    b'{"game_type": "a\\u0000b", "game_user_id": 1}',
    b'{"game_type": "\\ud800", "game_user_id": 1}',
    b'{"game_type": "x", "game_user_id": 9223372036854775808}',
    b'{"game_type": "x", "game_user_id": 9223372036854775807}',
    b'{"game_type": "x", "game_user_id": -1}',
    b'{"game_type": "x", "game_user_id": 1.5}',
    b'{"game_type": "x", "game_user_id": [1]}',
    b'{"game_type": "x", "multiplayer": "maybe"}',
    b'{"game_type": "x", "multiplayer_game_round_id": 0, "game_user_id": 1}',
    b'{"game_type": "x", "start_time": "yesterday"}',
    b'{"game_type": "x", "start_time": "2026-05-20T10:00:00"}',
    b'{"game_type": "x", "start_time": 5}',
    b'{"game_type": "x", "end_time": "9999-12-31T23:59:59-14:00"}',
    b'{"game_type": "x", "place": -1}',
    b'{"game_type": "x", "place": 2147483648}',
    b'{"game_type": "x", "metadata": []}',
    b'{"game_type": "x", "metadata": "text"}',
    b'{"game_type": "x", "metadata": {"a": "' + b"b" * 20_000 + b'"}}',
    b'{"game_round": []}',
    b'{"game_round": {"game_round": {}}}',
    b'{"a":1,"a":2}',
    b"\xff\xfe",
    b'{"game_type": "' + b"x" * 300 + b'"}',
    b'{"game_type": "' + b"x" * 70_000 + b'"}',
]


@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=lambda body: repr(body[:40]))
def test_hostile_json_is_refused_with_a_sentence(as_player, ada, body):
    answer = as_player(ada).post(ROUNDS, body, content_type="application/json")

    # 404 and 401: a well-formed body that names a user who is not there, or not the caller's to play for.
    assert answer.status_code in (401, 404, 422), answer.content
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert not Round.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("game_type=%00&game_user_id=1", FORM, 422),
        ("a[b]=1&a=2&a[c]=3", FORM, 422),
        ("a" + "[b]" * 50 + "=1", FORM, 422),
        ("&".join(f"k{n}=1" for n in range(1500)), FORM, 422),
        ("game_type=%2B2AA-&game_user_id=1", f"{FORM}; charset=utf-7", 422),
        ("x", "text/plain", 422),
        ("<x/>", "application/xml", 422),
        ("--b\r\nbroken", "multipart/form-data; boundary=b", 422),
        ("broken", "multipart/form-data", 422),
        ("game_type=" + "x" * 200_000, FORM, 413),
    ],
)
def test_hostile_forms_are_refused_with_a_sentence(as_player, ada, body, content_type, status):
    answer = as_player(ada).post(ROUNDS, body, content_type=content_type)

    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert not Round.objects.exists()


@pytest.mark.parametrize(
    "route",
    [
        "game_rounds/9223372036854775808",
        "game_rounds/99999999999999999999999999999999",
        "users/9223372036854775808",
        "users/0",
        "game_rounds?user_id=9223372036854775808",
        "game_rounds?user_id=abc",
        "game_rounds?user_id=1&page=0",
        "game_rounds?user_id=1&per_page=-5",
        "game_rounds?user_id=1&page=99999999999999999999",
        "games/99999999999999999999/leaderboard_entries?leaderboard_name=x",
        "games/verify?game_id=99999999999999999999&game_token=x",
        "games/verify?game_id=%00&game_token=%00",
        "game_rounds/abc",
        "no/such/route",
        "",
    ],
)
def test_a_hostile_route_is_refused_with_a_sentence(as_player, ada, route):
    answer = as_player(ada).get(f"/api/v3/{route}")

    assert answer.status_code in (401, 404, 422), answer.content
    assert answer["Content-Type"] == "text/plain; charset=utf-8"


def test_a_method_a_route_does_not_have_is_refused_with_a_sentence(as_player, ada):
    answer = as_player(ada).delete(ROUNDS)

    assert answer.status_code == 405
    assert answer["Content-Type"] == "text/plain; charset=utf-8"


def test_an_attribute_list_may_come_as_json_text_or_in_brackets(as_player, ada):
    url = f"/api/v3/users/{ada.user.pk}/add_game_user_attribute"
    as_player(ada).post(url, {"attributes": json.dumps([{"key": "level", "value": 7}])}, format="multipart")
    answer = as_player(ada).post(
        url, "attributes[0][key]=color&attributes[0][value]=blue&key=mode&value=", content_type=FORM
    )

    assert answer.status_code == 200
    values = {row["key"]: row["value"] for row in answer.json()["game_user_attributes"]}
    assert values == {"level": "7", "mode": "", "color": "blue"}
    assert GameUserAttribute.objects.count() == 3


@pytest.mark.parametrize("route", ["game_rounds", "game_rounds/1.json", "users", "users/1/add_credits"])
def test_a_browser_may_ask_before_it_sends_a_token(as_player, db, route):
    answer = as_player(None).options(
        f"/api/v3/{route}",
        headers={"Origin": "https://game.example", "Access-Control-Request-Headers": "authentication-token"},
    )

    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "authentication-token" in answer["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer


def test_a_browser_may_read_answers_and_refusals(as_player, ada):
    answers = [as_player(ada).get(f"/api/v3/users/{ada.user.pk}"), as_player(None).get("/api/v3/users/1")]

    assert [answer.status_code for answer in answers] == [200, 401]
    assert [answer["Access-Control-Allow-Origin"] for answer in answers] == ["*", "*"]
