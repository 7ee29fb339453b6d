"""Staff at work with sessions, money and people: every act asks why, and the trail tells it all."""

import re

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session as Login
from django.utils.timezone import localtime
from playwright.sync_api import expect

from core.db import clock
from core.models import AuditEntry
from payments.models import Transfer
from rooms.models import Session
from tests.browser.pages import fact, panel, rows, send
from tests.support.backoffice import worker
from tests.support.books import balance, findings, nothing_moves

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

KEY = re.compile(r"gp_[0-9a-f]{12}_[\w-]{43}")


@pytest.fixture
def crew(server, staff, fund, player):
    """Made after the server has set the password hash; the player has 50.00."""
    fund(player, 5_000)
    return {
        name: worker(role, name) for name, role in {"olga": "operator", "fred": "finance", "fiona": "finance"}.items()
    }


def let_the_login_grow_old():
    store = SessionStore(Login.objects.get().pk)
    store["authenticated_at"] = clock.now().timestamp() - 3_000
    store.save()


def test_voiding_refunds_every_fee_exactly(crew, player, rival, fund, make_room, call, visitor):
    page = visitor.page
    fund(rival, 1_234)
    room = make_room(name="Treasure Wheel", entry_fee_minor=1_234)
    session = Session.objects.get(pk=room.current_session_id)
    for user in (player, rival):
        call(user, "POST", "/game-join-rooms", room_id=room.pk, session_id=session.pk, amount=12.34)
    assert (balance(player), balance(rival)) == (3_766, 0)

    visitor.sign_in("olga")
    visitor.picture("operator-today")
    visitor.goto("/admin/rooms/session/")
    visitor.picture("sessions")
    expect(page.locator("#changelist")).to_contain_text(session.code)
    page.click("#changelist tbody th a")
    with nothing_moves():
        # Looking at the button's page, by its address too, does nothing; nor does sending it without a reason.
        page.click(".bo-acts >> text=Void and refund")
        expect(page.locator(".bo-explanation")).to_contain_text("all entries (2) are paid back in full: 24.68 GOLD")
        page.click("#act-form button[type=submit]")
        expect(page.get_by_role("alert")).to_contain_text("Nothing was done")
    visitor.picture("void")
    send(page, reason="the game server is down")
    expect(page.locator("#main")).to_contain_text("every entry fee is refunded")
    expect(panel(page, "Outcome and draw")).to_contain_text("Refunded: 24.68 GOLD")
    people = panel(page, "Participants and prizes")
    expect(people.locator(".bo-badge")).to_have_text(["Refunded", "Refunded"])
    expect(panel(page, "Timeline").locator("tbody tr").last).to_contain_text("the game server is down")
    expect(panel(page, "Timeline").locator("tbody tr").last).to_contain_text("olga")
    expect(page.locator(".bo-acts >> text=Void and refund")).to_have_count(0)
    visitor.picture("voided-session")
    refunds = [row for row in rows(panel(page, "Transfers")) if row[2] == "refund"]
    assert [row[3] for row in refunds] == ["12.34 GOLD", "12.34 GOLD"]

    session.refresh_from_db()
    assert (session.status, balance(player), balance(rival)) == ("out", 5_000, 1_234)
    ledger = Transfer.objects.filter(code="refund").values_list("amount_minor", "credit_account__owner__username")
    assert sorted(ledger) == [(1_234, "player"), (1_234, "rival")]
    assert findings() == []
    page.click("text=Audit trail")
    expect(page.locator("#changelist tbody tr")).to_have_count(1)
    expect(page.locator("#changelist")).to_contain_text("the game server is down")
    visitor.picture("audit-trail")


