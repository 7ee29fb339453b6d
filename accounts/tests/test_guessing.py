import secrets

import pytest

from accounts.models import User


@pytest.fixture
def _limits(settings):
    settings.RATE_LIMITS_ENABLED = True
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"auth": "3/m", "auth_ip": "5/m", "reads_ip": "2/m"}


@pytest.fixture
def address() -> str:
    """An address no other test has: the counts live in a Redis that outlives the test."""
    return "10." + ".".join(str(secrets.randbelow(256)) for _ in range(3))


def guess(client, username, address):
    body = {"username": username, "password": "a guess"}
    return client.post("/api/v1/auth/login", body, REMOTE_ADDR=address)


@pytest.mark.usefixtures("_limits")
def test_guessing_one_users_password_is_limited_however_the_name_is_spelled(api, db, address):
    User.objects.create_user("target", password="the password")

    statuses = [guess(api(None), name, address).status_code for name in ("target", "TARGET", "ｔarget")]
    refused = guess(api(None), "Target", address)

    assert statuses == [401, 401, 401]
    assert refused.status_code == 429
    assert 15 <= int(refused["Retry-After"]) <= 20
    assert refused.json() == {
        "statusCode": 429,
        "message": "Too many requests, please try again later",
        "error": "Too Many Requests",
    }
    assert guess(api(None), "another", address).status_code == 401


@pytest.mark.usefixtures("_limits", "db")
def test_trying_many_names_from_one_address_is_limited(api, address):
    statuses = [guess(api(None), f"name-{number}", address).status_code for number in range(6)]

    assert statuses == [401, 401, 401, 401, 401, 429]


@pytest.mark.usefixtures("_limits", "db")
@pytest.mark.parametrize("body", [[], {"username": 5}, {"username": None}, {}])
def test_a_login_without_a_name_counts_for_the_address(api, address, body):
    client = api(None)

    statuses = [client.post("/api/v1/auth/login", body, REMOTE_ADDR=address).status_code for _ in range(6)]

    assert statuses == [400, 400, 400, 400, 400, 429]


@pytest.mark.usefixtures("_limits", "db")
def test_reading_is_limited_by_its_own_count(api, address):
    assert guess(api(None), "somebody", address).status_code == 401

    statuses = [api(None).get("/api/v1/game-lists", REMOTE_ADDR=address).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
