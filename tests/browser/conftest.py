"""A real browser against a real server process; every request it makes is noted."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import redis
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

from accounts.credentials import access_token
from accounts.models import User
from core.db import clock
from core.tests.servers import Valkey
from tests.support.servers import Clockwork, WebServer, environment

# A loaded machine with two cores is slow, not wrong.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

# An export of more rows than this is a job.
SMALL = {"EXPORT_ROWS_AT_ONCE": "1000"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Visitor:
    """One signed-in browser window on the server."""

    def __init__(self, page: Page, url: str, pictures: Path | None) -> None:
        self.page, self.url, self.pictures = page, url, pictures

    def sign_in(self, name: str) -> None:
        """With the tests' password of that name."""
        self.page.goto(f"{self.url}/admin/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", f"{name}'s password")
        self.page.click("button[type=submit]")
        self.page.wait_for_selector("#nav-sidebar")

    def sign_out(self) -> None:
        """Forget the session, as a browser of somebody else would not have it."""
        self.page.context.clear_cookies()

    def goto(self, path: str) -> None:
        self.page.goto(self.url + path)

    def picture(self, name: str) -> None:
        """Keep a screenshot where BROWSER_PICTURES says, for people to look at."""
        if self.pictures is not None:
            self.page.screenshot(path=self.pictures / f"{name}.png", full_page=True)


@pytest.fixture(scope="session")
def servers(django_db_setup, tmp_path_factory) -> Iterator[tuple[Valkey, WebServer]]:
    """A web process for all tests, and its own Valkey: another test's worker must not take the tasks of these."""
    folder = tmp_path_factory.mktemp("browser")
    valkey = Valkey(folder)
    valkey.start()
    web = WebServer(environment(folder, REDIS_URL=valkey.url, SECURE_COOKIES="false", **SMALL)).start()
    yield valkey, web
    web.kill()
    valkey.stop()


@pytest.fixture
def server(servers, transactional_db, settings) -> WebServer:
    # The server has the settings' own password hash.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    valkey, web = servers
    settings.REDIS_URL = valkey.url
    redis.Redis.from_url(valkey.url).flushall()
    return web


@pytest.fixture
def start_clockwork(server, tmp_path) -> Iterator[Callable[[], Clockwork]]:
    """``start_clockwork()``: from now on worker and beat run beside the server."""
    clockwork = Clockwork(server.environment, tmp_path)
    yield clockwork.start
    clockwork.kill()


@pytest.fixture(autouse=True)
def _database_beside_the_browser(monkeypatch):
    """The browser's driver runs an event loop in this thread, beside which Django refuses the database by default."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def call(server) -> Callable[..., Any]:
    """``call(user, "POST", "/game-join-rooms", …)``: the data of an answer of the real API, asked as this user."""

    def ask(user: User, method: str, path: str, **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {access_token(user, now=clock.now())}"}
        answer = httpx.request(method, f"{server.url}/api/v1{path}", json=body, headers=headers, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json().get("data")

    return ask


@pytest.fixture
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visitor(server, chromium) -> Iterator[Visitor]:
    """Fails afterwards when a request left the server, a page broke its content policy or a script failed."""
    pictures = os.environ.get("BROWSER_PICTURES")
    if pictures:
        Path(pictures).mkdir(parents=True, exist_ok=True)
    page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    elsewhere: list[str] = []
    complaints: list[str] = []

    def note(address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(server.url).netloc:
            elsewhere.append(address)

    page.on("request", lambda request: note(request.url))

    def hear(kind: str, text: str) -> None:
        # A page that refuses a form is an answer; a part of a page that is missing is noted below.
        if kind == "error" and not text.startswith("Failed to load resource"):
            complaints.append(text)

    def check(response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            complaints.append(f"{response.status} {response.url}")

    page.on("response", check)
    page.on("console", lambda message: hear(message.type, message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield Visitor(page, server.url, Path(pictures) if pictures else None)
    assert elsewhere == []
    assert complaints == []
