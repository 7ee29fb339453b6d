"""A backup is restored into another database and holds the same money; nothing is replaced by mistake or by half."""

import os
import subprocess
import sys
from io import StringIO

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from core.db import clock
from core.sealing import seal_rows
from gameplatform.launcher import dumps
from payments.models import Account, LedgerSeal, Transfer
from payments.seals import LEDGER
from tests.support.servers import environment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def elsewhere():
    """The name of an empty database beside the tests' own."""
    name = f"{connection.settings_dict['NAME']}_restored"
    with psycopg.connect(**_server(), autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}"')
        yield name
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _server(name: str = "postgres") -> dict:
    where = connection.get_connection_params()
    return {key: where[key] for key in ("host", "port", "user", "password") if where.get(key)} | {"dbname": name}


@pytest.fixture
def books(player, rival, fund):
    """Two deposits, sealed."""
    fund(player, 1_000)
    fund(rival, 500)
    seal_rows(LEDGER, now=clock.now())


@pytest.fixture
def manage(tmp_path, elsewhere):
    """``manage("restore", file)``: a command on the other database, as a process of its own."""

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        variables = environment(tmp_path)
        variables["DATABASE_URL"] = variables["DATABASE_URL"].replace(connection.settings_dict["NAME"], elsewhere)
        return subprocess.run(
            [sys.executable, "manage.py", *map(str, words)],
            cwd=settings.BASE_DIR,
            env=variables,
            capture_output=True,
            text=True,
            timeout=100,
        )

    return run


def backup(file) -> str:
    out = StringIO()
    call_command("backup", str(file), stdout=out)
    return out.getvalue()


def rows(name: str, query: str) -> list:
    with psycopg.connect(**_server(name)) as other:
        return other.execute(query).fetchall()


TRANSFERS = "SELECT id, tx_hash FROM payments_transfer ORDER BY id"


def test_what_was_backed_up_is_restored_verified_and_still_guarded(books, tmp_path, manage, elsewhere):
    file = tmp_path / "gold.dump"
    assert " MB in " in backup(file)
    assert file.stat().st_mode & 0o777 == 0o600
    dry = manage("restore", file, "--dry-run")
    assert "Would replace 0 tables by the" in dry.stdout
    assert rows(elsewhere, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]

    done = manage("restore", file)
    assert done.returncode == 0, done.stderr
    assert "The ledger is right: 2 transfers, 3 accounts, 0 sessions" in done.stdout
    assert f"digest {LedgerSeal.objects.get().digest}" in done.stdout
    assert rows(elsewhere, TRANSFERS) == list(Transfer.objects.order_by("id").values_list("id", "tx_hash"))
    assert rows(elsewhere, "SELECT id, balance_minor FROM payments_account ORDER BY id") == list(
        Account.objects.order_by("id").values_list("id", "balance_minor")
    )
    with psycopg.connect(**_server(elsewhere)) as other, pytest.raises(psycopg.DatabaseError, match="append-only"):
        other.execute("DELETE FROM payments_transfer")

    # Not a second time by mistake; with --yes it gives the same again, over whatever was there.
    refused = manage("restore", file)
    assert refused.returncode == 1
    assert "The database is not empty" in refused.stderr
    with psycopg.connect(**_server(elsewhere)) as other:
        other.execute("CREATE TABLE leftover AS SELECT 1 AS n")
        other.execute("UPDATE payments_account SET balance_minor = 7 WHERE kind = 'wallet'")
    again = manage("restore", file, "--yes")
    assert again.returncode == 0, again.stderr
    assert "The ledger is right: 2 transfers" in again.stdout
    assert rows(elsewhere, "SELECT to_regclass('leftover')") == [(None,)]


def test_the_chain_goes_on_after_a_restore(books, tmp_path, manage, elsewhere):
    backup(tmp_path / "gold.dump")
    assert manage("restore", tmp_path / "gold.dump").returncode == 0
    last = Transfer.objects.latest("id").pk
    with psycopg.connect(**_server(elsewhere)) as other:
        # What posted is undone; the sequence counts on from where the backup left it.
        row = other.execute("SELECT nextval('payments_transfer_id_seq')").fetchone()
        assert row is not None
        (after,) = row
    assert after == last + 1
    assert "0 transfers sealed in 0 seals; " in manage("seal_ledger").stdout
    assert manage("verify_ledger").returncode == 0


def test_a_damaged_backup_leaves_the_database_as_it_was(books, tmp_path, manage, elsewhere):
    file = tmp_path / "gold.dump"
    backup(file)
    assert manage("restore", file).returncode == 0
    damaged = tmp_path / "damaged.dump"
    damaged.write_bytes(file.read_bytes()[:-100])
    done = manage("restore", damaged, "--yes")
    assert done.returncode == 1
    assert "The restore failed and was undone" in done.stderr
    assert rows(elsewhere, TRANSFERS) == list(Transfer.objects.order_by("id").values_list("id", "tx_hash"))


def test_what_is_no_backup_is_refused_before_anything_happens(tmp_path, manage, elsewhere):
    (tmp_path / "text").write_text("not a dump")
    for word, sentence in (("text", "pg_restore failed"), ("missing", "There is no file")):
        done = manage("restore", tmp_path / word)
        assert done.returncode == 1
        assert sentence in done.stderr


def test_a_backup_replaces_no_file_and_a_dry_run_writes_none(books, tmp_path):
    file = tmp_path / "gold.dump"
    out = StringIO()
    call_command("backup", str(file), "--dry-run", stdout=out)
    assert "Would write" in out.getvalue()
    assert list(tmp_path.iterdir()) == []
    file.write_text("precious")
    with pytest.raises(CommandError, match="exists already"):
        backup(file)
    assert file.read_text() == "precious"
    with pytest.raises(CommandError, match="is no folder"):
        backup(tmp_path / "no" / "gold.dump")


def test_programs_of_another_version_are_not_taken(tmp_path, monkeypatch):
    for name in ("pg_dump", "pg_restore", "psql", "postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    if os.path.isdir(f"/usr/lib/postgresql/{connection.pg_version // 10_000}/bin"):  # type: ignore[attr-defined]
        assert dumps.find_programs().folder != tmp_path
    else:
        with pytest.raises(dumps.DumpError, match=r"was found\. Set PG_BIN"):
            dumps.find_programs()
