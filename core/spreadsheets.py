"""Cells of files for spreadsheets, which show them and never run them: the one place that knows how."""

import re
from datetime import datetime
from decimal import Decimal

# What makes a spreadsheet take a cell for a formula, also behind leading spaces.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


def safe_cell(value: object) -> str:
    """``value`` as the text of a cell; what would be run as a formula gets an apostrophe in front, numbers do not."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    # No exponent: 1E-8 is no amount.
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if text.lstrip(" ").startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
