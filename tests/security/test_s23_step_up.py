"""S23: over the API, rights of staff that take a second factor need a fresh code."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts import second_factor
from accounts.models import User
from core.db import clock
from tests.access.authenticating import equip
from tests.support.books import balance, nothing_moves

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def time():
    with time_machine.travel(datetime(2026, 5, 1, 12, tzinfo=UTC), tick=False) as hand:
        yield hand


@pytest.fixture
def app(staff, time):
    made, _ = equip(staff)
    time.shift(30)
    return made


def step_up(api, user, code):
    return api(user).post("/api/v1/auth/step-up", {"code": code})


@pytest.fixture
def stepped_up(api, staff, app):
    client = api(None)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {step_up(api, staff, app.code()).json()['data']['access']}")
    return client


@pytest.fixture
def deposit(player, gold):
    body = {"user_id": player.pk, "token": "GOLD", "amount": "5.00", "reason": "a gift"}

    def send(client):
        answer = client.post("/api/v1/wallet/deposits", body, headers={"Idempotency-Key": str(uuid.uuid4())})
        return answer.status_code

    return send


def test_step_up_token_has_the_rights_of_staff(deposit, stepped_up, player):
    assert deposit(stepped_up) == 201
    assert balance(player) == 500


def test_plain_token_still_has_none(api, staff, deposit, stepped_up):
    with nothing_moves():
        assert deposit(api(staff)) == 403


def test_step_up_ends_soon(deposit, stepped_up, time):
    time.shift(timedelta(seconds=301))
    with nothing_moves():
        assert deposit(stepped_up) == 401


def test_step_up_ends_with_the_authenticator(deposit, stepped_up, staff, settings):
    colleague = User.objects.create_superuser("colleague", password="colleague's password")
    second_factor.reset(user=staff, actor=colleague, reason="lost", now=clock.now())
    settings.STAFF_TOTP_REQUIRED = True
    with nothing_moves():
        assert deposit(stepped_up) == 403


def test_code_steps_up_once(api, staff, app):
    assert [step_up(api, staff, app.code()).status_code for _ in range(2)] == [200, 400]


def test_wrong_code_gives_nothing(api, staff, app):
    answer = step_up(api, staff, "000000")
    assert (answer.status_code, "data" in answer.json()) == (400, False)
