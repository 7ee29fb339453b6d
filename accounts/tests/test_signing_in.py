from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest
import time_machine
from django.conf import settings
from django.utils.crypto import salted_hmac
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import sign_in
from accounts.credentials import AccessToken, access_token
from accounts.errors import InvalidToken
from accounts.models import SignIn, User
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
    assert SignIn.objects.count() == 0


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
    assert SignIn.objects.count() == 0


def test_the_register_holds_ids_and_no_token(api, player):
    raw = log_in(api(None)).json()["data"]["refresh"]

    claims = jwt.decode(raw, options={"verify_signature": False})
    [row] = SignIn.objects.values()
    assert (row["id"].hex, row["jti"]) == (claims["chain"], claims["jti"])
    assert not any(part in str(row) for part in raw.split("."))


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
    unsigned = jwt.encode(forged(player), "", algorithm="none")
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
    assert SignIn.objects.count() == 1


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
    assert SignIn.objects.count() == 1


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


def test_refreshing_again_at_once_gives_the_same_successor(api, player):
    with time_machine.travel(NOON, tick=False) as clock:
        first = log_in(api(None)).json()["data"]["refresh"]
        clock.shift(60)
        answers = [refresh(api(None), first).json()["data"]]
        clock.shift(10)
        answers.append(refresh(api(None), first).json()["data"])

        assert answers[0]["refresh"] == answers[1]["refresh"]
        assert all(get_me(api(None), answer["access"]).status_code == 200 for answer in answers)
        assert refresh(api(None), answers[0]["refresh"]).status_code == 200
        assert SignIn.objects.count() == 1


def test_late_reuse_ends_that_chain_only(api, player, rival):
    client = api(None)
    with time_machine.travel(NOON, tick=False) as clock:
        stolen = log_in(client).json()["data"]["refresh"]
        other_device = log_in(client).json()["data"]["refresh"]
        of_rival = log_in(client, "rival", "rival's password").json()["data"]["refresh"]
        successor = refresh(client, stolen).json()["data"]["refresh"]
        clock.shift(11)

        answer = refresh(client, stolen)

        assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
        assert refresh(client, successor).json() == UNAUTHORIZED
        assert refresh(client, other_device).status_code == 200
        assert refresh(client, of_rival).status_code == 200
        assert log_in(client).status_code == 200


def test_reuse_of_a_grandparent_ends_the_chain_at_once(api, player):
    client = api(None)
    first = log_in(client).json()["data"]["refresh"]
    second = refresh(client, first).json()["data"]["refresh"]
    third = refresh(client, second).json()["data"]["refresh"]

    assert refresh(client, first).json() == UNAUTHORIZED
    assert refresh(client, third).json() == UNAUTHORIZED


def test_the_repeat_window_is_a_setting(api, player, settings):
    settings.REFRESH_REPEAT_SECONDS = 0
    with time_machine.travel(NOON, tick=False) as clock:
        first = log_in(api(None)).json()["data"]["refresh"]
        refresh(api(None), first)
        clock.shift(1)

        assert refresh(api(None), first).json() == UNAUTHORIZED


def test_refreshing_costs_no_more_statements_than_rows(api, player, django_assert_num_queries):
    raw = log_in(api(None)).json()["data"]["refresh"]

    # A savepoint of the test around the use case, then: the user, the sign-in, its change.
    with django_assert_num_queries(5):
        refresh(api(None), raw)


def test_a_refresh_token_of_no_registered_chain_is_refused(api, player):
    raw = log_in(api(None)).json()["data"]["refresh"]
    SignIn.objects.all().delete()

    assert refresh(api(None), raw).json() == UNAUTHORIZED
    assert SignIn.objects.count() == 0


def registered_by_the_previous_release(player, *, is_used=False):
    """A refresh token as release 0.1 wrote and registered it."""
    now = datetime.now(UTC)
    claims = {
        "iss": "gameplatform",
        "token_type": "refresh",
        "user_id": str(player.pk),
        "jti": uuid4().hex,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(days=14)).timestamp()),
        "password_mark": salted_hmac(
            "gameplatform.accounts.password_mark", player.password, algorithm="sha256"
        ).hexdigest()[:16],
    }
    row = OutstandingToken.objects.create(
        user=player, jti=str(claims["jti"]), token="", created_at=now, expires_at=now + timedelta(days=14)
    )
    if is_used:
        BlacklistedToken.objects.create(token=row)
    return jwt.encode(claims, settings.JWT_SIGNING_KEY, algorithm="HS256")


