"""Lists as files for spreadsheets, CSV and XLSX: written row by row in little memory, and never run as formulas."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO, Any, Protocol

import xlsxwriter
from django.db.models import Model, QuerySet

from core.spreadsheets import safe_cell

CHUNK_ROWS = 2_000
# A spreadsheet's number has 15 digits; what is longer stays text.
NUMBER_DIGITS_MAX = 15
# What one sheet of a workbook can hold, its headings included.
SHEET_ROWS_MAX = 1_048_576

# A column's heading and how its cell is made from a row.
Column = tuple[str, Callable[[Any], Any]]
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def csv_lines(rows: QuerySet[Any], columns: Sequence[Column]) -> Iterator[str]:
    """The lines of a CSV file, newest row first."""
    # The mark that makes a spreadsheet read the file as UTF-8.
    yield "\ufeff" + _line([heading for heading, _ in columns])
    for row in newest_first(rows):
        yield _line([safe_cell(cell(row)) for _, cell in columns])


def newest_first(rows: QuerySet[Any]) -> Iterator[Model]:
    """All ``rows`` by falling primary key, in chunks: no cursor and no transaction is held open, nothing comes twice.

    Rows that are added meanwhile have higher keys and are left out.
    """
    ordered = rows.order_by("-pk")
    chunk = list(ordered[:CHUNK_ROWS])
    while chunk:
        yield from chunk
        chunk = list(ordered.filter(pk__lt=chunk[-1].pk)[:CHUNK_ROWS])


class Writer(Protocol):
    """A file being written: its headings are in it already."""

    def add(self, cells: Sequence[Any]) -> None:
        """One more row."""

    def close(self) -> None:
        """The last bytes. Without it the file is worth nothing."""


class CsvWriter:
    """CSV into a binary file."""

    def __init__(self, file: IO[bytes], headings: Sequence[str]) -> None:
        self._file = file
        file.write(("\ufeff" + _line(headings)).encode())

    def add(self, cells: Sequence[Any]) -> None:
        self._file.write(_line([safe_cell(cell) for cell in cells]).encode())

    def close(self) -> None:
        self._file.flush()


class XlsxWriter:
    """A workbook: numbers and times as such, times in UTC, everything else as text that no spreadsheet runs.

    ``folder`` takes the parts of a large one while it is written; rows beyond one sheet go on in the next.
    """

    def __init__(self, file: IO[bytes], headings: Sequence[str], *, folder: str | None = None) -> None:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "tmpdir": folder,
        }
        self._book = xlsxwriter.Workbook(file, options)
        self._headings = headings
        self._bold = self._book.add_format({"bold": True})
        self._time = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._amounts: dict[int, Any] = {}
        self._begin_sheet()

    def add(self, cells: Sequence[Any]) -> None:
        if self._row == SHEET_ROWS_MAX:
            self._begin_sheet()
        for column, cell in enumerate(cells):
            self._put(column, cell)
        self._row += 1

    def close(self) -> None:
        self._book.close()

    def _begin_sheet(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(self._headings) - 1, 20)
        for column, heading in enumerate(self._headings):
            self._sheet.write_string(0, column, heading, self._bold)
        self._row = 1

    def _put(self, column: int, cell: Any) -> None:
        if isinstance(cell, bool):
            self._sheet.write_boolean(self._row, column, cell)
        elif isinstance(cell, int | Decimal) and _fits_number(cell):
            self._sheet.write_number(self._row, column, cell, self._format_of(cell))
        elif isinstance(cell, datetime):
            self._sheet.write_datetime(self._row, column, cell.astimezone(UTC).replace(tzinfo=None), self._time)
        else:
            self._sheet.write_string(self._row, column, safe_cell(cell))

    def _format_of(self, number: int | Decimal) -> Any:
        exponent = number.as_tuple().exponent if isinstance(number, Decimal) else 0
        decimals = -exponent if isinstance(exponent, int) and exponent < 0 else 0
        if decimals not in self._amounts:
            self._amounts[decimals] = self._book.add_format({"num_format": f"0.{'0' * decimals}" if decimals else "0"})
        return self._amounts[decimals]


def _fits_number(value: int | Decimal) -> bool:
    if isinstance(value, int):
        return abs(value) < 10**NUMBER_DIGITS_MAX
    return value.is_finite() and len(value.as_tuple().digits) <= NUMBER_DIGITS_MAX


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
