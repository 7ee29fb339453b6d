import dataclasses
import io
import tomllib
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.core.management.commands import migrate as django_migrate
from django.db import ProgrammingError, connection

from core.db import functions
from core.db.functions import SqlFile

pytestmark = pytest.mark.django_db

HEARD = "webhooks/heard"
ANSWER = "WHERE e.disabled_at IS NULL AND e.types @> ARRAY[p_type]::varchar[])\n$$;"


@pytest.fixture(autouse=True)
def _installed():
    """Every test begins with the functions of this code, which the test's own transaction takes back."""
    assert functions.differing() == []


@pytest.fixture
def edit(monkeypatch):
    """``edit(name, old, new)``: the code as if that file had been edited so."""

    def edited(name: str, old: str, new: str) -> None:
        before = functions.files()
        assert [old in file.text for file in before if file.name == name] == [True]
        after = [
            dataclasses.replace(file, text=file.text.replace(old, new)) if file.name == name else file
            for file in before
        ]
        monkeypatch.setattr(functions, "files", lambda: after)

    return edited


def one(query: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def run(query: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query)


def migrate(**options: object) -> str:
    out = io.StringIO()
    call_command("migrate", interactive=False, stdout=out, **options)
    return out.getvalue()


def test_migrate_installs_an_edited_function(edit):
    assert one("SELECT webhook_heard('x')") is False
    edit(HEARD, ANSWER, ANSWER.replace(")\n$$", ") OR true\n$$"))
    assert functions.differing() == [HEARD]
    said = migrate()
    assert "No migrations to apply." in said
    assert f"Installed {HEARD}" in said
    assert one("SELECT webhook_heard('x')") is True
    assert functions.differing() == []
    assert "Installed" not in migrate()


def test_control_djangos_own_migrate_leaves_the_old_function(edit):
    edit(HEARD, ANSWER, ANSWER.replace(")\n$$", ") OR true\n$$"))
    out = io.StringIO()
    call_command(django_migrate.Command(), interactive=False, skip_checks=True, stdout=out)
    assert "No migrations to apply." in out.getvalue()
    assert one("SELECT webhook_heard('x')") is False
    assert functions.differing() == [HEARD]


def test_a_file_that_fails_installs_nothing(edit):
    edit("core/row_is_immutable", "BEGIN", "BEGIN ")
    edit("rooms/session_leave", "LANGUAGE plpgsql", "LANGUAGE gibberish")
    with pytest.raises(ProgrammingError):
        migrate()
    assert functions.differing() == ["core/row_is_immutable", "rooms/session_leave"]


def test_plan_and_check_tell_what_would_be_installed(edit):
    assert migrate(check_unapplied=True) is not None
    edit(HEARD, ANSWER, ANSWER + "\n")
    assert HEARD in migrate(plan=True)
    with pytest.raises(SystemExit):
        migrate(check_unapplied=True)
    assert functions.differing() == [HEARD]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (
            "CREATE OR REPLACE FUNCTION webhook_heard(p_type text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
            HEARD,
        ),
        ("DROP FUNCTION webhook_heard(text)", HEARD),
        ("ALTER TABLE payments_transfer DISABLE TRIGGER transfer_no_update_delete", "payments/ledger_guard"),
        ("DROP TRIGGER audit_entry_no_truncate ON core_auditentry", "core/audit_guard"),
    ],
    ids=["changed", "dropped", "switched off", "trigger dropped"],
)
def test_a_change_by_hand_is_named_and_repaired(change, name):
    run(change)
    assert functions.differing() == [name]
    with pytest.raises(SystemCheckError, match=f"other SQL functions than this code: {name}"):
        call_command("check", databases=["default"])
    assert f"Installed {name}" in migrate()
    assert functions.differing() == []
    call_command("check", databases=["default"])


def test_settings_of_a_function_survive_its_installation(edit):
    edit("rounds/places", "SELECT 1 + count(*)", "SELECT 1 + count(*) ")
    migrate()
    query = "SELECT array_to_string(proconfig, ',') FROM pg_proc WHERE proname = 'contest_rank'"
    assert one(query) == "enable_seqscan=off,enable_bitmapscan=off"


def test_an_obsolete_function_is_dropped_by_its_release(monkeypatch):
    run("CREATE FUNCTION late(bigint) RETURNS int LANGUAGE sql AS 'SELECT 1'")
    exists = "SELECT to_regprocedure('late(bigint)') IS NOT NULL"
    monkeypatch.setattr(functions, "obsolete", lambda: [("0.10.0", "late(bigint)")])
    monkeypatch.setattr(functions, "RELEASE", "0.9.1")
    migrate()
    assert one(exists) is True
    monkeypatch.setattr(functions, "RELEASE", "0.10.0")
    assert "Dropped late(bigint)" in migrate()
    assert one(exists) is False


def test_each_file_comes_after_those_it_needs():
    seen: set[str] = set()
    for file in functions.files():
        assert seen.issuperset(file.needs)
        seen.add(file.name)
    assert {"core/row_is_immutable", "payments/ledger_post", "rooms/session_join"} <= seen


def test_the_release_is_the_version_of_the_project():
    project = tomllib.loads(Path(settings.BASE_DIR, "pyproject.toml").read_text())["project"]
    assert project["version"] == functions.RELEASE


@pytest.mark.django_db(transaction=True)
def test_verify_ledger_names_other_functions(edit):
    said = io.StringIO()
    edit(HEARD, ANSWER, ANSWER + "\n")
    call_command("verify_ledger", stdout=io.StringIO(), stderr=said)
    assert f"other SQL functions than this code: {HEARD}" in said.getvalue()


def test_a_file_knows_its_functions_and_triggers():
    text = (
        "-- Needs: core/a, core/b\nCREATE OR REPLACE FUNCTION one(p int) RETURNS int LANGUAGE sql AS $$SELECT 1$$;\n"
        "CREATE OR REPLACE TRIGGER two BEFORE INSERT\n    ON three FOR EACH ROW EXECUTE FUNCTION four('five');\n"
    )
    file = SqlFile("core/c", text)
    assert (file.needs, file.functions) == (["core/a", "core/b"], ["one"])
    assert {fact[:2] for fact in file.facts} == {("file", "core/c"), ("function", "one"), ("trigger", "three.two")}
