"""Lists taken home as files: what is in them, and long ones while they are written."""

import csv
import re

import pytest
from playwright.sync_api import expect

from accounts.models import User
from backoffice.models import Export
from core.models import AuditEntry
from tests.browser.pages import fact
from tests.support.backoffice import run_session, worker
from tests.support.workbooks import sheet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

FORMULA = '=HYPERLINK("http://example.com";"click")'
WRITTEN_MS = 120_000


@pytest.fixture
def support(server, master):
    return worker("support")


def press(page, button):
    page.locator("#main").get_by_role("link", name=button).click()


def take(page, button):
    """The file that pressing it brings."""
    with page.expect_download() as download:
        press(page, button)
    return download.value.suggested_filename, download.value.path().read_bytes()


def test_export_is_filtered_and_holds_no_formula(support, make_room, people, fund, join, visitor):
    page = visitor.page
    guests = people(4)
    for guest in guests:
        fund(guest, 5_000)
    run_session(make_room(), guests, join)
    User.objects.filter(pk=guests[0].pk).update(fullname=FORMULA)

    visitor.sign_in("support")
    visitor.goto("/admin/payments/transfer/?code=prize")
    expect(page.locator("#changelist tbody tr")).to_have_count(3)
    visitor.picture("transfers")
    name, content = take(page, "Export CSV")
    lines = list(csv.reader(content.decode("utf-8-sig").splitlines()))
    assert (name, lines[0]) == (
        "transfer.csv",
        ["id", "at", "code", "amount", "token", "from", "to", "reference", "tx_hash"],
    )
    assert [line[2:5] for line in lines[1:]] == [[*("prize", amount, "GOLD")] for amount in ("8.00", "12.00", "20.00")]
    name, content = take(page, "Export XLSX")
    cells = sheet(content)
    assert (name, [row[3] for row in cells[1:]]) == ("transfer.xlsx", [("n", "8.00"), ("n", "12.00"), ("n", "20.00")])

    visitor.goto(f"/admin/accounts/user/?q={guests[0].username}")
    _, content = take(page, "Export CSV")
    lines = list(csv.reader(content.decode("utf-8-sig").splitlines()))
    assert [line[1:3] for line in lines] == [["username", "full name"], [guests[0].username, f"'{FORMULA}"]]
    _, content = take(page, "Export XLSX")
    assert [row[2] for row in sheet(content)] == [("s", "full name"), ("s", f"'{FORMULA}")]


def test_long_export_shows_its_progress(support, people, visitor, start_clockwork):
    page = visitor.page
    people(1_500)
    visitor.sign_in("support")
    visitor.goto("/admin/accounts/user/?q=guest")
    press(page, "Export XLSX")
    expect(page.locator(".bo-explanation")).to_contain_text("too many to be sent at once")
    visitor.picture("export-asked")
    page.click("#act-form button[type=submit]")
    expect(page.locator("#main")).to_contain_text("Waits for a worker")
    expect(fact(page, "Rows").locator("progress")).to_be_visible()
    expect(fact(page, "Rows")).to_contain_text("0 of about")
    visitor.picture("export-waits")

    # The page stays open and is not touched.
    start_clockwork()
    expect(page.locator("#main")).to_contain_text("Ready", timeout=WRITTEN_MS)
    expect(fact(page, "Rows")).to_contain_text("1,500")
    visitor.picture("export-ready")
    name, content = take(page, "Download")
    assert re.fullmatch(r"accounts-user-[0-9-]{10}\.xlsx", name)
    names = [row[1][1] for row in sheet(content)[1:]]
    assert (len(names), len(set(names)), all(name.startswith("guest-") for name in names)) == (1_500, 1_500, True)
    visitor.goto("/admin/backoffice/export/")
    expect(page.locator("#changelist tbody tr")).to_have_count(1)
    visitor.picture("exports")
    export = Export.objects.get()
    assert (export.state, export.filters, export.requester) == ("done", "q=guest", support)
    acts = AuditEntry.objects.filter(actor=support).order_by("id").values_list("action", flat=True)
    assert list(acts) == ["export requested", "export downloaded"]
