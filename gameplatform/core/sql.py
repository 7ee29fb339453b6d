"""SQL functions kept in `<app>/sql/*.sql`, installed by migrations and called by one typed use case each."""

from pathlib import Path
from typing import Any

from django.db import connection
from django.db.migrations import RunSQL


def install(file: Path) -> RunSQL:
    """A migration operation that (re)creates the functions of ``file``.

    The file holds ``CREATE OR REPLACE`` (after a ``DROP`` where OUT parameters have changed), so a later version is
    installed by one more migration with this line.
    """
    return RunSQL(file.read_text(), reverse_sql=RunSQL.noop)


def call(function: str, *arguments: Any) -> dict[str, Any]:
    """Call a set of OUT parameters' function in one round trip; the answer is a dict by parameter name."""
    places = ", ".join(["%s"] * len(arguments))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {function}({places})", arguments)
        row = cursor.fetchone()
        assert row is not None
        return {column.name: value for column, value in zip(cursor.description, row, strict=True)}
