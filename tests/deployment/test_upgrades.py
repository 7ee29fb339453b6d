"""A database of the first release, with money in flight, under today's code (``fixtures/first_release.sql``)."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from core.db import functions
from tests.deployment import compose

pytestmark = pytest.mark.timeout(180)

MIGRATIONS = settings.BASE_DIR / "rooms" / "migrations"
FIXTURE = Path(__file__).parent / "fixtures" / "first_release.sql"
LOCK_TIMEOUT = compose.service("migrate", {"ALLOWED_HOSTS": "x"}).environment["PGOPTIONS"]
# By the player's number in the fixture, after the players' first money and what they have won and lost there.
WALLETS = {1: 7_533, 2: 9_902, 3: 10_170, 4: 8_770, 5: 9_672, 6: 8_439, 7: 9_757}
ESCROWS = {"mill": 4 * 333, "chapel": 250, "lighthouse": 3 * 1_234, "empty barn": 0}
ISSUED = 69_527
LAST_SESSION = 7


class Database:
    """A database beside the tests' own, and management commands on it as in production."""

    def __init__(self, name: str) -> None:
        given = connection.settings_dict
        self._at = {"host": given["HOST"], "port": given["PORT"], "user": given["USER"], "password": given["PASSWORD"]}
        self._name = name

    def connect(self, name: str | None = None) -> psycopg.Connection:
        return psycopg.connect(**self._at, dbname=name or self._name, autocommit=True)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect() as open_connection:
            return open_connection.execute(query).fetchall()

    def run(self, *words: str, code: Path = settings.BASE_DIR, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py`` of this code, or of another release in the folder ``code``."""
        return subprocess.run(
            [sys.executable, code / "manage.py", *words],
            cwd=code,
            env={
                "PATH": os.environ["PATH"],
                "SECRET_KEY": "a-key-of-the-upgrade-test-that-is-long-enough-0123456789",
                "FIELD_ENCRYPTION_KEYS": f"field:{settings.DEVELOPMENT_SECRET}",
                "SEAL_KEYS": f"seal:{settings.DEVELOPMENT_SECRET}",
                "DATABASE_URL": f"postgres:///{self._name}?{urlencode(self._at)}",
                # Nobody is there: no sign of life of this database's sessions reaches another test.
                "REDIS_URL": "redis://127.0.0.1:1/0",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def manage(self, *words: str, code: Path = settings.BASE_DIR) -> str:
        run = self.run(*words, code=code)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout


@pytest.fixture
def database() -> Iterator[Database]:
    tested = Database(f"test_first_release_{uuid.uuid4().hex[:8]}")
    name = psycopg.sql.Identifier(tested._name)
    with tested.connect("postgres") as server:
        server.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    with tested.connect() as open_connection:
        open_connection.execute(FIXTURE.read_bytes())
    yield tested
    with tested.connect("postgres") as server:
        server.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def books(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All that an upgrade has to leave as it was, in columns that the first release had."""
    queries = {
        "accounts": "SELECT id, kind, owner_id, escrow_id, token_id, balance_minor FROM payments_account ORDER BY id",
        "transfers": "SELECT id, debit_account_id, credit_account_id, amount_minor, code, reference, idempotency_key,"
        " tx_hash, created_at FROM payments_transfer ORDER BY id",
        "places": "SELECT id, public_id, session_id, user_id, status, amount_minor, request_key, rank, prize_minor,"
        " prize_tx_hash, refund_tx_hash FROM rooms_participant ORDER BY id",
        "sessions": "SELECT id, public_id, room_id, status, escrow_id, entry_fee_minor, prize_shares_bp, opens_at,"
        " starts_at, ends_at, participants_count, seed_encrypted, draw_commit FROM rooms_session ORDER BY id",
        "outcomes": "SELECT session_id, kind, entries, pool_minor FROM rooms_outcome ORDER BY session_id",
        "events": "SELECT room_id, seq, session_id, type, payload::text FROM rooms_roomevent ORDER BY room_id, seq",
    }
    return {name: database.rows(query) for name, query in queries.items()}


def held(database: Database) -> dict[str, int]:
    """What is in escrow for those sessions of the first release that are live, by the name of the room."""
    return dict(
        database.rows(
            "SELECT r.name, a.balance_minor FROM rooms_session s JOIN rooms_room r ON r.id = s.room_id"
            " JOIN payments_account a ON a.escrow_id = s.escrow_id"
            f" WHERE s.status IN ('pending', 'running') AND s.id <= {LAST_SESSION}"
        )
    )


def wallets(database: Database) -> dict[int, int]:
    return {
        int(username.removeprefix("guest")): balance
        for username, balance in database.rows(
            "SELECT u.username, a.balance_minor FROM payments_account a JOIN accounts_user u ON u.id = a.owner_id"
        )
    }


def assert_whole(database: Database) -> None:
    """Every unit that was ever issued is somewhere."""
    assert database.rows("SELECT sum(balance_minor) FROM payments_account") == [(0,)]
    assert database.rows("SELECT balance_minor FROM payments_account WHERE kind = 'issuance'") == [(-ISSUED,)]
    assert "The ledger is right" in database.manage("verify_ledger")


def advance_until_over(database: Database) -> None:
    for _ in range(5):
        database.manage("advance_sessions")
        if held(database) == {}:
            return
    pytest.fail("the sessions of the first release are never over")


def test_live_sessions_and_escrow_of_the_first_release_are_kept_and_paid_out_by_this_one(database):
    before = books(database)
    assert held(database) == ESCROWS
    assert wallets(database) == WALLETS

    database.manage("migrate", "--no-input")
    assert books(database) == before
    assert_whole(database)
    again = database.manage("migrate", "--no-input")
    assert "No migrations to apply." in again
    assert "Nothing to do." in again
    assert books(database) == before

    advance_until_over(database)
    ended = dict(
        database.rows(
            "SELECT r.name, s.status FROM rooms_session s JOIN rooms_room r ON r.id = s.room_id"
            f" WHERE r.name <> 'harbour' AND s.id <= {LAST_SESSION}"
        )
    )
    assert ended == {"mill": "ended", "chapel": "out", "lighthouse": "ended", "empty barn": "out"}
    prizes = database.rows(
        "SELECT r.name, p.rank, p.prize_minor FROM rooms_participant p JOIN rooms_session s ON s.id = p.session_id"
        " JOIN rooms_room r ON r.id = s.room_id WHERE p.prize_minor > 0 AND r.name <> 'harbour' ORDER BY 1, 2"
    )
    assert prizes == [
        ("lighthouse", 1, 1_851),
        ("lighthouse", 2, 1_111),
        ("lighthouse", 3, 740),
        ("mill", 1, 932),
        ("mill", 2, 400),
    ]
    after = wallets(database)
    assert sum(after.values()) == ISSUED
    # The seventh was alone in the chapel and nowhere else: refunded.
    assert after[7] == WALLETS[7] + 250 == 10_007
    assert_whole(database)
    # The seeds of the first release still open, and prove the draws of this one.
    assert database.manage("verify_draw", "4", "6") == "2 draws are as published.\n"


def schema() -> str:
    """A query: a line for each constraint, trigger, storage setting and function, without the obsolete functions."""
    return (
        "SELECT conrelid::regclass || ' ' || conname || ' ' || contype::text FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace"
        " UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
        " UNION ALL SELECT relname || ' ' || relkind::text || ' ' || coalesce(reloptions::text, '') FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace"
        " UNION ALL SELECT pg_get_functiondef(p.oid) FROM pg_proc p LEFT JOIN pg_depend d ON d.objid = p.oid"
        " AND d.deptype = 'e' WHERE pronamespace = 'public'::regnamespace AND d.objid IS NULL AND proname NOT IN"
        f" ({', '.join(repr(text.partition('(')[0]) for _, text in functions.obsolete())}) ORDER BY 1"
    )


@pytest.mark.django_db
def test_upgraded_and_fresh_databases_have_the_same_schema(database):
    database.manage("migrate", "--no-input")
    with connection.cursor() as cursor:
        cursor.execute(schema())
        fresh = cursor.fetchall()
    assert database.rows(schema()) == fresh
    assert len(fresh) > 500


@pytest.fixture
def next_release(tmp_path) -> Path:
    """A copy of this code with a function edited and a column more: the release after this one."""
    code = tmp_path / "next"
    apps = [path.parent.name for path in settings.BASE_DIR.glob("*/__init__.py")]
    for name in apps:
        shutil.copytree(settings.BASE_DIR / name, code / name, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    shutil.copy(settings.BASE_DIR / "manage.py", code)
    file = code / "rooms" / "sql" / "session_leave.sql"
    file.write_text(file.read_text().replace("DECLARE\n", "DECLARE\n    v_note text := 'next release';\n"))
    (code / "rooms" / "migrations" / "9999_next.py").write_text(
        "from django.db import migrations\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [('rooms', '{sorted(path.stem for path in MIGRATIONS.glob('0*.py'))[-1]}')]\n"
        "    operations = [migrations.RunSQL('ALTER TABLE rooms_session ADD COLUMN note text')]\n"
    )
    return code


def leaves_by_next_release(database: Database) -> bool:
    return database.rows("SELECT prosrc LIKE '%next release%' FROM pg_proc WHERE proname = 'session_leave'")[0][0]


def test_rolling_back_reinstalls_functions_on_the_newer_schema(database, next_release):
    database.manage("migrate", "--no-input")
    assert not leaves_by_next_release(database)
    said = database.manage("migrate", "--no-input", code=next_release)
    assert "Applying rooms.9999_next... OK" in said
    assert "Installed rooms/session_leave" in said
    assert leaves_by_next_release(database)
    check = database.run("check", "--database", "default")
    assert (check.returncode, "than this code: rooms/session_leave" in check.stderr) == (1, True)

    said = database.manage("migrate", "--no-input")
    assert "No migrations to apply." in said
    assert "Installed rooms/session_leave" in said
    assert not leaves_by_next_release(database)
    assert database.rows("SELECT count(note) FROM rooms_session") == [(0,)]
    database.manage("check", "--database", "default")
    advance_until_over(database)
    assert_whole(database)


def test_control_without_the_step_the_old_functions_stay(database, next_release):
    database.manage("migrate", "--no-input")
    (next_release / "core" / "management" / "commands" / "migrate.py").unlink()
    said = database.manage("migrate", "--no-input", "--skip-checks", code=next_release)
    assert "Applying rooms.9999_next... OK" in said
    assert not leaves_by_next_release(database)


def test_functions_wait_for_the_whole_schema(database):
    assert "Not installed before all migrations" in database.manage("migrate", "payments", "--no-input")
    assert "Installed rooms/session_join" in database.manage("migrate", "--no-input")


def test_a_migration_that_waits_for_a_lock_gives_up_before_it_holds_up_the_players(database):
    before = books(database)
    assert LOCK_TIMEOUT == "-c lock_timeout=5s"
    with database.connect() as somebody, somebody.transaction():
        somebody.execute("SELECT 1 FROM rooms_session")
        run = database.run("migrate", "--no-input", PGOPTIONS=LOCK_TIMEOUT.replace("5s", "300ms"))
    assert run.returncode == 1
    assert "canceling statement due to lock timeout" in run.stderr
    assert books(database) == before
    database.manage("migrate", "--no-input")
    assert books(database) == before
    assert_whole(database)


def test_a_migration_is_not_taken_back(database):
    before = books(database)
    run = database.run("migrate", "rooms", "0001", "--no-input")
    assert run.returncode == 1
    assert "rooms.0002_session_functions is not taken back" in run.stderr
    run = database.run("migrate", "payments", "zero", "--no-input")
    assert run.returncode == 1
    assert books(database) == before