def test_a_token_of_the_previous_release_begins_a_chain(api, player):
    old = registered_by_the_previous_release(player)

    successors = [refresh(api(None), old).json()["data"]["refresh"] for _ in range(2)]

    assert successors[0] == successors[1]
    assert refresh(api(None), successors[0]).status_code == 200
    assert OutstandingToken.objects.count() == 0


def test_a_used_token_of_the_previous_release_is_refused(api, player):
    old = registered_by_the_previous_release(player, is_used=True)

    assert refresh(api(None), old).json() == UNAUTHORIZED
    assert SignIn.objects.count() == 0


def test_logout_ends_a_token_of_the_previous_release(api, player):
    old = registered_by_the_previous_release(player)

    assert api(None).post("/api/v1/auth/logout", {"refresh": old}).status_code == 200
    assert refresh(api(None), old).json() == UNAUTHORIZED


def test_signing_out_everywhere_ends_every_token(api, player, rival):
    devices = [log_in(api(None)).json()["data"] for _ in range(2)]
    of_rival = log_in(api(None), "rival", "rival's password").json()["data"]
    old = registered_by_the_previous_release(player)

    sign_in.sign_out_everywhere(user_id=player.pk)

    for device in devices:
        assert get_me(api(None), device["access"]).json() == UNAUTHORIZED
        assert refresh(api(None), device["refresh"]).json() == UNAUTHORIZED
    assert refresh(api(None), old).json() == UNAUTHORIZED
    assert list(SignIn.objects.values_list("user_id", flat=True)) == [rival.pk]
    assert get_me(api(None), of_rival["access"]).status_code == 200
    assert get_me(api(None), log_in(api(None)).json()["data"]["access"]).status_code == 200


def test_logout_everywhere_ends_the_callers_tokens_only(api, player, rival):
    device = log_in(api(None)).json()["data"]
    caller, other = api(player), api(rival)

    answer = caller.post("/api/v1/auth/logout-everywhere")

    assert (answer.status_code, answer.json()) == (200, {"message": "Logged out everywhere"})
    assert caller.post("/api/v1/auth/logout-everywhere/").json() == UNAUTHORIZED
    assert refresh(api(None), device["refresh"]).json() == UNAUTHORIZED
    assert other.get("/api/v1/auth/me").status_code == 200


def test_signing_out_everywhere_ends_back_office_sessions(client, staff):
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/").status_code == 200

    sign_in.sign_out_everywhere(user_id=staff.pk)

    assert client.get("/admin/").status_code == 302


def test_logout_uses_the_refresh_token_up_and_may_be_repeated(api, player):
    raw = log_in(api(None)).json()["data"]["refresh"]

    for _ in range(2):
        answer = api(None).post("/api/v1/auth/logout/", {"refresh": raw})
        assert (answer.status_code, answer.json()) == (200, {"message": "Logged out successfully"})

    assert refresh(api(None), raw).json() == UNAUTHORIZED


def test_logout_refuses_what_is_no_refresh_token(api, player):
    answer = api(None).post("/api/v1/auth/logout", {"refresh": access_token(player, now=datetime.now(UTC))})

    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


def test_logout_with_the_previous_token_ends_the_chain(api, player):
    first = log_in(api(None)).json()["data"]["refresh"]
    second = refresh(api(None), first).json()["data"]["refresh"]

    assert api(None).post("/api/v1/auth/logout", {"refresh": first}).status_code == 200
    assert refresh(api(None), second).json() == UNAUTHORIZED


def test_reading_a_token_asks_the_callers_clock_only(player):
    raw = access_token(player, now=NOON)

    with time_machine.travel(NOON - timedelta(days=1)):
        assert AccessToken.read(raw, now=NOON).user_id == player.pk
    with time_machine.travel(NOON + timedelta(days=1)):
        assert AccessToken.read(raw, now=NOON).user_id == player.pk
    with pytest.raises(InvalidToken):
        AccessToken.read(raw, now=NOON + timedelta(seconds=600))
