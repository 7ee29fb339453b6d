"""The back-office as people use it: a master with its rooms, staff with sessions and money."""

import re

import pytest

from rooms.models import Session
from tests.support.backoffice import run_session, worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _database_beside_the_browser(monkeypatch):
    """The browser's driver runs an event loop in this thread, beside which Django refuses the database by default."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def cast(server, master, staff, player, game, gold, fund):
    """Everybody, made after the server has set the password hash; the player has 50.00."""
    fund(player, 5_000)
    return {"operator": worker("operator"), "fred": worker("finance", "fred"), "fiona": worker("finance", "fiona")}


@pytest.fixture
def played(cast, make_room, people, fund, join):
    """A room whose first session was settled among four players, and whose second is open with one of them."""
    guests = people(4)
    for guest in guests:
        fund(guest, 5_000)
    room = make_room(name="Lucky Reels")
    run_session(room, guests, join)
    other = make_room(name="Treasure Wheel")
    join(other, guests[0])
    return other


def test_a_master_makes_a_room_and_sees_its_session(cast, visitor):
    page = visitor.page
    visitor.sign_in("master")
    visitor.picture("master-today")
    page.click("#nav-sidebar >> text=Rooms")
    visitor.goto("/admin/rooms/room/add/")
    page.fill("input[name=name]", "Evening Reels")
    page.fill("input[name=entry_fee]", "2.50")
    percents = page.locator("input[name=prizes]")
    total = page.locator("[data-sum]")
    percents.nth(0).fill("60")
    percents.nth(1).fill("30")
    assert total.inner_text() == "Sum 90 %: 10 % still to give"
    percents.nth(2).fill("15")
    assert total.inner_text() == "Sum 105 %: 5 % too much"
    visitor.picture("room-form-wrong-sum")
    percents.nth(2).fill("7.5")
    page.click("[data-add]")
    percents.nth(3).fill("2.5")
    assert total.inner_text() == "Sum 100 %"
    visitor.picture("room-form")
    page.click("#act-form button[type=submit]")
    assert "The room Evening Reels is open" in page.inner_text("#main")
    page.click("#changelist >> text=Evening Reels")
    assert "60 % / 30 % / 7.5 % / 2.5 %" in page.inner_text("#main")
    visitor.picture("room-page")
    page.click(".bo-panel:has-text('Sessions') tbody a")
    assert "opened" in page.inner_text(".bo-panel:has-text('Timeline')")
    visitor.picture("master-session")


def test_an_edit_waits_for_the_live_session_and_shows(cast, visitor, make_room):
    room = make_room(name="Evening Reels")
    visitor.sign_in("master")
    visitor.goto(f"/admin/rooms/room/{room.pk}/change/")
    visitor.page.click("text=Edit terms")
    visitor.page.fill("input[name=entry_fee]", "12.50")
    visitor.page.fill("input[name=reason]", "a richer evening")
    visitor.page.click("#act-form button[type=submit]")
    assert "12.50 GOLD" in visitor.page.inner_text(".bo-panel:has-text('Terms')")
    visitor.picture("room-with-waiting-change")


def test_an_operator_voids_a_session_with_a_reason(played, visitor):
    session = Session.objects.get(pk=played.current_session_id)
    visitor.sign_in("operator")
    visitor.picture("operator-today")
    visitor.goto("/admin/rooms/session/")
    visitor.picture("sessions")
    visitor.page.click(f"#changelist >> text={session.code}")
    visitor.page.click("text=Void and refund")
    visitor.page.click("#act-form button[type=submit]")
    assert "Nothing was done" in visitor.page.inner_text("#main")
    visitor.page.fill("input[name=reason]", "the game server is down")
    visitor.picture("void")
    visitor.page.click("#act-form button[type=submit]")
    assert "everybody got the entry fee back" in visitor.page.inner_text("#main")
    visitor.picture("voided-session")
    visitor.page.click("text=Audit trail")
    assert "the game server is down" in visitor.page.inner_text("#main")
    visitor.picture("audit-trail")
    session.refresh_from_db()
    assert session.status == "out"


def test_two_colleagues_make_a_large_deposit_and_the_statement_shows_it(cast, player, visitor):
    page = visitor.page
    visitor.sign_in("fred")
    visitor.goto(f"/admin/accounts/user/{player.pk}/change/")
    visitor.picture("user")
    page.click(".bo-acts >> text=Deposit")
    page.fill("input[name=amount]", "25000.00")
    page.fill("input[name=reason]", "first prize of the tournament")
    visitor.picture("deposit")
    page.click("#act-form button[type=submit]")
    assert "takes a second person" in page.inner_text("#main")
    page.context.clear_cookies()

    visitor.sign_in("fiona")
    visitor.picture("finance-today")
    page.click("text=waiting for a second person")
    page.click("#changelist tbody a")
    page.click(".bo-acts >> text=Approve")
    page.fill("input[name=reason]", "seen the tournament")
    page.click("#act-form button[type=submit]")
    visitor.picture("approved")
    visitor.goto(f"/admin/accounts/user/{player.pk}/change/")
    page.click("text=Statement")
    assert "25050.00 GOLD" in page.inner_text(".bo-panel:has-text('Statement')")
    visitor.picture("statement")


def test_a_list_is_taken_home_as_csv(played, visitor):
    visitor.sign_in("operator")
    visitor.goto("/admin/payments/transfer/?code=prize")
    visitor.picture("transfers")
    with visitor.page.expect_download() as download:
        visitor.page.click("text=Export CSV")
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "id,at,code,amount,token,from,to,reference,tx_hash"
    assert [re.split(",", line)[3] for line in lines[1:]] == ["8.00", "12.00", "20.00"]


def test_a_key_is_shown_once(cast, visitor):
    page = visitor.page
    visitor.sign_in("staff")
    visitor.goto("/admin/accounts/apiclient/add/")
    page.fill("input[name=name]", "The game's server")
    page.click("text=Save >> nth=0")
    page.click("#changelist >> text=The game's server")
    page.click("text=Issue a key")
    page.check("input[value=results]")
    page.fill("input[name=reason]", "its first key")
    visitor.picture("issue-key")
    page.click("#act-form button[type=submit]")
    key = page.locator(".bo-secret").first.inner_text()
    assert re.fullmatch(r"gp_[0-9a-f]{12}_[\w-]{43}", key)
    visitor.picture("key-shown-once")
    page.click("text=I have copied it")
    assert key not in page.content()
    assert key.split("_")[1] in page.inner_text("#main")


def test_the_pages_in_the_dark_and_on_a_phone(played, visitor):
    visitor.page.emulate_media(color_scheme="dark")
    visitor.sign_in("operator")
    visitor.picture("dark-today")
    visitor.goto(f"/admin/rooms/session/{played.current_session_id}/change/")
    visitor.picture("dark-session")
    dark = visitor.page.evaluate("document.documentElement.classList.contains('dark')")
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    visitor.goto(f"/admin/rooms/room/{played.pk}/change/")
    visitor.picture("phone-room")
    width = visitor.page.evaluate("document.documentElement.scrollWidth")
    assert (dark, width <= 390) == (True, True)
