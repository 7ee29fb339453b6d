"""Lists as CSV files that a spreadsheet shows and never runs."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse

ROWS_MAX = 100_000
CHUNK_ROWS = 2_000
# What makes a spreadsheet take a cell for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)

# A column's heading and how its cell is made from a row.
Column = tuple[str, Callable[[Any], Any]]


def safe_cell(value: object) -> str:
    """``value`` as the text of a CSV cell; what a spreadsheet would run as a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value)
    # Leading spaces do not stop a spreadsheet from looking for a formula behind them.
    if text.lstrip(" ").startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def csv_response(*, rows: QuerySet[Any], columns: Sequence[Column], name: str) -> StreamingHttpResponse:
    """The newest ``ROWS_MAX`` of ``rows`` as a download, read in chunks by id so that no server-side cursor is held."""
    response = StreamingHttpResponse(_lines(rows, columns), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _lines(rows: QuerySet[Any], columns: Sequence[Column]) -> Iterator[str]:
    # The mark that makes a spreadsheet read the file as UTF-8.
    yield "\ufeff" + _line([heading for heading, _ in columns])
    for row in _newest_first(rows):
        yield _line([safe_cell(cell(row)) for _, cell in columns])


def _newest_first(rows: QuerySet[Any]) -> Iterator[Model]:
    ordered, left = rows.order_by("-pk"), ROWS_MAX
    chunk = list(ordered[: min(CHUNK_ROWS, left)])
    while chunk:
        yield from chunk
        left -= len(chunk)
        if left <= 0:
            return
        chunk = list(ordered.filter(pk__lt=chunk[-1].pk)[: min(CHUNK_ROWS, left)])


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
