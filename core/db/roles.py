"""Two database roles: an owner that migrates and restores, and the application's, which owns nothing.

``DATABASE_URL`` is the application's role: it reads and writes rows, and can neither switch triggers off nor empty,
change or drop a table. ``DATABASE_OWNER_URL`` is the owner's; without it one role does both, and ``check`` warns.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connection

WHO_AND_WHERE = ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")

_GRANTS = """
    GRANT USAGE ON SCHEMA public TO {role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}
"""
_OWNS_TABLES = """
    SELECT EXISTS (SELECT 1 FROM pg_class
        WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND pg_has_role(relowner, 'MEMBER'))
"""


@contextmanager
def as_owner() -> Iterator[Mapping[str, Any] | None]:
    """Inside, the connection is the owner's; gives the application's settings, ``None`` when one role does both.

    For commands: no transaction may be open.
    """
    if settings.DATABASE_OWNER is None:
        yield None
        return
    here: dict[str, Any] = connection.settings_dict
    kept = {name: here[name] for name in WHO_AND_WHERE}
    connection.close()
    here.update({name: settings.DATABASE_OWNER[name] for name in WHO_AND_WHERE})
    try:
        yield kept
    finally:
        connection.close()
        here.update(kept)


def prepare(application: Mapping[str, Any]) -> None:
    """As the owner: make the application's role if there is none, and let it use what this owner has and will make."""
    name, password = application["USER"], application["PASSWORD"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE ROLE {connection.ops.quote_name(name)} LOGIN {_secret(name, password)}")
    grant(name)


def grant(role: str) -> None:
    """Let ``role`` use the tables and sequences of the present role, also those that come."""
    with connection.cursor() as cursor:
        cursor.execute(_GRANTS.format(role=connection.ops.quote_name(role)))


def owns_tables() -> bool:
    """Whether the present role could change tables and switch their triggers off."""
    with connection.cursor() as cursor:
        cursor.execute(_OWNS_TABLES)
        return bool(cursor.fetchone()[0])


def check_role(databases: Sequence[str] | None = None, **kwargs: object) -> list[CheckMessage]:
    """System check of ``check --database default``: the application owns no table."""
    if not databases or not owns_tables():
        return []
    hint = "Set DATABASE_OWNER_URL, and another role in DATABASE_URL (docs/operations.md, 'Two database roles')."
    return [
        Warning("The application's database role owns tables: it can switch their guards off.", hint, id="core.W002")
    ]


def _secret(name: str, password: str) -> str:
    """The password as PostgreSQL keeps it: its log never has the plain one."""
    if not password:
        return ""
    connection.ensure_connection()
    pgconn = connection.connection.pgconn
    kept = pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    return f"PASSWORD '{kept}'"
