"""Guessing one-time passwords: locks grow, clients and addresses have budgets, other games stay open."""

from datetime import timedelta

import pytest
import time_machine

from core.db import clock
from payments import otp

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gold")]


def guess(server, times: int, plyr_id: str = "ada-lake") -> list[str]:
    answers = [server.post("/user/login", {"plyrId": plyr_id, "otp": "000000"}) for _ in range(times)]
    return [answer["code"] for answer in answers]


def test_each_lock_is_twice_as_long(server, person):
    ada = person("ada-lake")
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for minutes in (1, 2, 4):
            assert guess(server, 6) == ["OTP_INVALID"] * 5 + ["OTP_LOCKED"]
            traveller.shift(timedelta(minutes=minutes) - timedelta(seconds=1))
            assert guess(server, 1) == ["OTP_LOCKED"]
            traveller.shift(timedelta(seconds=1))
        assert server.post("/user/login", {"plyrId": "ada-lake", "otp": ada.code()}).status == 200
        assert guess(server, 6) == ["OTP_INVALID"] * 5 + ["OTP_LOCKED"]


def test_lock_of_one_game_leaves_others_open(server, server_of, other_game, person):
    ada = person("ada-lake")
    guess(server, 5)
    login = {"plyrId": "ada-lake", "otp": ada.code()}
    assert server.post("/user/login", login)["code"] == "OTP_LOCKED"
    assert server_of(other_game).post("/user/login", login).status == 200


def test_client_cannot_try_many_players(server, person, monkeypatch):
    monkeypatch.setattr(otp, "CLIENT_FAILURES_MAX", 8)
    players = [person(f"player-{letter}") for letter in "abc"]
    for player in players[:2]:
        guess(server, 4, player.plyr_id)
    right = {"plyrId": players[2].plyr_id, "otp": players[2].code()}
    assert server.post("/user/login", right)["code"] == "OTP_LOCKED"
    with time_machine.travel(clock.now() + otp.BUDGET_WINDOW, tick=False):
        later = {"plyrId": players[2].plyr_id, "otp": players[2].code()}
        assert server.post("/user/login", later).status == 200


def test_address_cannot_guess_with_many_keys(server, server_of, other_game, person, monkeypatch):
    monkeypatch.setattr(otp, "ADDRESS_FAILURES_MAX", 4)
    ada = person("ada-lake")
    guess(server, 2)
    guess(server_of(other_game), 2)
    for key in (server, server_of(other_game)):
        assert key.post("/user/login", {"plyrId": "ada-lake", "otp": ada.code()})["code"] == "OTP_LOCKED"
