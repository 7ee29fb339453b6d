"""A moderator and a room's chat, with a member reading along."""

import pytest
from playwright.sync_api import expect

from chat.models import Member, Message
from core.models import AuditEntry
from tests.browser.pages import panel, rows, send
from tests.support.backoffice import worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

READER = """<!doctype html><title>Chat</title><ul></ul><p>connecting</p><script>
const query = new URLSearchParams(location.search);
const ws = new WebSocket(`ws://${location.host}/ws/${query.get("room")}?token=${query.get("ticket")}`);
ws.onmessage = (event) => {
    const { type, data } = JSON.parse(event.data);
    if (type === "connection_status") document.querySelector("p").textContent = "connected";
    if (type === "message_deleted") document.getElementById(data.id).remove();
    if (type === "message") {
        const line = document.createElement("li");
        line.id = data.id;
        line.textContent = `${data.sender_name}: ${data.content}`;
        document.querySelector("ul").append(line);
    }
};
</script>"""


@pytest.fixture
def chat(server, make_room, player, rival, fund, join):
    """The conversation of a room that player and rival have joined."""
    room = make_room(name="Lucky Reels")
    for user in (player, rival):
        fund(user, 5_000)
        join(room, user)
    worker("moderator")
    return room.conversation


@pytest.fixture
def reader(chat, call, rival, server, chromium):
    """Rival's own window on the chat."""
    ticket = call(rival, "POST", f"/rooms/{chat.pk}/ticket")["ticket"]
    page = chromium.new_context().new_page()
    # A page of the server's own address may open a socket to it.
    page.goto(f"{server.url}/livez?room={chat.pk}&ticket={ticket}")
    page.set_content(READER)
    expect(page.locator("p")).to_have_text("connected")
    return page


def test_upheld_report_hides_the_message_at_once(chat, reader, player, rival, call, visitor):
    page = visitor.page
    say = f"/rooms/{chat.pk}/messages"
    call(player, "POST", say, content="hello")
    offer = call(player, "POST", say, content="buy coins at my place")
    expect(reader.locator("li")).to_have_text(["player: hello", "player: buy coins at my place"])
    call(rival, "POST", f"/messages/{offer['id']}/report", reason="advertising")

    visitor.sign_in("moderator")
    visitor.picture("moderator-today")
    page.click(".bo-card:has-text('Open reports')")
    expect(page.locator("#changelist")).to_contain_text("buy coins at my place")
    visitor.picture("reports")
    page.click("#changelist tbody th a")
    expect(panel(page, "In its conversation")).to_contain_text("hello")
    visitor.picture("report")
    page.click(".bo-acts >> text=Delete the message")
    send(page, reason="no trading in the chat")
    expect(page.locator("#main")).to_contain_text("The message is deleted and the report closed")
    expect(reader.locator("li")).to_have_text(["player: hello"])
    assert Message.objects.get(pk=offer["id"]).is_deleted

    visitor.goto(f"/admin/chat/conversation/{chat.pk}/change/")
    panel(page, "Members").get_by_role("link", name="player").click()
    page.click(".bo-acts >> text=Mute")
    page.select_option("select[name=hours]", label="a day")
    send(page, reason="no trading in the chat")
    expect(page.locator("#main")).to_contain_text("player is muted in Lucky Reels")
    with pytest.raises(AssertionError, match="muted"):
        call(player, "POST", say, content="why?")
    call(rival, "POST", say, content="thank you")
    expect(reader.locator("li")).to_have_text(["player: hello", "rival: thank you"])

    visitor.goto(f"/admin/chat/conversation/{chat.pk}/change/")
    assert [row[:2] for row in rows(panel(page, "Mutes and bans in force"))] == [["player", "mute"]]
    done = rows(panel(page, "What moderators did"))
    assert {row[3] for row in done} == {"player"}
    assert [(row[1], row[2], row[4]) for row in done] == [
        ("staff:moderator", "Mute", "no trading in the chat"),
        ("staff:moderator", "Resolve Report", "no trading in the chat"),
        ("staff:moderator", "Delete Message", "no trading in the chat"),
        (f"member:{rival.pk}", "Report", "advertising"),
    ]
    visitor.picture("conversation")
    trail = AuditEntry.objects.filter(actor__username="moderator").order_by("id")
    assert list(trail.values_list("action", "reason")) == [
        ("chat: delete message", "no trading in the chat"),
        ("chat: resolve report", "no trading in the chat"),
        ("chat: mute", "no trading in the chat"),
    ]
    assert Member.objects.filter(conversation=chat, account=player).exists()
