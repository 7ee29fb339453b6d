"""Calls of the SQL functions in ``<app>/sql`` (``core.db.functions`` installs them), each by one typed use case."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection


@dataclass(frozen=True, kw_only=True)
class Also:
    """An expression that is asked along with a function, for its own column of the answer."""

    expression: str
    arguments: Sequence[Any]
    name: str


def call(function: str, *arguments: Any, also: Also | None = None) -> dict[str, Any]:
    """Call a function in one round trip; the answer is a dict by the names of its OUT parameters, and of ``also``."""
    places = ", ".join(["%s"] * len(arguments))
    more = "" if also is None else f", {also.expression} AS {also.name}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {function}.*{more} FROM {function}({places})",
            [*(() if also is None else also.arguments), *arguments],
        )
        row = cursor.fetchone()
        assert row is not None
        return {column.name: value for column, value in zip(cursor.description, row, strict=True)}
