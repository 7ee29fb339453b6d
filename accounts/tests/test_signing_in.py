from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import jwt
import pytest
import time_machine
from django.conf import settings
from django.db import connection
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from accounts import sign_in
from accounts.credentials import access_token, read_token
from accounts.errors import InvalidToken
from accounts.models import User
from accounts.tests.counting import CountingHasher

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
UNAUTHORIZED = {"statusCode": 401, "message": "Unauthorized", "error": "Unauthorized"}
WRONG = {"statusCode": 401, "message": "Invalid username or password", "error": "Unauthorized"}


def log_in(client, username="player", password="player's password"):
    return client.post("/api/v1/auth/login", {"username": username, "password": password})


def refresh(client, raw):
    return client.post("/api/v1/auth/refresh", {"refresh": raw})


def get_me(client, raw):
    return client.get("/api/v1/auth/me", HTTP_AUTHORIZATION=f"Bearer {raw}")


def test_login_answers_tokens_and_the_user(api, player):
    with time_machine.travel(NOON, tick=False):
        answer = log_in(api(None))

    assert answer.status_code == 200
    body = answer.json()
    data = body["data"]
    access, refresh_token = data.pop("access"), data.pop("refresh")
    assert body == {
        "message": "Logged in successfully",
        "data": {
            "user": {
                "id": player.pk,
                "username": "player",
                "email": "player@example.com",
                "fullname": "Paula Player",
                "avatar": "",
                "wallet_address": "wallet-of-player",
                "is_master": False,
            }
        },
    }
    opened = jwt.decode(access, options={"verify_signature": False})
    assert jwt.get_unverified_header(access)["alg"] == "HS256"
    assert (opened["iss"], opened["token_type"], opened["user_id"]) == ("gameplatform", "access", str(player.pk))
    assert opened["exp"] - opened["iat"] == 600
    assert "is_master" not in opened
    kept = jwt.decode(refresh_token, options={"verify_signature": False})
    assert (kept["token_type"], kept["exp"] - kept["iat"]) == ("refresh", 14 * 24 * 3600)
    assert opened["jti"] != kept["jti"]
    player.refresh_from_db()
    assert player.last_login == NOON


def test_login_takes_the_name_in_any_case(api, player):
    assert log_in(api(None), username="PLAYER").status_code == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [("player", "wrong"), ("nobody", "player's password"), ("player\u200b", "player's password"), ("x" * 2048, "x")],
)
def test_login_says_the_same_of_an_unknown_name_and_a_wrong_password(api, player, username, password):
    answer = log_in(api(None), username, password)

    assert (answer.status_code, answer.json()) == (401, WRONG)
    assert OutstandingToken.objects.count() == 0


def test_login_hashes_as_often_for_an_unknown_name_as_for_a_wrong_password(api, player, settings):
    settings.PASSWORD_HASHERS = ["accounts.tests.counting.CountingHasher"]
    player.set_password("player's password")
    player.save()
    counts = []
    for username in ("player", "nobody"):
        CountingHasher.encodings = 0
        assert log_in(api(None), username, "wrong").status_code == 401
        counts.append(CountingHasher.encodings)
    assert counts == [1, 1]


def test_login_refuses_a_user_that_was_switched_off(api, player):
    User.objects.update(is_active=False)

    answer = log_in(api(None))

    assert (answer.status_code, answer.json()) == (401, WRONG)
    assert OutstandingToken.objects.count() == 0


def test_the_register_of_refresh_tokens_does_not_hold_the_tokens(api, player):
    raw = log_in(api(None)).json()["data"]["refresh"]

    row = OutstandingToken.objects.get()
    assert row.token == ""
    assert row.jti == jwt.decode(raw, options={"verify_signature": False})["jti"]


def test_an_access_token_opens_for_ten_minutes_to_the_second(api, player):
    raw = access_token(player, now=NOON)

    with time_machine.travel(NOON + timedelta(seconds=599), tick=False):
        assert get_me(api(None), raw).status_code == 200
    with time_machine.travel(NOON + timedelta(seconds=600), tick=False):
        answer = get_me(api(None), raw)
        assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
        assert answer["WWW-Authenticate"] == "Bearer"


def forged(player, **changes):
    claims = jwt.decode(access_token(player, now=datetime.now(UTC)), options={"verify_signature": False}) | changes
    return {name: value for name, value in claims.items() if value is not None}


@pytest.mark.parametrize(
    "changes", [{"iss": "another"}, {"iss": None}, {"exp": None}, {"jti": None}, {"token_type": None}]
)
def test_a_token_without_our_claims_is_refused(api, player, changes):
    raw = jwt.encode(forged(player, **changes), settings.JWT_SIGNING_KEY, algorithm="HS256")

    assert get_me(api(None), raw).json() == UNAUTHORIZED


def test_a_token_of_another_key_or_without_signature_is_refused(api, player):
    other_key = jwt.encode(forged(player), "another key, of more than 32 bytes length", algorithm="HS256")
    other_algorithm = jwt.encode(forged(player), settings.JWT_SIGNING_KEY, algorithm="HS384")
    unsigned = jwt.encode(forged(player), None, algorithm="none")
    genuine = jwt.encode(forged(player), settings.JWT_SIGNING_KEY, algorithm="HS256")

    assert get_me(api(None), genuine).status_code == 200
    for raw in (other_key, other_algorithm, unsigned, genuine[:-2], "x.y.z", "é", "x" * 5000):
        assert get_me(api(None), raw).json() == UNAUTHORIZED


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic cGxheWVyOng=", "bearer"])
def test_a_request_without_token_is_refused(api, player, header):
    answer = api(None).get("/api/v1/auth/me", HTTP_AUTHORIZATION=header)

    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


