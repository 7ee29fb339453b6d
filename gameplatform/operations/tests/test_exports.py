import pytest

from gameplatform.accounts.models import User
from gameplatform.backoffice import exports
from gameplatform.backoffice.exports import csv_response, safe_cell


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", '=HYPERLINK("http://x")', "-cmd|'/c'!A1"],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-10.00", "12.50", "0", "-7", "a name", "a=b", "", "1-2"])
def test_plain_text_and_numbers_stay_as_they_are(text):
    assert safe_cell(text) == text


def test_a_download_has_every_row_once_newest_first_over_several_chunks(people, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK_ROWS", 3)
    guests = people(7)
    response = csv_response(rows=User.objects.all(), columns=[("id", lambda user: user.pk)], name="users")
    lines = b"".join(response).decode("utf-8-sig").splitlines()
    assert lines == ["id", *[str(guest.pk) for guest in reversed(guests)]]


def test_a_download_ends_at_the_most_rows_there_may_be(people, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK_ROWS", 3)
    monkeypatch.setattr(exports, "ROWS_MAX", 5)
    people(7)
    response = csv_response(rows=User.objects.all(), columns=[("id", lambda user: user.pk)], name="users")
    assert len(list(response)) == 6
