"""S10: tokens end. Those of access and refresh tokens are in ``accounts/tests/test_signing_in.py``."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db.models.functions import Now

from accounts import freezing, pruning
from accounts.models import GameUser, GameUserToken
from core.db import clock

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def sign_in(api, player, arcade):
    """``sign_in()``: a token of the player at the game, got with an access token."""

    def ask():
        answer = api(player).post("/api/v3/sessions", {"game_id": arcade.pk})
        assert answer.status_code == 200
        return answer.json()["authentication_token"]

    return ask


@pytest.fixture
def opens(api):
    """``opens(token)``: whether the token lets its user in."""

    def ask(token):
        user = GameUser.objects.get()
        answer = api(None).get(f"/api/v3/users/{user.pk}", headers={"authentication-token": token})
        assert answer.status_code in (200, 401)
        return answer.status_code == 200

    return ask


def test_a_game_token_ends_when_idle(sign_in, opens, settings):
    settings.GAME_TOKEN_IDLE_DAYS = 30
    with time_machine.travel(NOON, tick=False) as time:
        token = sign_in()
        time.shift(timedelta(days=30, seconds=-1))
        assert opens(token)
        time.shift(timedelta(days=30, seconds=-1))
        assert opens(token)
        time.shift(timedelta(days=30))
        assert not opens(token)


def test_a_game_token_ends_however_much_it_is_used(sign_in, opens, settings):
    settings.GAME_TOKEN_DAYS = 180
    with time_machine.travel(NOON, tick=False) as time:
        token = sign_in()
        for _ in range(8):
            time.shift(timedelta(days=20))
            assert opens(token)
        time.shift(timedelta(days=20))
        assert not opens(token)


def test_use_is_noted_at_most_daily(sign_in, opens, django_assert_num_queries, api):
    with time_machine.travel(NOON, tick=False) as time:
        token = sign_in()
        time.shift(timedelta(days=1))
        assert opens(token)
        assert GameUserToken.objects.get().used_at == NOON
        time.shift(timedelta(seconds=1))
        assert opens(token)
        assert GameUserToken.objects.get().used_at == NOON + timedelta(days=1, seconds=1)


def test_a_new_password_ends_game_tokens(sign_in, opens, player):
    token = sign_in()
    player.set_password("another good password")
    player.save()

    assert not opens(token)
    assert opens(sign_in())


def test_freezing_ends_game_tokens_for_good(sign_in, opens, player, staff):
    token = sign_in()
    freezing.freeze_user(user_id=player.pk, actor=staff, reason="chargebacks", now=clock.now())
    assert not opens(token)
    freezing.unfreeze_user(user_id=player.pk, actor=staff, reason="a mistake", now=clock.now())
    player.refresh_from_db()

    assert not opens(token)
    assert opens(sign_in())


def test_signing_out_everywhere_ends_game_tokens(sign_in, opens, api, player):
    token = sign_in()
    assert api(player).post("/api/v1/auth/logout-everywhere").status_code == 200
    player.refresh_from_db()

    assert not opens(token)
    assert opens(sign_in())


def test_an_older_token_gets_its_mark_at_its_next_use(sign_in, opens, player):
    token = sign_in()
    GameUserToken.objects.update(mark="")
    assert opens(token)
    player.set_password("another good password")
    player.save()

    assert not opens(token)


def test_lifetimes_of_older_tokens_count_from_the_upgrade():
    for name in ("valid_from", "used_at"):
        column = GameUserToken._meta.get_field(name)
        assert isinstance(column.db_default, Now)


def test_pruning_takes_ended_game_tokens_only(sign_in):
    with time_machine.travel(NOON, tick=False) as time:
        sign_in()
        time.shift(timedelta(days=31))
        sign_in()
        idle = pruning.ended_game_tokens(now=clock.now())
        assert list(idle.values_list("created_at", flat=True)) == [NOON]


@pytest.mark.parametrize(
    ("method", "route"),
    [("get", "/api/v1/wallet"), ("get", "/api/v1/auth/me"), ("get", "/api/v1/game-rooms")],
)
def test_answers_are_kept_by_no_cache(api, player, gold, method, route):
    answer = getattr(api(player), method)(route)

    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")


def test_tokens_are_kept_by_no_cache(api, player, arcade):
    login = api(None).post("/api/v1/auth/login", {"username": "player", "password": "player's password"})
    at_a_game = api(player).post("/api/v3/sessions", {"game_id": arcade.pk})

    assert [login["Cache-Control"], at_a_game["Cache-Control"]] == ["no-store", "no-store"]
