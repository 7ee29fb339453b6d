"""Lists as files: what is in them, who gets them, and what happens when the worker dies."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from backoffice import export_jobs, exports
from backoffice.exports import CsvWriter, XlsxWriter, csv_lines
from backoffice.models import Export
from core.amounts import amount_decimal
from core.db import clock
from core.models import AuditEntry
from core.spreadsheets import safe_cell
from tests.support.backoffice import run_session, worker
from tests.support.workbooks import sheet


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.EXPORT_DIR = str(tmp_path / "exports")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", '=HYPERLINK("http://x")', "-cmd|'/c'!A1"],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-10.00", "12.50", "0", "-7", "a name", "a=b", "", "1-2"])
def test_plain_text_and_numbers_stay_as_they_are(text):
    assert safe_cell(text) == text


def test_amount_keeps_its_decimals():
    assert safe_cell(amount_decimal(1_250, decimals=2)) == "12.50"
    assert safe_cell(amount_decimal(1, decimals=8)) == "0.00000001"


def test_both_formats_hold_the_same_cells():
    moment = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    cells = ["=1+1", "007", "http://example.com", Decimal("12.50"), 7, 10**16, True, None, moment, "a\x07b"]
    text, book = io.BytesIO(), io.BytesIO()
    for writer in (CsvWriter(text, ["a"] * 10), XlsxWriter(book, ["a"] * 10)):
        writer.add(cells)
        writer.close()
    line = text.getvalue().decode("utf-8-sig").splitlines()[1]
    assert line.startswith("'=1+1,007,http://example.com,12.50,7,10000000000000000,True,,2026-03-01T12:30:00+00:00,")
    found = sheet(book.getvalue())[1]
    assert found[:3] == [("s", "'=1+1"), ("s", "007"), ("s", "http://example.com")]
    assert [kind for kind, _ in found[3:7]] == ["n", "n", "s", "b"]
    assert (Decimal(found[3][1]), found[4][1], found[5][1]) == (Decimal("12.5"), "7", "10000000000000000")
    # Days since the last of 1899, as spreadsheets count.
    assert float(found[8][1]) == pytest.approx((moment - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(days=1))


def test_rows_continue_on_the_next_sheet(monkeypatch):
    monkeypatch.setattr(exports, "SHEET_ROWS_MAX", 3)
    book = io.BytesIO()
    writer = XlsxWriter(book, ["n"])
    for n in range(5):
        writer.add([n])
    writer.close()
    sheets = [[text for ((_, text),) in sheet(book.getvalue(), number)] for number in (1, 2, 3)]
    assert sheets == [["n", "0", "1"], ["n", "2", "3"], ["n", "4"]]


def test_chunks_hold_every_row_once(people, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK_ROWS", 3)
    guests = people(7)
    lines = "".join(csv_lines(User.objects.all(), [("id", lambda user: user.pk)])).lstrip("\ufeff").splitlines()
    assert lines == ["id", *[str(guest.pk) for guest in reversed(guests)]]


# --- Over the back-office


@pytest.fixture
def support(client, db):
    user = worker("support")
    client.force_login(user)
    return user


@pytest.fixture
def played(make_room, people, fund, join):
    """A settled session of four."""
    guests = people(4)
    for guest in guests:
        fund(guest, 5_000)
    return run_session(make_room(), guests, join)


def address(model: str, page: str = "export") -> str:
    return reverse(f"admin:{model}_{page}")


def test_short_list_is_exported_at_once(client, support, played):
    answer = client.get(address("payments_transfer"), {"code": "prize"})
    lines = b"".join(answer).decode("utf-8-sig").splitlines()
    assert [line.split(",")[3] for line in lines] == ["amount", "8.00", "12.00", "20.00"]
    book = client.get(address("payments_transfer", "export-xlsx"), {"code": "prize"})
    rows = sheet(b"".join(book))
    assert [row[3] for row in rows[1:]] == [("n", "8.00"), ("n", "12.00"), ("n", "20.00")]
    assert book["Content-Disposition"] == 'attachment; filename="transfer.xlsx"'
    entries = list(AuditEntry.objects.filter(action="list exported").order_by("id").values_list("actor", "after"))
    assert entries == [
        (support.pk, {"list": "payments.transfer", "filters": "code=prize", "format": "csv"}),
        (support.pk, {"list": "payments.transfer", "filters": "code=prize", "format": "xlsx"}),
    ]
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    "model",
    [
        "payments_transfer",
        "payments_account",
        "payments_adjustment",
        "payments_pot",
        "payments_job",
        "rooms_room",
        "rooms_session",
        "rooms_participant",
        "accounts_user",
        "core_auditentry",
    ],
)
def test_every_export_comes_in_both_formats(client, staff, played, model):
    client.force_login(staff)
    page = client.get(address(model, "changelist")).content.decode()
    assert "Export CSV" in page
    assert "Export XLSX" in page
    text = b"".join(client.get(address(model))).decode("utf-8-sig").splitlines()
    rows = sheet(b"".join(client.get(address(model, "export-xlsx"))))
    assert len(text) >= 1
    assert [cell for _, cell in rows[0]] == text[0].split(",")


def ask(client, **query):
    """Ask for the list of transfers as CSV: the page that explains, and the answer to its button."""
    url = address("payments_transfer")
    page = client.get(url, query)
    answer = client.post(f"{url}?{page.wsgi_request.GET.urlencode()}", {"request_key": "once"})
    return page, answer


def test_long_list_becomes_a_file(client, support, played, settings):
    settings.EXPORT_ROWS_AT_ONCE = 2
    page, answer = ask(client, code="entry_fee")
    assert "too many to be sent at once" in page.content.decode()
    export = Export.objects.get()
    assert answer["Location"] == reverse("admin:backoffice_export_change", args=[export.pk])
    waiting = client.get(answer["Location"])
    assert (waiting["Refresh"], "Waits for a worker" in waiting.content.decode()) == ("2", True)
    assert client.get(reverse("admin:backoffice_export_download", args=[export.pk])).status_code == 404

    assert export_jobs.run_next(clock=clock.now) == export
    assert export_jobs.run_next(clock=clock.now) is None
    done = client.get(answer["Location"])
    assert ("Refresh" in done, "Ready" in done.content.decode()) == (False, True)
    file = client.get(reverse("admin:backoffice_export_download", args=[export.pk]))
    lines = b"".join(file).decode("utf-8-sig").splitlines()
    assert [line.split(",")[2:4] for line in lines] == [["code", "amount"], *[["entry_fee", "10.00"]] * 4]
    export.refresh_from_db()
    assert (export.state, export.rows_done, export.attempts) == ("done", 4, 1)
    kept = export_jobs.folder() / export.file_name
    assert (kept.stat().st_mode & 0o777, len(export.file_name) > 32) == (0o600, True)
    actions = AuditEntry.objects.filter(object_type="backoffice.export").order_by("id")
    assert list(actions.values_list("action", flat=True)) == ["export requested", "export downloaded"]


def test_form_sent_twice_is_one_export(client, support, played, settings):
    settings.EXPORT_ROWS_AT_ONCE = 2
    first, second = ask(client)[1], ask(client)[1]
    assert first["Location"] == second["Location"]
    assert Export.objects.count() == 1


def made(client, **query) -> Export:
    ask(client, **query)
    done = export_jobs.run_next(clock=clock.now)
    assert done is not None
    done.refresh_from_db()
    return done


def test_only_requester_and_superuser_see_the_file(client, support, played, settings, staff):
    settings.EXPORT_ROWS_AT_ONCE = 2
    export = made(client)
    pages = [reverse(f"admin:backoffice_export_{page}", args=[export.pk]) for page in ("change", "download")]
    client.force_login(worker("finance"))
    assert [client.get(page).status_code for page in pages] == [302, 302]
    assert client.get(pages[0])["Location"] == reverse("admin:index")
    assert client.get(address("backoffice_export", "changelist")).context["cl"].result_count == 0
    client.force_login(staff)
    assert [client.get(page).status_code for page in pages] == [200, 200]
    client.logout()
    assert client.get(pages[1]).status_code == 302
    for guess in (f"/static/{export.file_name}", f"/media/{export.file_name}", f"/exports/{export.file_name}"):
        assert client.get(guess).status_code == 404


def test_lost_permission_denies_the_file(client, support, played, settings):
    settings.EXPORT_ROWS_AT_ONCE = 2
    export = made(client)
    support.groups.clear()
    assert client.get(reverse("admin:backoffice_export_download", args=[export.pk])).status_code == 403
    assert client.get(address("payments_transfer")).status_code == 403
    ask_again = Export.objects.get(pk=export.pk)
    Export.objects.filter(pk=export.pk).update(state="requested", attempts=0)
    assert export_jobs.run_next(clock=clock.now) == ask_again
    ask_again.refresh_from_db()
    assert (ask_again.state, ask_again.rows_done) == ("requested", 0)


def test_masters_export_holds_own_rooms_only(client, played, master, rival, make_room, settings):
    rival.is_master = True
    rival.save()
    make_room(actor=rival, name="The Rival's")
    settings.EXPORT_ROWS_AT_ONCE = 0
    client.force_login(master)
    client.post(address("rooms_room"), {"request_key": "1"})
    export = export_jobs.run_next(clock=clock.now)
    export.refresh_from_db()
    content = (export_jobs.folder() / export.file_name).read_text("utf-8-sig")
    assert (played.room.name in content, "The Rival's" in content) == (True, False)


# --- When the worker dies


def test_silent_run_is_taken_over(client, support, played, settings):
    settings.EXPORT_ROWS_AT_ONCE = 2
    ask(client)
    now = clock.now()
    zombie = export_jobs._claim(now=now)
    assert export_jobs._claim(now=now + timedelta(seconds=60)) is None
    heir = export_jobs._claim(now=now + timedelta(seconds=121))
    assert zombie is not None
    assert (heir.pk, heir.attempts, heir.claim != zombie.claim) == (zombie.pk, 2, True)
    with pytest.raises(export_jobs._Lost):
        export_jobs._speak(zombie, 1, now)
    Export.objects.filter(pk=heir.pk).update(heard_at=now - timedelta(hours=1))
    assert export_jobs.run_next(clock=clock.now) == heir
    heir.refresh_from_db()
    assert (heir.state, heir.attempts) == ("done", 3)
    assert [path.name for path in export_jobs.folder().iterdir()] == [heir.file_name]


def test_failing_export_is_given_up(client, support, played, settings, monkeypatch):
    settings.EXPORT_ROWS_AT_ONCE = 2
    ask(client)

    def breaks(rows):
        raise OSError("no space left on the disk")

    monkeypatch.setattr(export_jobs, "newest_first", breaks)
    for _ in range(3):
        export_jobs.run_next(clock=clock.now)
    export = Export.objects.get()
    assert (export.state, export.error, export.attempts) == ("failed", "OSError", 3)
    assert export_jobs.run_next(clock=clock.now) is None
    assert list(export_jobs.folder().iterdir()) == []


def test_prune_deletes_the_files_whose_time_is_over(client, support, played, settings):
    settings.EXPORT_ROWS_AT_ONCE = 2
    old = made(client)
    Export.objects.filter(pk=old.pk).update(expires_at=clock.now() - timedelta(seconds=1), request_key="old")
    young = made(client)
    out = io.StringIO()
    call_command("prune", stdout=out)
    assert "exports: 1" in out.getvalue()
    assert list(Export.objects.all()) == [young]
    assert [path.name for path in export_jobs.folder().iterdir()] == [young.file_name]


def test_export_query_count_is_constant(client, support, played, people, fund, settings):
    settings.EXPORT_ROWS_AT_ONCE = 2
    ask(client)
    with CaptureQueriesContext(connection) as few:
        export_jobs.run_next(clock=clock.now)
    for guest in people(20):
        fund(guest, 100)
    Export.objects.update(request_key="before")
    ask(client)
    with CaptureQueriesContext(connection) as many:
        export_jobs.run_next(clock=clock.now)
    assert len(many) == len(few)
