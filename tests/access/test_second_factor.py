"""A code beside the password: set up, asked for, used once, lost and reset."""

import base64
import logging
import re
import uuid
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
import time_machine
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts import second_factor
from accounts.models import Authenticator, RecoveryCode
from accounts.second_factor import Verdict
from backoffice.models import Export
from core.db import clock
from core.models import AuditEntry
from core.security.key_rotation import secret_columns
from tests.access.authenticating import App, equip
from tests.support.backoffice import worker
from tests.support.books import nothing_moves

pytestmark = pytest.mark.django_db(transaction=True)

SETUP, INDEX, LOGIN, CODE = (
    "/admin/authenticator/",
    "/admin/",
    "/admin/login/",
    "/admin/login/code/",
)


@pytest.fixture
def time():
    """A clock that moves only when told, at the beginning of a step."""
    with time_machine.travel(datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC), tick=False) as clock_hand:
        yield clock_hand


def password(name="staff", next_page=""):
    client = Client()
    where = f"{LOGIN}?next={quote(next_page)}" if next_page else LOGIN
    return client, client.post(where, {"username": name, "password": f"{name}'s password"})


def set_up(client):
    """Through the pages; the app and the page of the recovery codes."""
    page = client.post(SETUP, {"step": "begin"}).content.decode()
    secret = re.search(r'bo-secret">([A-Z2-7]{32})<', page).group(1)
    app = App(secret)
    return app, client.post(SETUP, {"step": "confirm", "code": app.code()}), page


def test_login_asks_for_the_apps_code(staff, time):
    client, answer = password()
    assert answer["Location"] == INDEX
    assert "Set it up" in client.get(SETUP).content.decode()
    app, done, shown = set_up(client)
    assert "<svg" in shown
    codes = re.findall(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b", done.content.decode())
    assert len(set(codes)) == 10
    assert client.get(INDEX).status_code == 200
    assert AuditEntry.objects.get().action == "second factor set up"

    client, answer = password(next_page="/admin/rooms/room/?status__exact=open")
    assert answer["Location"].startswith(CODE)
    assert client.get(INDEX).status_code == 302
    time.shift(30)
    answer = client.post(answer["Location"], {"code": app.code()})
    assert answer["Location"] == "/admin/rooms/room/?status__exact=open"
    assert client.get(INDEX).status_code == 200


def test_the_secret_is_shown_once(staff, time):
    client, _ = password()
    page = client.post(SETUP, {"step": "begin"}).content.decode()
    secret = re.search(r'bo-secret">([A-Z2-7]{32})<', page).group(1)
    assert secret not in client.get(SETUP).content.decode()
    wrong = client.post(SETUP, {"step": "confirm", "code": "000000"})
    assert wrong.status_code == 400
    assert secret not in wrong.content.decode()
    time.shift(2)
    assert client.post(SETUP, {"step": "confirm", "code": App(secret).code()}).status_code == 200
    assert secret not in client.get(SETUP).content.decode()


def test_a_code_opens_once(staff, time):
    app, _ = equip(staff)
    time.shift(30)
    code = app.code()
    client, _ = password()
    assert client.post(CODE, {"code": code})["Location"] == INDEX
    other, _ = password()
    refused = other.post(CODE, {"code": code})
    assert refused.status_code == 200
    assert "This code is wrong, or was used before" in refused.content.decode()
    assert other.get(INDEX).status_code == 302


def test_confirming_code_is_not_accepted_again(staff, time):
    app, _ = equip(staff)
    assert second_factor.verify(user=staff, code=app.code(), now=clock.now()) is Verdict.WRONG


def test_clock_may_be_half_a_minute_off(staff, time):
    app, _ = equip(staff)
    time.shift(300)
    assert second_factor.verify(user=staff, code=app.code(steps=2), now=clock.now()) is Verdict.WRONG
    time.shift(30)
    assert second_factor.verify(user=staff, code=app.code(steps=-1), now=clock.now()) is Verdict.RIGHT


def test_after_wrong_codes_even_the_right_one_waits(staff, time):
    app, _ = equip(staff)
    time.shift(300)
    for wait in (1, 2, 4):
        assert second_factor.verify(user=staff, code="000000", now=clock.now()) is Verdict.WRONG
        assert second_factor.verify(user=staff, code=app.code(), now=clock.now()) is Verdict.WAIT
        time.shift(wait + 0.1)
    assert second_factor.verify(user=staff, code=app.code(), now=clock.now()) is Verdict.RIGHT


@pytest.mark.parametrize("text", ["", " ", "12345", "1234567", "١٢٣٤٥٦", "12345a", "-12345", "+12345", "\0" * 6])
def test_what_is_no_code_is_refused(staff, time, text):
    equip(staff)
    assert second_factor.verify(user=staff, code=text, now=clock.now()) is Verdict.WRONG


def test_recovery_code_works_once(staff, time):
    _, codes = equip(staff)
    client, _ = password()
    assert client.post(CODE, {"code": codes[0].upper().replace("-", " ")})["Location"] == INDEX
    assert second_factor.codes_left(staff) == 9
    other, _ = password()
    assert other.post(CODE, {"code": codes[0]}).status_code == 200
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True))[1:] == ["recovery code used"]


