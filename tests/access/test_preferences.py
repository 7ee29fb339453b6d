"""Sessions are short; language and time zone are each user's own."""

import zoneinfo
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone, translation

from accounts.models import Game, User
from backoffice.preferences import time_zones

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def client(staff):
    browser = Client()
    browser.force_login(staff)
    return browser


def test_login_after_idle_session_leads_back(staff, settings):
    with time_machine.travel(NOON, tick=False) as time:
        client = Client()
        client.post("/admin/login/", {"username": "staff", "password": "staff's password"})
        for _ in range(3):
            time.shift(settings.SESSION_COOKIE_AGE - 1)
            assert client.get("/admin/rooms/room/").status_code == 200
        time.shift(settings.SESSION_COOKIE_AGE + 1)
        wanted = "/admin/rooms/session/?status__exact=pending"
        answer = client.get(wanted)
        assert answer["Location"] == f"/admin/login/?next={quote(wanted)}"
        answer = client.post(answer["Location"], {"username": "staff", "password": "staff's password"})
        assert answer["Location"] == wanted
        assert client.get(wanted).status_code == 200


def test_session_lasts_an_hour_by_default(staff, settings):
    client = Client()
    client.post("/admin/login/", {"username": "staff", "password": "staff's password"})
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert (settings.SESSION_COOKIE_AGE, cookie["max-age"], cookie["httponly"]) == (3600, 3600, True)


def test_pages_show_the_users_zone_and_exports_utc(staff, client, settings):
    settings.TIME_ZONE = "UTC"
    Game.objects.create(name="Midnight", symbol="MID", created_at=datetime(2026, 5, 1, 18, 30, tzinfo=UTC))
    User.objects.filter(pk=staff.pk).update(date_joined=datetime(2026, 5, 1, 18, 30, tzinfo=UTC))
    assert "2026-05-01 18:30:00" in client.get("/admin/accounts/game/").content.decode()
    assert client.post("/admin/preferences/", {"time_zone": "Asia/Ho_Chi_Minh"}).status_code == 302
    assert "2026-05-02 01:30:00" in client.get("/admin/accounts/game/").content.decode()
    exported = b"".join(client.get("/admin/accounts/user/export/")).decode()
    assert "2026-05-01T18:30:00+00:00" in exported
    assert timezone.get_current_timezone_name() == "UTC"


def test_only_zones_that_exist_are_taken(staff, client):
    assert client.post("/admin/preferences/", {"time_zone": "Mars/Olympus"}).status_code == 400
    staff.time_zone = "Mars/Olympus"
    with pytest.raises(ValidationError):
        staff.full_clean()
    for name, _ in time_zones():
        zoneinfo.ZoneInfo(name)
    assert ("Asia/Ho_Chi_Minh", "Asia/Ho Chi Minh") in time_zones()


def test_unknown_time_zone_breaks_no_page(staff, client):
    User.objects.filter(pk=staff.pk).update(time_zone="Mars/Olympus", language="xx")
    assert client.get("/admin/accounts/game/").status_code == 200
    assert client.get("/admin/preferences/").status_code == 200


def test_the_language_switch_is_kept_with_the_user(staff, client):
    answer = client.post("/admin/language/", {"language": "vi", "next": "/admin/accounts/game/"})
    assert answer["Location"] == "/admin/accounts/game/"
    staff.refresh_from_db()
    assert staff.language == "vi"
    another = Client()
    another.force_login(staff)
    answer = another.get("/admin/accounts/game/")
    assert answer["Content-Language"] == "vi"
    assert 'lang="vi"' in answer.content.decode()
    assert translation.get_language() == "en"


def test_language_switch_refuses_foreign_targets(client, staff):
    answer = client.post("/admin/language/", {"language": "tlh", "next": "https://evil.example/"})
    assert answer["Location"] == "/admin/"
    staff.refresh_from_db()
    assert staff.language == ""
    assert client.get("/admin/language/").status_code == 405


def test_the_login_page_speaks_the_browsers_language():
    assert Client().get("/admin/login/", HTTP_ACCEPT_LANGUAGE="vi")["Content-Language"] == "vi"
    assert Client().get("/admin/login/", HTTP_ACCEPT_LANGUAGE="de")["Content-Language"] == "en"


def test_preferences_cost_no_further_query(staff, client, django_assert_num_queries):
    client.get("/admin/accounts/game/")
    with django_assert_num_queries(8):
        # Session, user, estimate, count and rows, and the session's new end in its transaction.
        client.get("/admin/accounts/game/")
