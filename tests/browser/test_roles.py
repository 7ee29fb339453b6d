"""Each role signs in and finds its own menu, no more and no less."""

import pytest
from playwright.sync_api import expect

from gameplatform.operations.groups import GROUPS
from tests.support.backoffice import worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PLAY = ["Rooms", "Sessions", "Participants"]
POTS = ["Pots", "Jobs", "Player profiles"]
ROUNDS = ["Contests", "Rounds", "Leaderboards", "Leaderboard entries", "Game users"]
MONEY = ["Accounts", "Transfers", "Adjustments", "Adjustment requests", "Tokens"]
CHAT = ["Reports", "Conversations", "Messages", "Members", "Sanctions", "Moderation acts"]
WEBHOOKS = ["Endpoints", "Deliveries", "Events"]
LOGINS = ["Access logs", "Access attempts"]
READ = ["Today", *PLAY, "Games", *POTS, *ROUNDS, *MONEY]

MENUS = {
    "master": ["Today", *PLAY, "Exports"],
    "support": [*READ, "Users", "Exports"],
    "finance": [*READ, "Users", "Audit entries", "Exports"],
    "moderator": ["Today", *CHAT, "Users", "Exports"],
    "operator": [*READ, *WEBHOOKS, "Users", "Audit entries", "Exports", *LOGINS],
    "staff": [
        *("Today", *PLAY, "Games", *CHAT, *POTS, "Pot games", *ROUNDS[:-1], "Game accesses", ROUNDS[-1], *MONEY),
        *(
            *WEBHOOKS,
            "Users",
            "Groups",
            "Rights requests",
            "API clients",
            "API keys",
            "Audit entries",
            "Exports",
            *LOGINS,
        ),
    ],
}


def test_each_role_sees_its_own_menu(server, master, staff, visitor):
    for role in GROUPS:
        worker(role)
    assert set(MENUS) == {"master", "staff", *GROUPS}
    for role, menu in MENUS.items():
        visitor.sign_in(role)
        # Before the name stands the icon, whose letters are its name.
        entries = visitor.page.locator("#nav-sidebar-apps a").all_inner_texts()
        assert [entry.split("\n")[-1].strip() for entry in entries] == menu, role
        visitor.sign_out()


def test_a_player_is_not_let_in(server, player, visitor):
    visitor.goto("/admin/")
    visitor.page.fill("input[name=username]", "player")
    visitor.page.fill("input[name=password]", "player's password")
    visitor.page.click("button[type=submit]")
    expect(visitor.page.get_by_text("Please enter the correct username and password")).to_be_visible()
    expect(visitor.page.locator("#nav-sidebar")).to_have_count(0)
