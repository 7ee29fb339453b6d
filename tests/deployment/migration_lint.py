"""`python -m tests.deployment.migration_lint`: what in migrations and SQL files would disturb a platform in use.

Two rules stand behind all of them. While `migrate` runs, and until the last process is replaced, the version before
works on the new schema. And no statement may hold a lock that players wait for while it reads or writes a whole
table. A table or column that the same migration makes is not in use yet and may be treated in any way.
"""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import django
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from core.db import functions
from tests.deployment import function_lint

APPS = ("accounts", "backoffice", "chat", "core", "payments", "rooms", "rounds", "webhooks")

# Those that were made before there was this check, each with the rules it breaks and why that was left so: an applied
# migration is not written anew. Whoever adds a line here says in it how a running platform bears that migration.
EXCUSED: dict[tuple[str, str], tuple[frozenset[str], str]] = {
    ("accounts", "0004_client_public_id"): (
        frozenset({"unique", "rewrite"}),
        "API clients are counted in dozens: the table is written anew within milliseconds.",
    ),
    ("chat", "0001_initial"): (
        frozenset({"code"}),
        "An index is made of this function: it is schema, and never changes.",
    ),
    ("accounts", "0011_lookalike_names"): (
        frozenset({"unseen"}),
        "It runs outside of a transaction and touches only names with letters beyond ASCII, one short UPDATE each.",
    ),
    ("payments", "0002_ledger_functions"): (
        frozenset({"foreign-key"}),
        "It is the first release itself: there are no transfers before it.",
    ),
    ("payments", "0005_seals_and_freezes"): (
        frozenset({"not-null"}),
        "Until they are replaced, processes of the first release cannot make a new token, which is done by hand and"
        " once; they book in the tokens that there are.",
    ),
    ("payments", "0008_adjustment_key_spaces"): (
        frozenset({"unique"}),
        "Adjustments are made by people: a hundred thousand of them are checked within a tenth of a second.",
    ),
    ("rooms", "0004_session_contest"): (
        frozenset({"unique", "foreign-key"}),
        "The new column is empty, so its index is built in one look over the sessions; a million take about a second.",
    ),
    ("rooms", "0006_room_conversation"): (
        frozenset({"unique", "foreign-key"}),
        "The new column is empty and rooms are few.",
    ),
    ("rooms", "0009_room_gap"): (
        frozenset({"unseen"}),
        "One short UPDATE of the rooms, which are few.",
    ),
    ("rooms", "0007_back_office_indexes"): (
        frozenset({"index"}),
        "Both hold up joins for one look over the sessions: a partial index that is all but empty, and one of a line"
        " for 16 blocks. A million sessions take about a second.",
    ),
}

ADVICE = {
    "rename": "the code before knows the old name: add the new one, write both, drop the old one a release later",
    "drop": "the code before still reads it: stop using it now, drop it a release later",
    "type": "writes the table anew under a lock: add a column of the new type and fill it in batches",
    "not-null": "the code before leaves it out: give it a db_default",
    "set-not-null": "reads the table under a lock: add a CHECK that is NOT VALID, validate it in another migration",
    "rewrite": "a default that differs from row to row rewrites the table under a lock: add it empty, fill in batches",
    "index": "nobody can write while it is built: use AddIndexConcurrently or RemoveIndexConcurrently",
    "unique": "nobody can write while it is checked: build the index concurrently, then add the constraint USING INDEX",
    "check": "reads the table under a lock: use AddConstraintNotValid, and ValidateConstraint in another migration",
    "foreign-key": "locks both tables: add the column with db_constraint=False, then NOT VALID, then validate",
    "function": "the code before calls it: add it to obsolete.txt with the next release",
    "code": "functions and triggers stand in <app>/sql: migrate installs them after the migrations",
    "unseen": "what Python does here is seen by nobody: it must go in batches, outside of a transaction",
}

_NAME = r'(?:IF EXISTS |ONLY )*"?(\w+)"?'
_CONSTANT_DEFAULT = re.compile(r"DEFAULT \(*(?:'[^']*'|-?[\d.]+|true|false|NULL|STATEMENT_TIMESTAMP\(\)|now\(\))", re.I)


@dataclass(frozen=True)
class Issue:
    rule: str
    statement: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.statement[:110]}\n      {ADVICE[self.rule]}"


def issues_of(migration: Migration, *, before: ProjectState) -> list[Issue]:
    """What this migration does that a running platform would not bear; ``before`` are the models it finds."""
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(before, editor, collect_sql=True)
    return list(_issues(_statements(editor.collected_sql)))


