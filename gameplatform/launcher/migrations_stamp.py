"""Whether ``manage.py migrate`` would do nothing: it costs seconds of every start, and nearly always does nothing."""

import hashlib
from pathlib import Path

import psycopg

from gameplatform.launcher.paths import BASE_DIR, Layout


def current(database_url: str) -> str:
    """A digest of the migrations and SQL functions in the code and of those recorded in the database.

    Either side that changes (an upgrade, a restored dump, another database) changes it.
    Raises ``psycopg.Error`` when the database has no such record or cannot be asked.
    """
    digest = hashlib.sha256((BASE_DIR / "requirements.txt").read_bytes())
    patterns = ("*/migrations/*.py", "gameplatform/*/migrations/*.py", "*/sql/*", "core/db/functions.py")
    files = {path for pattern in patterns for path in BASE_DIR.glob(pattern)}
    for path in sorted(files):
        digest.update(str(path.relative_to(BASE_DIR)).encode() + path.read_bytes())
    with psycopg.connect(database_url, connect_timeout=5, autocommit=True) as connection:
        # The size and the last time tell every history of this table apart: rows are only ever added or removed.
        row = connection.execute("SELECT count(*), max(id), max(applied)::text FROM django_migrations").fetchone()
        installed = connection.execute("SELECT name, digest FROM core_sqlfile ORDER BY name").fetchall()
    digest.update(f"{database_url}{row}{installed}".encode())
    return digest.hexdigest()


def is_up_to_date(layout: Layout, database_url: str) -> bool:
    """Whether nothing has changed since ``record``. When in doubt, no: migrating twice is harmless."""
    stamp: Path = layout.migrations_stamp
    try:
        return stamp.is_file() and stamp.read_text() == current(database_url)
    except psycopg.Error:
        return False


def record(layout: Layout, database_url: str) -> None:
    """Remember that everything is migrated now."""
    try:
        layout.migrations_stamp.write_text(current(database_url))
    except psycopg.Error:
        # A URL that Django takes and libpq does not: then every start migrates.
        layout.migrations_stamp.unlink(missing_ok=True)
