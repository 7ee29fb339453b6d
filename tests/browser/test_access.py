"""Who gets into the back-office, as people meet it."""

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from core.db import clock
from tests.access.authenticating import App
from tests.support.books import balance

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_staff_signs_in_with_an_apps_code(server, staff, visitor):
    page = visitor.page
    visitor.sign_in("staff")
    visitor.goto("/admin/authenticator/")
    page.click("#begin-form button")
    visitor.picture("authenticator-secret")
    app = App(page.inner_text(".bo-secret"))
    page.fill("input[name=code]", app.code())
    page.click("#confirm-form button")
    codes = page.inner_text(".bo-secret").split()
    assert len(codes) == 10
    visitor.picture("authenticator-codes")
    page.context.clear_cookies()

    visitor.goto("/admin/rooms/room/")
    page.fill("input[name=username]", "staff")
    page.fill("input[name=password]", "staff's password")
    page.click("button[type=submit]")
    # The code of now confirmed the app and is used up; the clock that is half a minute ahead is forgiven.
    page.fill("input[name=code]", app.code(steps=1))
    visitor.picture("login-code")
    page.click("#code-form button[type=submit]")
    page.wait_for_selector("#nav-sidebar")
    assert page.url.endswith("/admin/rooms/room/")


def test_who_guesses_is_told_when_to_come_back(server, staff, visitor):
    page = visitor.page
    visitor.goto("/admin/")
    for _ in range(10):
        page.fill("input[name=username]", "staff")
        page.fill("input[name=password]", "a guess")
        page.click("button[type=submit]")
    assert "Try again in 15 minutes" in page.inner_text("[role=alert]")
    visitor.picture("locked-out")


def test_old_login_gives_the_password_before_depositing(server, staff, player, gold, visitor):
    page = visitor.page
    visitor.sign_in("staff")
    _make_the_login_old()
    visitor.goto(f"/admin/accounts/user/{player.pk}/deposit/")
    page.fill("input[name=amount]", "12.50")
    page.fill("input[name=reason]", "a prize at the fair")
    page.click("#act-form button[type=submit]")
    page.wait_for_selector("#again-form")
    visitor.picture("again")
    assert balance(player) == 0
    page.fill("input[name=again_password]", "staff's password")
    page.click("#again-form button[type=submit]")
    page.wait_for_selector("text=12.50 GOLD deposited")
    assert balance(player) == 1_250


def _make_the_login_old():
    store = SessionStore(Session.objects.get().pk)
    store["authenticated_at"] = clock.now().timestamp() - 3_000
    store.save()


def test_the_back_office_in_vietnamese(server, staff, player, gold, visitor):
    page = visitor.page
    visitor.sign_in("staff")
    visitor.goto("/admin/preferences/")
    page.select_option("select[name=language]", "vi")
    page.select_option("select[name=time_zone]", "Asia/Ho_Chi_Minh")
    page.click("#preferences-form button")
    assert "Đã lưu tùy chọn của bạn." in page.inner_text("#main")
    visitor.picture("vi-preferences")
    visitor.goto("/admin/")
    visitor.picture("vi-today")
    visitor.goto("/admin/rooms/room/add/")
    page.locator("input[name=prizes]").nth(0).fill("60")
    assert page.locator("[data-sum]").inner_text() == "Tổng 60 %: còn 40 % chưa chia"
    visitor.picture("vi-room-form")
    visitor.goto(f"/admin/accounts/user/{player.pk}/deposit/")
    page.fill("input[name=amount]", "1.005")
    page.fill("input[name=reason]", "thử")
    page.click("#act-form button[type=submit]")
    page.wait_for_selector("#act-form >> text=Số tiền có tối đa 2 chữ số thập phân")
    visitor.picture("vi-deposit")
    visitor.goto("/admin/webhooks/endpoint/add/")
    page.wait_for_selector("#act-form >> text=Có phiên để tham gia")
    visitor.picture("vi-webhook")
    page.emulate_media(color_scheme="dark")
    visitor.goto(f"/admin/accounts/user/{player.pk}/change/")
    page.wait_for_selector(".bo-acts >> text=Đổi quyền")
    visitor.picture("vi-user-dark")
    page.emulate_media(color_scheme="light")
    visitor.goto("/admin/accounts/user/")
    visitor.picture("vi-users")
    page.locator("#nav-sidebar").get_by_text("staff", exact=True).click()
    page.locator("button:has-text('English')").first.click()
    page.wait_for_selector("#nav-sidebar >> text=Rooms")
