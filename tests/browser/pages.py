"""How the back-office's pages are read and filled in."""

from playwright.sync_api import Locator, Page


def panel(page: Page, title: str) -> Locator:
    """The part of an object's page with this title."""
    return page.locator(".bo-panel").filter(has=page.get_by_role("heading", name=title, exact=True))


def rows(part: Locator) -> list[list[str]]:
    """The texts of a table's cells."""
    return [row.locator("td").all_inner_texts() for row in part.locator("tbody tr").all()]


def send(page: Page, *, reason: str) -> None:
    """Say why, and press the button."""
    page.fill("input[name=reason]", reason)
    page.click("#act-form button[type=submit]")