def _statements(collected: list[str]) -> list[str]:
    """One SQL statement each, on one line, without comments and the bodies of functions; what is no SQL is kept."""
    if any("CANNOT BE WRITTEN AS SQL" in text for text in collected):
        collected = [*collected, "PYTHON"]
    whole = ";\n".join(collected)
    whole = re.sub(r"\$(\w*)\$.*?\$\1\$", "''", whole, flags=re.DOTALL)
    whole = re.sub(r"--.*", "", whole)
    return [" ".join(text.split()) for text in whole.split(";") if text.strip()]


def _issues(statements: list[str]) -> Iterator[Issue]:
    made = {match[1] for text in statements if (match := re.match(rf"CREATE TABLE {_NAME}", text, re.I))}
    for position, text in enumerate(statements):
        if re.match(r"DROP FUNCTION", text, re.I):
            yield Issue("function", text)
        if re.match(r"(CREATE|ALTER) (OR REPLACE )?(FUNCTION|TRIGGER)", text, re.I):
            yield Issue("code", text)
        if text == "PYTHON":
            yield Issue("unseen", text)
        if re.match(r"DROP TABLE", text, re.I):
            yield Issue("drop", text)
        if re.match(r"(DROP INDEX|REINDEX) (?!CONCURRENTLY)", text, re.I):
            yield Issue("index", text)
        index = re.match(rf"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY).*? ON {_NAME}", text, re.I)
        if index and index[2] not in made:
            yield Issue("unique" if index[1] else "index", text)
        table = re.match(rf"ALTER TABLE {_NAME}", text, re.I)
        if table and table[1] not in made:
            yield from (Issue(rule, text) for rule in _rules_of_change(text, statements[position + 1 :]))


def _rules_of_change(text: str, later: list[str]) -> Iterator[str]:
    """The rules that an ALTER TABLE of a table in use breaks."""
    if re.search(r"\bRENAME\b", text, re.I):
        yield "rename"
    if re.search(r"\bDROP COLUMN\b", text, re.I):
        yield "drop"
    if re.search(r"\bALTER COLUMN \S+ (SET DATA )?TYPE\b", text, re.I):
        yield "type"
    if re.search(r"\bSET NOT NULL\b", text, re.I):
        yield "set-not-null"
    added = re.search(r'\bADD COLUMN (?:IF NOT EXISTS )?"?(\w+)"? (.*)', text, re.I)
    if added:
        yield from _rules_of_column(added[1], added[2], later)
    elif re.search(r"\bADD CONSTRAINT\b", text, re.I) and not re.search(r"\bNOT VALID$|\bUSING INDEX\b", text, re.I):
        if re.search(r"\b(UNIQUE|EXCLUDE|PRIMARY KEY)\b", text, re.I):
            yield "unique"
        else:
            yield "foreign-key" if re.search(r"\bFOREIGN KEY\b", text, re.I) else "check"


def _rules_of_column(name: str, definition: str, later: list[str]) -> Iterator[str]:
    default = "DEFAULT" in definition
    # Django gives a default to the rows there are, and takes it away from those that come.
    taken = any(re.search(rf'ALTER COLUMN "?{name}"? DROP DEFAULT', text, re.I) for text in later)
    if "NOT NULL" in definition and (not default or taken) and "GENERATED" not in definition:
        yield "not-null"
    if (default and not _CONSTANT_DEFAULT.search(definition)) or "GENERATED" in definition:
        yield "rewrite"
    if re.search(r"\b(UNIQUE|PRIMARY KEY)\b", definition):
        yield "unique"
    if "REFERENCES" in definition:
        yield "foreign-key"


def lint() -> tuple[int, list[str]]:
    """The number of migrations read, and a line for each finding that no excuse covers and each idle excuse."""
    loader = MigrationLoader(connection)
    findings = []
    keys = sorted(key for key in loader.disk_migrations if key[0] in APPS)
    for key in keys:
        found = issues_of(loader.disk_migrations[key], before=loader.project_state(key, at_end=False))
        excused = EXCUSED.get(key, (frozenset(), ""))[0]
        findings += [f"{key[0]} {key[1]}: {issue}" for issue in found if issue.rule not in excused]
        idle = excused - {issue.rule for issue in found}
        findings += [f"{key[0]} {key[1]}: excused from {rule}, which it keeps" for rule in sorted(idle)]
    findings += [f"{app} {name}: excused, but there is no such migration" for app, name in EXCUSED.keys() - set(keys)]
    gone = [signature for _, signature in functions.obsolete()]
    findings += function_lint.findings(functions.files(), obsolete=gone, known=function_lint.known())
    return len(keys), findings


def main() -> int:
    read, findings = lint()
    for finding in findings:
        print(finding)
    print(f"{read} migrations, {len(EXCUSED)} of them excused from something, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gameplatform.settings")
    django.setup()
    sys.exit(main())
