"""Signed requests (contract payments, "Signing")."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from accounts.api_keys import issue_key, revoke_key
from accounts.models import ApiClient, ApiKey, Game
from core.db import clock
from payments.models import Job, Pot
from tests.contracts.plyr_client import PlyrClient, sign
from tests.support.pots import send_by_django

pytestmark = pytest.mark.django_db


def headers(server, body: bytes = b"{}", **changed: Any) -> dict[str, str]:
    moment = server.timestamp()
    made = {"apikey": server.key, "timestamp": moment, "signature": sign(server.secret, moment, body)}
    return {name: value for name, value in {**made, **changed}.items() if value is not None}


@pytest.mark.parametrize("missing", ["apikey", "signature", "timestamp"])
def test_a_request_without_all_three_headers_is_refused_first(server, missing):
    answer = send_by_django("GET", "/api/now", b"", headers(server, b"{}", **{missing: None}))
    assert (answer.status, answer["error"]) == (401, "Missing authentication headers")


def test_the_four_refusals_come_in_their_order(server):
    old = str(int(server.timestamp()) - 5 * 60 * 1000 - 1)
    wrong_everything = {"apikey": "gp_x_y", "timestamp": old, "signature": "0" * 64}
    answer = send_by_django("GET", "/api/now", b"", headers(server, b"{}", **wrong_everything))
    assert (answer.status, answer["error"], answer["code"]) == (401, "Invalid API key", "INVALID_API_KEY")
    answer = send_by_django(
        "GET", "/api/now", b"", headers(server, b"{}", **{**wrong_everything, "apikey": server.key})
    )
    assert (answer.status, answer["error"]) == (401, "Invalid signature")
    signed_late = {"timestamp": old, "signature": sign(server.secret, old, b"{}")}
    answer = send_by_django("GET", "/api/now", b"", headers(server, b"{}", **signed_late))
    assert (answer.status, answer["error"]) == (401, "Request expired")


@pytest.mark.parametrize(("shift_ms", "status"), [(-299_000, 200), (299_000, 200), (-301_000, 401), (301_000, 401)])
def test_the_time_may_be_five_minutes_off_either_way(server, shift_ms, status):
    moment = str(int(server.timestamp()) + shift_ms)
    assert server.raw("GET", "/now", b"", signed=b"{}", timestamp=moment).status == status


@pytest.mark.parametrize("timestamp", ["soon", "-5", "1e13", "٣٣٣", "9" * 400, " 1"])
def test_a_time_that_is_no_number_has_expired(server, timestamp):
    answer = send_by_django(
        "GET",
        "/api/now",
        b"",
        headers(server, timestamp=timestamp, signature=sign(server.secret, timestamp, b"{}")),
    )
    assert answer.status == 401
    assert answer["error"] in {"Request expired", "Invalid signature"}


@pytest.mark.parametrize("key", ["gp_" + "ü" * 12 + "_x", "gp__", "plain", "gp_\t_x", "gp_1_" + "x" * 5_000])
def test_a_key_of_any_shape_is_just_invalid(server, key):
    answer = send_by_django("GET", "/api/now", b"", headers(server, apikey=key))
    assert (answer.status, answer["error"]) == (401, "Invalid API key")


def test_the_exact_bytes_may_be_signed(server):
    body = b'{ "expiresIn" : 60,\n "sync": true }'
    assert server.raw("POST", "/game/create", body)["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("sent", "signed"),
    [
        (b'{ "expiresIn": 60.0, "sync": true }', b'{"expiresIn":60,"sync":true}'),
        (b'{"note": "caf\\u00e9", "x": 1e-7, "expiresIn": "60"}', '{"note":"café","x":1e-7,"expiresIn":"60"}'.encode()),
        (b'{"x": [1.50, 0.000001, 1e21, {"y": null}]}', b'{"x":[1.5,0.000001,1e+21,{"y":null}]}'),
    ],
)
def test_or_their_compact_json_as_a_javascript_client_writes_it(server, sent, signed):
    assert server.raw("POST", "/game/create", sent, signed=signed).status == 200


def test_a_body_that_was_changed_on_the_way_is_refused_and_makes_nothing(server):
    answer = server.raw("POST", "/game/create", b'{"expiresIn":61}', signed=b'{"expiresIn":60}')
    assert (answer.status, answer["error"]) == (401, "Invalid signature")
    assert not Job.objects.exists()


def test_an_empty_body_signs_as_an_empty_object(server):
    assert server.raw("POST", "/game/create", b"", signed=b"{}").status == 200


def test_a_get_and_its_polls_may_repeat_the_time_of_a_post(server):
    moment = server.timestamp()
    made = server.post("/game/create", {}, timestamp=moment)
    for _ in range(2):
        answer = server.raw("GET", f"/task/status/{made['task']['id']}", b"", signed=b"{}", timestamp=moment)
        assert answer.body == {"status": "PENDING"}


def test_two_live_keys_of_a_client_both_sign_and_a_revoked_one_does_not(server, game):
    client = ApiClient.objects.get(game=game)
    second = issue_key(client=client, scopes=[ApiKey.Scope.POTS], now=clock.now())
    renewed = PlyrClient(key=second.text, secret=second.signing_secret, send=send_by_django)
    assert (server.get("/now").status, renewed.get("/now").status) == (200, 200)
    revoke_key(key=ApiKey.objects.exclude(pk=second.key.pk).get(), now=clock.now())
    assert (server.get("/now").status, renewed.get("/now").status) == (401, 200)


def test_a_key_for_something_else_is_no_key_here(server_of, game):
    assert server_of(game, ApiKey.Scope.ROUNDS).get("/now")["error"] == "Invalid API key"


def test_a_game_that_was_switched_off_may_do_nothing(server, game):
    Game.objects.filter(pk=game.pk).update(status=Game.Status.INACTIVE)
    answer = server.get("/now")
    assert (answer.status, answer["error"]) == (403, "Insufficient permissions")


def test_only_the_list_of_tokens_is_open_to_everybody(gold):
    assert send_by_django("GET", "/api/tokenlist", b"", {})["tokens"] == [
        {"apiId": "gold", "symbol": "GOLD", "name": "Gold", "decimals": 2}
    ]
    for path in ("/now", "/jwt/publicKey", "/user/exists/someone", "/user/balance/someone", "/game/room/1"):
        assert send_by_django("GET", f"/api{path}", b"", {}).status == 401


class TestTheSameRequestAgain:
    def test_finds_the_first_ones_job_and_makes_no_second(self, server):
        moment = server.timestamp()
        answers = [server.post("/game/create", {"expiresIn": 60}, timestamp=moment) for _ in range(3)]
        assert answers[0].body == answers[1].body == answers[2].body
        assert Job.objects.count() == 1

    def test_gets_the_first_result_and_pays_once(self, server, seated):
        ada = seated("ada-lake")
        body = {"sessionJwts": [ada.jwt], "tokens": ["gold"], "amounts": [50], "sync": True}
        moment = server.timestamp()
        # The allowance is used up by the first: a second try, if it were one, would be refused.
        first = server.post("/game/createJoinPay", body, timestamp=moment)
        assert (first.status, first["status"]) == (200, "SUCCESS")
        assert server.post("/game/createJoinPay", body, timestamp=moment).body == first.body
        assert Pot.objects.count() == 1

    def test_is_another_one_with_another_time_body_or_route(self, server):
        moment = server.timestamp()
        for path, body, timestamp in [
            ("/game/create", {}, moment),
            ("/game/create", {}, str(int(moment) + 1)),
            ("/game/create", {"expiresIn": 60}, moment),
        ]:
            assert server.post(path, body, timestamp=timestamp).status == 200
        assert Job.objects.count() == 3

    def test_is_the_callers_own(self, server, server_of, other_game):
        moment = server.timestamp()
        mine = server.post("/game/create", {}, timestamp=moment)
        theirs = server_of(other_game).post("/game/create", {}, timestamp=moment)
        assert mine["task"]["id"] != theirs["task"]["id"]

    def test_gets_the_same_session_of_a_login(self, server, person):
        ada = person("ada-lake")
        body = {"plyrId": "ada-lake", "otp": ada.code()}
        moment = server.timestamp()
        first = server.post("/user/login", body, timestamp=moment)
        again = server.post("/user/login", body, timestamp=moment)
        assert again.body == first.body
        used = server.post("/user/login", body)
        assert (used.status, used["error"]) == (401, "2FA token already used")

    def test_too_late_has_expired(self, server):
        moment = server.timestamp()
        body = json.dumps({"expiresIn": 60}).encode()
        server.raw("POST", "/game/create", body, timestamp=moment)
        with time_machine.travel(clock.now() + timedelta(minutes=6)):
            assert server.raw("POST", "/game/create", body, timestamp=moment)["error"] == "Request expired"
