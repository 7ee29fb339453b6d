"""Two database roles in tests: the connection's own is the owner's, and it works as the application's."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

APPLICATION_ROLE = "gameplatform_tests"


@contextmanager
def as_owner() -> Iterator[None]:
    """Inside, the connection may do what the owner of the tables may."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
    try:
        yield
    except BaseException:
        # In a transaction, what rolls it back takes the role along.
        if not connection.in_atomic_block:
            connection.close()
        raise
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
