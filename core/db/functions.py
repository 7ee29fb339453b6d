"""SQL functions and triggers: the files in ``<app>/sql`` are what the database runs.

``manage.py migrate`` calls ``install`` once the schema is up to date; the system check, the probes and the verifier ask
``differing``. A file holds only ``CREATE OR REPLACE FUNCTION`` and ``… TRIGGER``; settings of a function
stand in its ``SET`` clause. A line ``-- Needs: app/file, app/file`` names the files that are installed before it.

Releases overlap while they are rolled out, so a signature never changes: a new signature is a new name. The old
function goes to ``<app>/sql/obsolete.txt`` with the release that drops it, one after the release that stops calling it.
"""

import functools
import graphlib
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.apps import apps
from django.core.checks import CheckMessage, Error
from django.db import ProgrammingError, connection

from core.db.transactions import use_case

RELEASE = "0.2.0"

_NEEDS = re.compile(r"^-- Needs: (.+)$", re.MULTILINE)
_FUNCTION = re.compile(r"^CREATE OR REPLACE FUNCTION (\w+)\(.*?\bAS (\$\w*\$)(.*?)\2", re.MULTILINE | re.DOTALL)
_TRIGGER = re.compile(
    r"^CREATE OR REPLACE TRIGGER (\w+) .*?\bON (\w+)\b.*?\bEXECUTE FUNCTION (\w+)\(", re.MULTILINE | re.DOTALL
)

# The database's own facts, in the form of ``SqlFile.facts``.
_FACTS = """
    SELECT 'file', name, digest FROM core_sqlfile
    UNION ALL SELECT 'function', proname, md5(prosrc) FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname = ANY (%s)
    UNION ALL SELECT 'trigger', c.relname || '.' || t.tgname, p.proname FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
"""


@dataclass(frozen=True)
class SqlFile:
    """One file of functions and triggers; ``name`` is ``app/file`` without the suffix."""

    name: str
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def needs(self) -> list[str]:
        return [name.strip() for line in _NEEDS.findall(self.text) for name in line.split(",")]

    @property
    def functions(self) -> list[str]:
        return [name for name, _, _ in _FUNCTION.findall(self.text)]

    @functools.cached_property
    def facts(self) -> frozenset[tuple[str, str, str]]:
        """Facts of a database that runs this file: its digest, its functions' bodies, its triggers."""
        return frozenset(
            [
                ("file", self.name, self.digest),
                *(
                    ("function", name, hashlib.md5(body.encode(), usedforsecurity=False).hexdigest())
                    for name, _, body in _FUNCTION.findall(self.text)
                ),
                *(("trigger", f"{table}.{name}", function) for name, table, function in _TRIGGER.findall(self.text)),
            ]
        )


@functools.cache
def files() -> Sequence[SqlFile]:
    """All SQL files of this code, read once, each after those it needs."""
    found = {}
    for folder, label in _folders():
        for path in sorted(folder.glob("*.sql")):
            file = SqlFile(name=f"{label}/{path.stem}", text=path.read_text())
            found[file.name] = file
    order = graphlib.TopologicalSorter({name: file.needs for name, file in found.items()}).static_order()
    return [found[name] for name in order]


def obsolete() -> list[tuple[str, str]]:
    """The release that drops it and the signature, for each function that this code no longer calls."""
    return [
        (release, signature)
        for folder, _ in _folders()
        if (folder / "obsolete.txt").is_file()
        for line in (folder / "obsolete.txt").read_text().splitlines()
        if line and not line.startswith("#")
        for release, _, signature in [line.partition(" ")]
    ]


def differing() -> list[str]:
    """The names of the files that the database runs otherwise, or not at all. One query."""
    names = [name for file in files() for name in file.functions]
    try:
        with connection.cursor() as cursor:
            cursor.execute(_FACTS, [names])
            facts = set(cursor.fetchall())
    except ProgrammingError:
        # The table of digests comes with a migration.
        facts = set()
    return [file.name for file in files() if not file.facts <= facts]


@use_case
def install(*, now: datetime) -> list[str]:
    """Install the files that the database runs otherwise and drop what is obsolete; returns what was done."""
    with connection.cursor() as cursor:
        # One migrate at a time; readers of the digests go on.
        cursor.execute("LOCK TABLE core_sqlfile IN SHARE ROW EXCLUSIVE MODE")
        names = differing()
        for file in files():
            if file.name in names:
                cursor.execute(file.text)
                cursor.execute(
                    "INSERT INTO core_sqlfile (name, digest, installed_at) VALUES (%s, %s, %s) ON CONFLICT (name)"
                    " DO UPDATE SET digest = excluded.digest, installed_at = excluded.installed_at",
                    [file.name, file.digest, now],
                )
        cursor.execute("DELETE FROM core_sqlfile WHERE NOT name = ANY (%s)", [[file.name for file in files()]])
        dropped = []
        for release, signature in obsolete():
            cursor.execute("SELECT to_regprocedure(%s) IS NOT NULL", [signature])
            if _is_due(release) and cursor.fetchone() == (True,):
                cursor.execute(f"DROP FUNCTION {signature}")
                dropped.append(signature)
    return [*(f"Installed {name}" for name in names), *(f"Dropped {signature}" for signature in dropped)]


def check_installed(databases: Sequence[str] | None = None, **kwargs: object) -> list[CheckMessage]:
    """System check of ``check --database default``: the database runs the functions of this code."""
    names = differing() if databases else []
    if not names:
        return []
    hint = "manage.py migrate installs those of this code."
    return [Error(f"The database runs other SQL functions than this code: {', '.join(names)}", hint, id="core.E001")]


def _folders() -> list[tuple[Path, str]]:
    return sorted((Path(app.path) / "sql", app.label) for app in apps.get_app_configs())


def _is_due(release: str) -> bool:
    return [int(part) for part in release.split(".")] <= [int(part) for part in RELEASE.split(".")]