def test_new_recovery_codes_make_the_old_ones_worthless(staff, time):
    app, codes = equip(staff)
    client, _ = password()
    time.shift(30)
    client.post(CODE, {"code": app.code()})
    page = client.post(SETUP, {"step": "codes"}).content.decode()
    assert codes[0] not in page
    assert second_factor.verify(user=staff, code=codes[0], now=clock.now()) is Verdict.WRONG
    time.shift(2)
    renewed = re.search(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b", page).group()
    assert second_factor.verify(user=staff, code=renewed, now=clock.now()) is Verdict.RIGHT


def test_unconfirmed_app_replaces_nothing(staff, time):
    app, codes = equip(staff)
    client, _ = password()
    time.shift(30)
    client.post(CODE, {"code": app.code()})
    client.post(SETUP, {"step": "begin"})
    time.shift(30)
    assert second_factor.verify(user=staff, code=app.code(), now=clock.now()) is Verdict.RIGHT
    second, _, _ = set_up(client)
    time.shift(30)
    assert second_factor.verify(user=staff, code=app.code(), now=clock.now()) is Verdict.WRONG
    time.shift(30)
    assert second_factor.verify(user=staff, code=second.code(), now=clock.now()) is Verdict.RIGHT
    assert second_factor.verify(user=staff, code=codes[0], now=clock.now()) is Verdict.WRONG
    assert Authenticator.objects.count() == 1


def test_password_alone_expires_after_five_minutes(staff, time):
    app, _ = equip(staff)
    client, _ = password()
    assert client.get(INDEX).status_code == 302
    assert client.get("/admin/rooms/room/")["Location"].startswith(LOGIN)
    time.shift(301)
    assert client.post(CODE, {"code": app.code()})["Location"].startswith(LOGIN)
    assert client.get(INDEX).status_code == 302


def test_changed_password_is_asked_for_again(staff, time):
    app, _ = equip(staff)
    client, _ = password()
    staff.set_password("another password")
    staff.save()
    time.shift(30)
    assert client.post(CODE, {"code": app.code()})["Location"].startswith(LOGIN)


def test_code_page_requires_the_password(staff, time):
    equip(staff)
    assert Client().get(CODE)["Location"].startswith(LOGIN)


def test_wrong_codes_lock_out_like_wrong_passwords(staff, time, settings):
    settings.AXES_ENABLED, settings.AXES_FAILURE_LIMIT = True, 3
    app, _ = equip(staff)
    client, _ = password()
    for wait in (2, 3, 5):
        answer = client.post(CODE, {"code": "000000"})
        time.shift(wait)
    assert answer.status_code == 429
    time.shift(60)
    assert client.post(CODE, {"code": app.code()}).status_code == 429
    assert password()[1].status_code == 429


def test_required_app_must_be_set_up_first(staff, master, time, settings):
    settings.STAFF_TOTP_REQUIRED = True
    client, _ = password()
    for where in (INDEX, "/admin/rooms/room/", "/admin/preferences/", "/admin/password_change/", "/admin/search/?s=a"):
        led = client.get(where)
        assert led["Location"].startswith(LOGIN), where
        assert client.get(led["Location"])["Location"] == SETUP
    page = client.get(SETUP).content.decode()
    assert "Staff signs in with an authenticator app here" in page
    assert "Participants" not in page
    set_up(client)
    assert client.get(INDEX).status_code == 200
    assert password("master")[0].get(INDEX).status_code == 200


def test_required_code_is_asked_of_old_sessions(staff, time, settings):
    client, _ = password()
    app, _ = equip(staff)
    assert client.get(INDEX).status_code == 200
    settings.STAFF_TOTP_REQUIRED = True
    assert client.get(INDEX).status_code == 302
    answer = client.get(SETUP)
    assert answer["Location"].startswith(CODE)
    time.shift(30)
    client.post(answer["Location"], {"code": app.code()})
    assert client.get(INDEX).status_code == 200


def test_api_password_alone_carries_no_staff_rights(api, staff, player, gold, time):
    body = {"user_id": player.pk, "token": "GOLD", "amount": "5.00", "reason": "a gift"}
    client = api(staff)

    def deposit():
        return client.post("/api/v1/wallet/deposits", body, headers={"Idempotency-Key": str(uuid.uuid4())})

    assert deposit().status_code == 201
    equip(staff)
    with nothing_moves():
        assert deposit().status_code == 403
    assert client.get("/api/v1/auth/me").json()["data"]["username"] == "staff"
    staff.refresh_from_db()
    assert staff.is_superuser


def test_superuser_resets_a_colleagues_app(staff, time):
    finance = worker("finance")
    equip(finance)
    operator = Client()
    operator.force_login(worker("operator"))
    client, _ = password()
    url = reverse("admin:accounts_user_reset-authenticator", args=[finance.pk])
    form = {"reason": "the phone fell into the sea", "request_key": "1"}
    assert operator.post(url, form).status_code == 403
    assert "Reset authenticator" in client.get(f"/admin/accounts/user/{finance.pk}/change/").content.decode()
    assert client.post(url, form).status_code == 302
    entry = AuditEntry.objects.latest("id")
    assert (entry.actor, entry.action, entry.reason) == (staff, "second factor reset", "the phone fell into the sea")
    assert not Authenticator.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert password("finance")[1]["Location"] == INDEX
    assert client.post(url, form).status_code == 409


def test_own_app_cannot_be_reset(staff, time):
    equip(staff)
    client = Client()
    client.force_login(staff)
    url = reverse("admin:accounts_user_reset-authenticator", args=[staff.pk])
    assert client.post(url, {"reason": "I am lazy", "request_key": "1"}).status_code == 403
    assert Authenticator.objects.count() == 1


def test_no_secret_is_readable_in_database_or_logs(staff, time, caplog):
    caplog.set_level(logging.DEBUG)
    client, _ = password()
    app, done, _ = set_up(client)
    code = re.search(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b", done.content.decode()).group()
    stored = bytes(Authenticator.objects.get().secret_encrypted)
    assert app.key not in stored
    assert app.key.hex().encode() not in stored
    assert base64.b32encode(app.key) not in stored
    assert "backoffice_authenticator.secret_encrypted" in {str(column) for column in secret_columns()}
    assert all(code.replace("-", "") not in row.code_sha256 for row in RecoveryCode.objects.all())
    for secret in (base64.b32encode(app.key).decode(), app.key.hex(), code):
        assert secret not in caplog.text
        assert secret not in str(list(AuditEntry.objects.values()))


def test_no_page_of_the_admin_shows_authenticators():
    assert {Authenticator, RecoveryCode}.isdisjoint(admin.site._registry)
    assert {Authenticator, RecoveryCode, Export} == set(apps.get_app_config("backoffice").get_models())


def test_login_refuses_foreign_targets_after_the_code(staff, time):
    app, _ = equip(staff)
    client, answer = password(next_page="https://evil.example/")
    time.shift(30)
    assert client.post(f"{CODE}?next=https://evil.example/", {"code": app.code()})["Location"] == INDEX
    assert "evil" not in answer["Location"]
