"""A real browser against a real server process; every request it makes is noted."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Response, sync_playwright

from tests.support.servers import WebServer, environment

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

    def goto(self, path: str) -> None:
        self.page.goto(self.url + path)

    def picture(self, name: str) -> None:
        """Keep a screenshot where BROWSER_PICTURES says, for people to look at."""
        if self.pictures is not None:
            self.page.screenshot(path=self.pictures / f"{name}.png", full_page=True)


@pytest.fixture
def server(transactional_db, tmp_path, settings) -> Iterator[WebServer]:
    # The server is a process of its own with the settings' own password hash.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    web = WebServer(environment(tmp_path, SECURE_COOKIES="false")).start()
    yield web
    web.kill()


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
    page.set_default_timeout(20_000)
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
