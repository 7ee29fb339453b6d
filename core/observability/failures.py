"""What the log may hold of an exception that nobody foresaw."""

import traceback

from django.db import Error as DatabaseError


def describe(exception: BaseException) -> str:
    """The exception's kind, place and causes, fit for the log.

    PostgreSQL's own texts quote the rows they complain about, password hashes and all: of a database error only
    the SQLSTATE and the constraint are kept.
    """
    parts = []
    link: BaseException | None = exception
    while link is not None:
        parts.append(f"{_title(link)}\n{''.join(traceback.format_tb(link.__traceback__))}")
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "caused by ".join(parts)


def _title(exception: BaseException) -> str:
    name = type(exception).__qualname__
    if isinstance(exception, DatabaseError) or hasattr(exception, "sqlstate"):
        diagnosis = getattr(exception.__cause__ or exception, "diag", None)
        facts = [getattr(diagnosis, fact, None) for fact in ("sqlstate", "constraint_name")]
        return " ".join([name, *filter(None, facts)])
    return f"{name}: {exception}"
