"""Who guesses passwords is locked out: a name from one address, at the back-office and the API together."""

import logging
from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt, AccessLog
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from core.db import clock

LIMIT = 3


@pytest.fixture(autouse=True)
def _locking(settings):
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = LIMIT


def knock(name, password="a guess", address="10.1.1.1", **extra):
    client = Client()
    answer = client.post(reverse("admin:login"), {"username": name, "password": password}, REMOTE_ADDR=address, **extra)
    return answer, client


def test_third_wrong_password_locks_the_name_out(staff):
    answers = [knock("staff")[0] for _ in range(LIMIT)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    page = answers[-1].content.decode()
    assert "There were too many wrong passwords for this name from your address. Try again in 15 minutes." in page
    assert 890 <= int(answers[-1]["Retry-After"]) <= 900
    right, client = knock("staff", "staff's password")
    assert right.status_code == 429
    assert client.get(reverse("admin:index")).status_code == 302


def test_lock_holds_for_one_name_and_address(staff, master):
    for name in ("staff", "STAFF", "ｓtaff"):
        knock(name)
    assert knock("staff", "staff's password")[0].status_code == 429
    assert knock("master", "master's password")[0].status_code == 302
    assert knock("staff", "staff's password", address="10.1.1.2")[0].status_code == 302


def test_who_claims_another_address_stays_locked_out(staff, settings):
    for number in range(LIMIT):
        knock("staff", HTTP_X_FORWARDED_FOR=f"10.9.9.{number}")
    assert knock("staff", "staff's password", HTTP_X_FORWARDED_FOR="10.9.9.77")[0].status_code == 429
    settings.TRUSTED_PROXY_COUNT = 1
    for number in range(LIMIT):
        knock("staff", HTTP_X_FORWARDED_FOR=f"10.9.9.{number}, 10.5.5.5")
    assert knock("staff", "staff's password", HTTP_X_FORWARDED_FOR="1.2.3.4, 10.5.5.5")[0].status_code == 429
    assert knock("staff", "staff's password", HTTP_X_FORWARDED_FOR="10.5.5.5, 10.5.5.6")[0].status_code == 302


def test_the_subscribers_of_an_ipv6_network_are_one(staff):
    for number in range(LIMIT):
        knock("staff", address=f"2001:db8::{number + 1}")
    assert knock("staff", "staff's password", address="2001:db8::ffff")[0].status_code == 429
    assert knock("staff", "staff's password", address="2001:db8:1::1")[0].status_code == 302


def test_further_tries_do_not_prolong_the_lock(staff):
    with time_machine.travel(clock.now(), tick=False) as time:
        for _ in range(LIMIT):
            knock("staff")
        time.shift(timedelta(minutes=14))
        assert knock("staff")[0]["Retry-After"] == "60"
        time.shift(timedelta(seconds=61))
        assert knock("staff", "staff's password")[0].status_code == 302


def test_the_right_password_makes_mistakes_forgotten(staff):
    for _ in range(2):
        for _ in range(LIMIT - 1):
            assert knock("staff")[0].status_code == 200
        assert knock("staff", "staff's password")[0].status_code == 302
    assert not AccessAttempt.objects.exists()
    assert AccessLog.objects.count() == 2


def test_the_operator_lifts_a_lock_by_a_command(staff, capsys):
    for _ in range(LIMIT):
        knock("staff")
    call_command("axes_reset_username", "staff")
    assert knock("staff", "staff's password")[0].status_code == 302


def test_guesses_at_the_api_count_too(api, staff):
    body = {"username": "Staff", "password": "a guess"}
    statuses = [api(None).post("/api/v1/auth/login", body, REMOTE_ADDR="10.1.1.1").status_code for _ in range(LIMIT)]
    assert statuses == [401, 401, 401]
    body["password"] = "staff's password"
    refused = api(None).post("/api/v1/auth/login", body, REMOTE_ADDR="10.1.1.1", HTTP_ACCEPT_LANGUAGE="vi")
    assert refused.status_code == 429
    assert refused.json() == {
        "statusCode": 429,
        "message": "Too many requests, please try again later",
        "error": "Too Many Requests",
    }
    assert 890 <= int(refused["Retry-After"]) <= 900
    assert knock("staff", "staff's password")[0].status_code == 429


def test_right_password_at_the_api_clears_failures(api, player):
    for _ in range(2):
        for _ in range(LIMIT - 1):
            body = {"username": "player", "password": "a guess"}
            assert api(None).post("/api/v1/auth/login", body).status_code == 401
        right = {"username": "player", "password": "player's password"}
        assert api(None).post("/api/v1/auth/login", right).status_code == 200


def test_no_password_is_kept_or_logged(staff, caplog):
    caplog.set_level(logging.DEBUG)
    secret = "a guess that is nearly right"
    for _ in range(LIMIT + 1):
        knock("staff", secret)
    attempt = AccessAttempt.objects.get()
    assert secret not in f"{attempt.post_data} {attempt.get_data}"
    assert secret not in caplog.text


def test_login_pages_hide_typed_values_and_buttons(staff):
    knock("staff", "sesame open")
    _, client = knock("staff", "staff's password")
    knock("somebody", "sesame open")
    for model in (AccessAttempt, AccessLog):
        row = model.objects.latest("pk")
        name = model._meta.model_name
        listed = client.get(reverse(f"admin:axes_{name}_changelist")).content.decode()
        shown = client.get(reverse(f"admin:axes_{name}_change", args=[row.pk])).content.decode()
        assert row.username in listed
        assert "csrfmiddlewaretoken=" not in shown
        assert "sesame" not in shown
        assert client.post(reverse(f"admin:axes_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
