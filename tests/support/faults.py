"""Making things go wrong in a way that no code foresees."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def broken_table(name: str) -> Iterator[None]:
    """What asks for this table meets an error that nobody foresaw."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME TO away_{name}")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE away_{name} RENAME TO {name}")
