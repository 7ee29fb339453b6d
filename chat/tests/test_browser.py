"""The contract's browser example, as it stands there, in a real browser: a page with nothing but ``new WebSocket``."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PAGE = """<!doctype html><title>Chat</title><ul id="messages"></ul><p id="state">connecting</p><script>
const query = new URLSearchParams(location.search);
const ws = new WebSocket(`ws://${location.host}/ws/${query.get("room")}?token=${query.get("token")}`);
ws.onopen = () => { document.getElementById("state").textContent = "open"; };
ws.onclose = (event) => { document.getElementById("state").textContent = `closed ${event.code}`; };
ws.onmessage = (event) => {
    const message = JSON.parse(event.data);
    const line = document.createElement("li");
    const { sender_name, content } = message.data;
    line.textContent = message.type === "message" ? `${sender_name}: ${content}` : message.type;
    document.getElementById("messages").append(line);
};
</script>"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.faults,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture
def visit(live):
    """``visit(scenario, room=…, token=…)``: run the scenario on the example page, opened with this query."""

    async def run(scenario, query):
        web = live.webs[0]
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = await browser.new_page()
            # The page has an address of the platform's own; one made up by the test may not speak to this machine.
            await page.goto(f"{web.url}/livez?{query}")
            await page.set_content(PAGE)
            try:
                await scenario(page)
            finally:
                await browser.close()

    def visit_with(scenario, **query):
        asyncio.run(run(scenario, "&".join(f"{name}={value}" for name, value in query.items())))

    return visit_with


def test_a_plain_websocket_in_a_page_hears_the_room_with_a_key_and_with_a_ticket(visit, live, tenant, lounge):
    web = live.webs[1]
    _, answer = web.call("POST", f"/api/v1/rooms/{lounge.pk}/ticket", {"user_id": "lan"}, key=tenant.key_text)

    async def scenario(page):
        await page.get_by_text("connection_status").wait_for()
        body = {"sender_id": "minh", "content": "Xin chào 🎲"}
        await asyncio.to_thread(web.call, "POST", f"/api/v1/rooms/{lounge.pk}/messages/", body, key=tenant.key_text)
        await page.get_by_text("Minh: Xin chào 🎲").wait_for()
        assert await page.text_content("#state") == "open"
        # What the browser may send too, by the same socket.
        if answer["data"]["ticket"] in page.url:
            await page.evaluate('ws.send(JSON.stringify({type: "message", data: {content: "Chào Minh"}}))')
            await page.get_by_text("Lan: Chào Minh").wait_for()

    visit(scenario, room=lounge.pk, token=tenant.key_text)
    visit(scenario, room=lounge.pk, token=answer["data"]["ticket"])


def test_a_page_reads_the_contracts_close_code(visit, lounge):
    async def scenario(page):
        await page.get_by_text("closed 4001").wait_for()

    visit(scenario, room=lounge.pk, token="wrong")
