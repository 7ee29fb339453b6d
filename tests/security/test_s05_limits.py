"""S5: what strangers may cost. A password hash takes 0.2 s of a core, and request threads are few."""

import threading
import time
from contextlib import contextmanager

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from core.errors import Unavailable
from core.security import hashing
from core.security.hashing import Turnstile
from gameplatform import settings as production


def log_in(client, arcade, **extra):
    return client.post("/api/v1/auth/login", {"username": "player", "password": "a guess"}, **extra)


def register(client, arcade, **extra):
    return client.post("/api/v1/auth/register", {"username": "player9", "password": "nine-lanterns-7"}, **extra)


def sign_in_at_a_game(client, arcade, **extra):
    body = {"email": "player@example.com", "password": "a guess", "game_id": arcade.pk}
    return client.post("/api/v3/sessions", body, **extra)


def sign_up_at_a_game(client, arcade, **extra):
    body = {
        "email": "player@example.com",
        "username": "player9",
        "password": "nine-lanterns-7",
        "password_confirmation": "nine-lanterns-7",
        "game_id": arcade.pk,
        "game_token": arcade.token,
    }
    return client.post("/api/v3/users", body, **extra)


def enter_the_back_office(client, arcade, **extra):
    return Client().post("/admin/login/", {"username": "player", "password": "a guess"}, **extra)


def reenter_with_a_wrong_name(client, arcade, **extra):
    return Client().post("/admin/login/", {"username": "nobody here", "password": "a guess"}, **extra)


DOORS = [log_in, register, sign_in_at_a_game, sign_up_at_a_game, enter_the_back_office, reenter_with_a_wrong_name]


@contextmanager
def another_hash_runs(turnstile=hashing._turnstile):
    inside, done = threading.Event(), threading.Event()

    def hold():
        with turnstile.passing():
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(10)
    try:
        yield done
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("door", DOORS)
def test_each_door_refuses_while_a_hash_runs(door, api, player, arcade, settings):
    settings.PASSWORD_HASHERS = ["core.security.hashing.Argon2PasswordHasher"]
    with another_hash_runs():
        answer = door(api(None), arcade)

    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert "temporarily unavailable" in answer.content.decode()
    assert door(api(None), arcade).status_code != 503


@pytest.mark.parametrize("hasher", ["Argon2PasswordHasher", "PBKDF2PasswordHasher"])
def test_writing_and_checking_a_hash_pass_the_turnstile(hasher, settings):
    settings.PASSWORD_HASHERS = [f"core.security.hashing.{hasher}"]
    encoded = make_password("open sesame")
    chosen = getattr(hashing, hasher)()

    assert chosen.verify("open sesame", encoded)
    with another_hash_runs():
        with pytest.raises(Unavailable):
            make_password("open sesame")
        with pytest.raises(Unavailable):
            chosen.verify("open sesame", encoded)


def test_production_hashes_one_at_a_time():
    # The tests' own hasher stands in django.conf.
    assert all(name.startswith("core.security.hashing.") for name in production.PASSWORD_HASHERS)


def test_one_waits_and_the_next_is_refused_at_once():
    turnstile, passed = Turnstile(), []

    def wait():
        with turnstile.passing():
            passed.append(True)

    with another_hash_runs(turnstile) as done:
        waiting = threading.Thread(target=wait)
        waiting.start()
        while turnstile._place_to_wait._value:
            time.sleep(0.001)
        began = time.monotonic()
        with pytest.raises(Unavailable), turnstile.passing():
            pass
        assert time.monotonic() - began < hashing.WAIT_SECONDS / 2
        done.set()
        waiting.join()
    assert passed == [True]


def test_waiting_ends_after_its_time():
    turnstile = Turnstile()
    with another_hash_runs(turnstile):
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(Unavailable), turnstile.passing():
                pass
            assert time.monotonic() - began >= hashing.WAIT_SECONDS


def test_a_failed_hash_leaves_the_turnstile_free():
    turnstile = Turnstile()
    with pytest.raises(ZeroDivisionError), turnstile.passing():
        raise ZeroDivisionError
    passed = []
    thread = threading.Thread(target=lambda: passed.append(turnstile._inside.acquire(blocking=False)))
    thread.start()
    thread.join()
    assert passed == [True]


@pytest.mark.parametrize("last", DOORS)
def test_all_doors_share_one_limit_of_an_address(last, api, player, arcade, settings, address):
    settings.RATE_LIMITS_ENABLED = True
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"auth": "100/m", "auth_ip": "6/m"}
    for door in DOORS:
        assert door(api(None), arcade, REMOTE_ADDR=address).status_code != 429

    answer = last(api(None), arcade, REMOTE_ADDR=address)

    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 10


def test_the_back_office_and_the_api_count_one_name(api, player, settings, address):
    settings.RATE_LIMITS_ENABLED = True
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"auth": "2/m", "auth_ip": "100/m"}
    assert log_in(api(None), None, REMOTE_ADDR=address).status_code == 401
    assert enter_the_back_office(None, None, REMOTE_ADDR=address).status_code == 200

    assert log_in(api(None), None, REMOTE_ADDR=address).status_code == 429
    assert enter_the_back_office(None, None, REMOTE_ADDR=address).status_code == 429


def test_wrong_passwords_lock_a_games_player_out(api, arcade, settings):
    settings.AXES_ENABLED, settings.AXES_FAILURE_LIMIT = True, 3
    assert sign_up_at_a_game(api(None), arcade).status_code == 200
    right = {"email": "player@example.com", "password": "nine-lanterns-7", "game_id": arcade.pk}

    statuses = [sign_in_at_a_game(api(None), arcade).status_code for _ in range(3)]
    answer = api(None).post("/api/v3/sessions", {**right, "email": "PLAYER@example.com "})

    assert statuses == [401, 401, 401]
    assert answer.status_code == 429
    assert 890 <= int(answer["Retry-After"]) <= 900
    assert api(None).post("/api/v3/sessions", right, REMOTE_ADDR="10.1.1.2").status_code == 200


def test_a_games_lock_out_locks_no_user_of_the_platform_out(api, player, arcade, settings):
    settings.AXES_ENABLED, settings.AXES_FAILURE_LIMIT = True, 3
    for _ in range(3):
        body = {"email": "player", "password": "a guess", "game_id": arcade.pk}
        assert api(None).post("/api/v3/sessions", body).status_code == 401

    body = {"username": "player", "password": "player's password"}
    assert api(None).post("/api/v1/auth/login", body).status_code == 200


def test_limits_of_passwords_stand_below_capacity(settings):
    # One process does five hashes of 0.2 s a second.
    assert settings.RATE_LIMITS["auth_ip"] == "120/m"
