"""A master with its rooms, from the first form to the prizes, while the real clockwork runs."""

import json
import subprocess
import sys

import pytest
from django.conf import settings
from playwright.sync_api import expect

from accounts.models import User
from rooms.models import Room, Session
from tests.browser.pages import panel, rows, send
from tests.support.books import balance, findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

# The longest a session of the test may take on a machine that does other things too.
SETTLED_MS = 120_000


@pytest.fixture
def players(server, fund) -> list[User]:
    """Four people with 10.00 each."""
    found = [
        User.objects.create_user(name, wallet_address=f"wallet-of-{name}") for name in ("ann", "ben", "cid", "dot")
    ]
    for player in found:
        fund(player, 1_000)
    return found


def test_master_creates_a_room_and_sees_winners(server, master, game, gold, players, visitor, call, start_clockwork):
    page = visitor.page
    visitor.sign_in("master")
    expect(page.locator("#main")).to_contain_text("Your rooms")
    visitor.picture("master-today")
    page.click("#nav-sidebar >> text=Rooms")
    visitor.goto("/admin/rooms/room/add/")
    page.fill("input[name=name]", "Evening Reels")
    page.fill("input[name=entry_fee]", "2.50")
    percents, total = page.locator("input[name=prizes]"), page.locator("[data-sum]")
    percents.nth(0).fill("60")
    percents.nth(1).fill("30")
    expect(total).to_have_text("Sum 90 %: 10 % still to give")
    percents.nth(2).fill("15")
    expect(total).to_have_text("Sum 105 %: 5 % too much")
    visitor.picture("room-form-wrong-sum")
    page.click("#act-form button[type=submit]")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was done")
    assert not Room.objects.exists()
    percents.nth(2).fill("7.5")
    page.click("[data-add]")
    percents.nth(3).fill("2.5")
    expect(total).to_have_text("Sum 100 %")
    page.fill("input[name=join_window_seconds]", "15")
    page.fill("input[name=run_seconds]", "3")
    visitor.picture("room-form")
    page.click("#act-form button[type=submit]")
    expect(page.locator("#main")).to_contain_text("The room Evening Reels is open")

    room = Room.objects.get()
    assert room.current_session_id is not None
    session = Session.objects.get(pk=room.current_session_id)
    for player in players:
        place = call(player, "POST", "/game-join-rooms", room_id=room.pk, session_id=session.pk, amount=2.5)
    assert place["participants_count"] == 4
    page.click("#changelist >> text=Evening Reels")
    expect(page.locator("#main")).to_contain_text("60 % / 30 % / 7.5 % / 2.5 %")
    visitor.picture("room-page")
    page.click(".bo-panel:has-text('Sessions') tbody a")
    outcome, timeline = panel(page, "Outcome and draw"), panel(page, "Timeline")
    expect(outcome).to_contain_text("none yet")
    visitor.picture("master-session-pending")

    # The page stays open and is not touched: it shows by itself how the clockwork moves the session on.
    start_clockwork()
    expect(outcome).to_contain_text("Settled: 10.00 GOLD", timeout=SETTLED_MS)
    expect(timeline.locator(".bo-badge")).to_have_text(["Pending", "Running", "Ended"])
    won = {row[0]: row[5] for row in rows(panel(page, "Participants and prizes"))}
    assert sorted(won.values()) == ["0.25 GOLD", "0.75 GOLD", "3.00 GOLD", "6.00 GOLD"]
    visitor.picture("master-session-settled")
    assert {player.username: f"{(balance(player) - 750) / 100:.2f} GOLD" for player in players} == won
    assert findings() == []

    with page.expect_download() as download:
        page.click("text=Draw proof (JSON)")
    file = download.value.path()
    checked = subprocess.run(
        [sys.executable, settings.BASE_DIR / "docs" / "verify_draw.py", file], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout
    assert [entry["prize_minor"] for entry in json.loads(file.read_text())["entries"]] == [600, 300, 75, 25]

    # What the rooms brought stands on the room's page and on the first one.
    visitor.goto(f"/admin/rooms/room/{room.pk}/change/")
    expect(panel(page, "Volume").locator("tbody tr").first).to_have_text("Settled with prizes 1 10.00 GOLD")
    visitor.goto("/admin/")
    expect(page.locator(".bo-card", has_text="Prizes paid, 24 h")).to_contain_text("10.00 GOLD 1 session")
    visitor.picture("master-today-after")


def test_edit_waits_for_the_live_session(server, master, visitor, make_room):
    room = make_room(name="Evening Reels")
    visitor.sign_in("master")
    visitor.goto(f"/admin/rooms/room/{room.pk}/change/")
    visitor.page.click("text=Edit terms")
    visitor.page.fill("input[name=entry_fee]", "12.50")
    send(visitor.page, reason="a richer evening")
    expect(panel(visitor.page, "Terms")).to_contain_text("12.50 GOLD")
    visitor.picture("room-with-waiting-change")
