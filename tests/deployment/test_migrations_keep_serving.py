"""The check of migrations and SQL files (``migration_lint``): today's pass, and each rule finds what breaks it."""

from typing import Any

import pytest
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader

from core.db.functions import SqlFile
from tests.deployment import function_lint, migration_lint

pytestmark = pytest.mark.django_db

NOTHING = migrations.RunSQL.noop


def rules(*operations: Any, atomic: bool = True) -> list[str]:
    """The rules that a next migration of the rooms with these operations would break."""
    late: Any = migrations.Migration("9999_late", "rooms")
    late.operations, late.atomic = list(operations), atomic
    state = MigrationLoader(connection).project_state()
    return [issue.rule for issue in migration_lint.issues_of(late, before=state)]


def test_every_migration_keeps_serving_or_is_excused_with_a_reason():
    read, findings = migration_lint.lint()
    assert read >= 24
    assert findings == []
    assert all(len(reason) > 30 for _, reason in migration_lint.EXCUSED.values())


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        (migrations.RenameField("session", "code", "label"), "rename"),
        (migrations.RenameModel("Outcome", "Ending"), "rename"),
        (migrations.RemoveField("room", "symbol"), "drop"),
        (migrations.DeleteModel("SubmittedResult"), "drop"),
        (migrations.AlterField("participant", "rank", models.BigIntegerField(null=True)), "type"),
        (migrations.AddField("session", "note", models.CharField(max_length=9, default="")), "not-null"),
        (migrations.AlterField("room", "symbol", models.CharField(max_length=255)), "set-not-null"),
        (migrations.AddField("session", "tag", models.UUIDField(db_default=RandomUUID())), "rewrite"),
        (migrations.AddIndex("participant", models.Index(fields=["joined_at"], name="late")), "index"),
        (migrations.RemoveIndex("participant", "participant_room"), "index"),
        (
            migrations.AddConstraint(
                "participant", models.UniqueConstraint(fields=["entry_tx_hash"], name="late_unique")
            ),
            "unique",
        ),
        (
            migrations.AddConstraint(
                "participant", models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="late_check")
            ),
            "check",
        ),
        (migrations.RunSQL("DROP FUNCTION leave_session(bigint, bigint, text, uuid, timestamptz)"), "function"),
        (migrations.RunSQL("CREATE OR REPLACE FUNCTION late() RETURNS int LANGUAGE sql AS $$SELECT 1$$"), "code"),
        (migrations.RunPython(lambda apps, editor: None), "unseen"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_migration_that_would_disturb_is_found(operation, rule):
    assert rule in rules(operation)


def test_migrations_that_disturb_nobody_pass():
    size = models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="late_check")
    assert (
        rules(
            migrations.AddField("session", "note", models.CharField(max_length=9, db_default="")),
            migrations.AddField("session", "seen_at", models.DateTimeField(null=True)),
            migrations.CreateModel(
                "Late", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(unique=True))]
            ),
            migrations.AddField("late", "other", models.ForeignKey("rooms.room", models.CASCADE)),
            AddConstraintNotValid("participant", size),
            migrations.RunSQL("DO $$ BEGIN DROP TABLE IF EXISTS nothing; END $$;", NOTHING),
        )
        == []
    )


FILE = SqlFile("rooms/a", "CREATE OR REPLACE FUNCTION one(p int) RETURNS int LANGUAGE sql AS $$SELECT 1; DROP$$;")
KNOWN = ["one(p int) RETURNS int"]


def test_unchanged_functions_pass():
    assert list(function_lint.findings([FILE], obsolete=["gone(int)"], known=[*KNOWN, "gone(p int)"])) == []


@pytest.mark.parametrize(
    ("text", "obsolete", "finding"),
    [
        (FILE.text.replace("p int", "p bigint"), [], "A changed signature is a new name"),
        (FILE.text.replace("RETURNS int", "RETURNS bigint"), [], "A changed signature is a new name"),
        (FILE.text.replace("FUNCTION one", "FUNCTION two"), [], "one: the code before calls it"),
        (FILE.text.replace("FUNCTION one", "FUNCTION two"), ["one(int)"], "two: add this line"),
        (FILE.text, ["one(int)"], "is in obsolete.txt and in a file"),
        (FILE.text + "DROP FUNCTION one(int);", [], "only CREATE OR REPLACE"),
        (FILE.text + "ALTER TABLE rooms_room SET (fillfactor = 70);", [], "only CREATE OR REPLACE"),
        (FILE.text.replace("SELECT 1", "SELECT other(1)"), [], "does not say that it needs rooms/b"),
        ("-- Needs: rooms/b\n" + FILE.text, [], "does not need rooms/b"),
    ],
)
def test_a_function_file_that_would_disturb_is_found(text, obsolete, finding):
    other = SqlFile("rooms/b", FILE.text.replace("FUNCTION one", "FUNCTION other"))
    known = [*KNOWN, "other(p int) RETURNS int"]
    found = list(function_lint.findings([SqlFile("rooms/a", text), other], obsolete=obsolete, known=known))
    assert len([line for line in found if finding in line]) == 1, found


@pytest.mark.django_db(transaction=True)
def test_an_index_that_is_built_beside_the_players_passes():
    concurrently = AddIndexConcurrently("participant", models.Index(fields=["joined_at"], name="late"))
    assert rules(concurrently, atomic=False) == []