def test_a_refresh_token_is_no_access_token_and_the_reverse(api, player):
    data = log_in(api(None)).json()["data"]

    assert get_me(api(None), data["refresh"]).json() == UNAUTHORIZED
    answer = refresh(api(None), data["access"])
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
    assert BlacklistedToken.objects.count() == 0


def test_authentication_costs_one_statement(api, player, django_assert_num_queries):
    client = api(player)

    with django_assert_num_queries(1):
        assert client.get("/api/v1/auth/me").status_code == 200


def test_is_master_is_what_the_database_says_now(api, player):
    client = api(player)
    assert client.get("/api/v1/auth/me").json()["data"]["is_master"] is False

    User.objects.update(is_master=True)

    assert client.get("/api/v1/auth/me").json()["data"]["is_master"] is True


def test_switching_a_user_off_ends_its_tokens_at_once(api, player):
    data = log_in(api(None)).json()["data"]
    User.objects.update(is_active=False)

    assert get_me(api(None), data["access"]).json() == UNAUTHORIZED
    assert refresh(api(None), data["refresh"]).json() == UNAUTHORIZED
    assert BlacklistedToken.objects.count() == 0


def test_a_new_password_ends_every_token_at_once(api, player):
    data = log_in(api(None)).json()["data"]
    player.set_password("another good password")
    player.save()

    assert get_me(api(None), data["access"]).json() == UNAUTHORIZED
    assert refresh(api(None), data["refresh"]).json() == UNAUTHORIZED


def test_refresh_gives_a_new_pair(api, player):
    old = log_in(api(None)).json()["data"]["refresh"]

    answer = refresh(api(None), old)

    assert answer.status_code == 200
    assert answer.json()["message"] == "Token refreshed successfully"
    data = answer.json()["data"]
    assert data["user"]["id"] == player.pk
    assert data["refresh"] != old
    assert get_me(api(None), data["access"]).status_code == 200
    assert refresh(api(None), data["refresh"]).status_code == 200


def test_a_refresh_token_lives_for_fourteen_days_to_the_second(api, player):
    with time_machine.travel(NOON, tick=False):
        raws = [log_in(api(None)).json()["data"]["refresh"] for _ in range(2)]

    with time_machine.travel(NOON + timedelta(days=14), tick=False):
        assert refresh(api(None), raws[0]).json() == UNAUTHORIZED
    with time_machine.travel(NOON + timedelta(days=14, seconds=-1), tick=False):
        assert refresh(api(None), raws[1]).status_code == 200


def test_a_refresh_token_used_twice_ends_every_refresh_token_of_that_user_only(api, player, rival):
    client = api(None)
    stolen = log_in(client).json()["data"]["refresh"]
    other_device = log_in(client).json()["data"]["refresh"]
    of_rival = log_in(client, "rival", "rival's password").json()["data"]["refresh"]
    successor = refresh(client, stolen).json()["data"]["refresh"]

    answer = refresh(client, stolen)

    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
    assert refresh(client, successor).json() == UNAUTHORIZED
    assert refresh(client, other_device).json() == UNAUTHORIZED
    assert refresh(client, of_rival).status_code == 200
    assert log_in(client).status_code == 200


def test_a_refresh_token_that_was_never_registered_is_refused(api, player):
    raw = log_in(api(None)).json()["data"]["refresh"]
    OutstandingToken.objects.all().delete()

    assert refresh(api(None), raw).json() == UNAUTHORIZED
    assert OutstandingToken.objects.count() == 0


def test_logout_uses_the_refresh_token_up_and_may_be_repeated(api, player):
    raw = log_in(api(None)).json()["data"]["refresh"]

    for _ in range(2):
        answer = api(None).post("/api/v1/auth/logout/", {"refresh": raw})
        assert (answer.status_code, answer.json()) == (200, {"message": "Logged out successfully"})

    assert refresh(api(None), raw).json() == UNAUTHORIZED


def test_logout_refuses_what_is_no_refresh_token(api, player):
    answer = api(None).post("/api/v1/auth/logout", {"refresh": access_token(player, now=datetime.now(UTC))})

    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


def in_parallel(attempts, action):
    """How many of ``attempts`` threads, let loose at once, ended without a refusal."""
    barrier, wins = Barrier(attempts), []

    def run():
        try:
            barrier.wait()
            wins.append(action())
        except InvalidToken:
            return
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(attempts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wins


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_of_parallel_refreshes_of_one_token_exactly_one_wins(player):
    for _ in range(5):
        now = datetime.now(UTC)
        raw = sign_in.log_in(username="player", password="player's password", now=now).refresh

        wins = in_parallel(6, lambda raw=raw, now=now: sign_in.refresh(raw=raw, now=now))

        assert len(wins) == 1
        # The others looked like a thief, so the winner's successor is revoked with everything else.
        with pytest.raises(InvalidToken):
            sign_in.refresh(raw=wins[0].refresh, now=now)
    assert OutstandingToken.objects.filter(blacklistedtoken__isnull=True).count() == 0


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_looking_before_claiming_lets_several_parallel_refreshes_win(player):
    """The negative control: the usual rotation (ask, then blacklist), with the same threads."""
    raw = str(RefreshToken.for_user(player))
    all_have_looked = Barrier(6)

    def ask_then_blacklist():
        token = RefreshToken(raw)
        all_have_looked.wait()
        token.blacklist()
        return token

    assert len(in_parallel(6, ask_then_blacklist)) == 6


def test_reading_a_token_asks_the_callers_clock_only(player):
    raw = access_token(player, now=NOON)

    with time_machine.travel(NOON - timedelta(days=1)):
        assert read_token(raw, token_type="access", now=NOON).user_id == player.pk
    with pytest.raises(InvalidToken):
        read_token(raw, token_type="access", now=NOON + timedelta(seconds=600))
