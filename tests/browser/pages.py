"""How the back-office's pages are read and filled in."""

import re

from playwright.sync_api import Locator, Page


def panel(page: Page, title: str) -> Locator:
    """The part of an object's page with this title."""
    return page.locator(".bo-panel").filter(has=page.get_by_role("heading", name=title, exact=True))


def fact(page: Page, name: str) -> Locator:
    """The field of this name on an object's page, with its value."""
    label = page.locator("label").filter(has_text=re.compile(rf"^\s*{name}:?\s*$"))
    return page.locator(".form-row").filter(has=label)


def rows(part: Locator) -> list[list[str]]:
    """The texts of a table's cells, once the table's page is there as a whole."""
    part.wait_for()
    part.page.wait_for_load_state("domcontentloaded")
    return [row.locator("td").all_inner_texts() for row in part.locator("tbody tr").all()]


def send(page: Page, *, reason: str) -> None:
    """Say why, and press the button."""
    page.fill("input[name=reason]", reason)
    page.click("#act-form button[type=submit]")