def test_large_deposit_takes_a_second_person(crew, player, visitor):
    page = visitor.page
    visitor.sign_in("fred")
    visitor.goto(f"/admin/accounts/user/{player.pk}/change/")
    visitor.picture("user")
    let_the_login_grow_old()
    page.click(".bo-acts >> text=Deposit")
    page.fill("input[name=amount]", "25000.00")
    visitor.picture("deposit")
    send(page, reason="first prize of the tournament")
    page.fill("input[name=again_password]", "a guess")
    page.click("#again-form button[type=submit]")
    expect(page.locator("#main")).to_contain_text("This is not your password")
    page.fill("input[name=again_password]", "fred's password")
    page.click("#again-form button[type=submit]")
    expect(page.locator("#main")).to_contain_text("25,000.00 GOLD takes a second person")

    visitor.goto("/admin/payments/adjustmentrequest/")
    page.click("#changelist tbody th a")
    page.click(".bo-acts >> text=Approve")
    send(page, reason="I am sure of it")
    expect(page.get_by_role("alert")).to_contain_text("a colleague has to approve it")
    visitor.picture("own-request")
    assert balance(player) == 5_000

    visitor.sign_out()
    visitor.sign_in("fiona")
    visitor.picture("finance-today")
    page.click("text=waiting for a second person")
    page.click("#changelist tbody th a")
    page.click(".bo-acts >> text=Approve")
    send(page, reason="seen the tournament")
    expect(page.locator("#main")).to_contain_text("Approved: the deposit of 25,000.00 GOLD is made")
    visitor.picture("approved")
    assert balance(player) == 2_505_000
    visitor.goto(f"/admin/accounts/user/{player.pk}/change/")
    page.click("text=Statement")
    assert [(row[1], row[3], row[4]) for row in rows(panel(page, "Statement"))] == [
        ("deposit", "25,000.00 GOLD", "25,050.00 GOLD"),
        ("deposit", "50.00 GOLD", "50.00 GOLD"),
    ]
    visitor.picture("statement")
    assert findings() == []


def test_frozen_user_is_signed_out(crew, player, call, visitor):
    page = visitor.page
    call(player, "GET", "/auth/me")
    visitor.sign_in("olga")
    visitor.goto(f"/admin/accounts/user/{player.pk}/change/")
    page.click(".bo-acts >> text=Freeze")
    visitor.picture("freeze")
    send(page, reason="chargebacks on three deposits")
    expect(page.locator("#main")).to_contain_text("player is frozen")
    visitor.picture("frozen-user")
    with pytest.raises(AssertionError, match="Unauthorized"):
        call(player, "GET", "/auth/me")

    page.click("text=Audit trail")
    page.click("#changelist tbody th a")
    entry = AuditEntry.objects.get(action="user frozen")
    for part in ("olga", "user frozen", "accounts.user", "player", "chargebacks on three deposits", "127.0.0.1"):
        expect(page.locator("#main")).to_contain_text(part)
    expect(fact(page, "At")).to_contain_text(f"{localtime(entry.at):%Y-%m-%d %H:%M:%S}")
    expect(fact(page, "Before")).to_contain_text('"is_active": true')
    expect(fact(page, "After")).to_contain_text('"is_active": false')
    visitor.picture("audit-entry")

    visitor.goto(f"/admin/accounts/user/{player.pk}/change/")
    page.click(".bo-acts >> text=Unfreeze")
    send(page, reason="the bank took it back")
    expect(page.locator("#main")).to_contain_text("player can sign in again")
    # Freezing ended the tokens of before for good.
    player.refresh_from_db()
    call(player, "GET", "/auth/me")


def test_a_key_is_shown_once(server, staff, visitor):
    page = visitor.page
    visitor.sign_in("staff")
    visitor.goto("/admin/accounts/apiclient/add/")
    page.fill("input[name=name]", "The game's server")
    page.click("text=Save >> nth=0")
    page.click("#changelist >> text=The game's server")
    page.click("text=Issue a key")
    page.check("input[value=results]")
    visitor.picture("issue-key")
    send(page, reason="its first key")
    expect(page.locator(".bo-secret").first).to_have_text(KEY)
    key = page.locator(".bo-secret").first.inner_text()
    visitor.picture("key-shown-once")
    page.click("text=I have copied it")
    expect(page.locator("#main")).to_contain_text(key.split("_")[1])
    assert key not in page.content()
