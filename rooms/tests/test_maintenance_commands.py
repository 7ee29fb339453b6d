"""The commands of maintenance: what they say, what they do, what a dry run and a second run leave alone."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session as WebSession
from django.core.management import CommandError, call_command
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import ApiClient, ApiKey, SignIn
from core import idempotency
from core.db import clock
from core.models import IdempotencyRecord
from core.security import secrets
from core.spreadsheets import safe_cell
from payments.models import Transfer
from rooms import lifecycle, tick
from rooms.models import Outcome, RoomEvent, Session, SessionTransition
from tests.support.books import balance, findings, held, nothing_moves


def run(command: str, *words: object) -> str:
    out = StringIO()
    call_command(command, *map(str, words), stdout=out)
    return out.getvalue()


@pytest.fixture
def room(make_room):
    return make_room()


@pytest.fixture
def session(room) -> Session:
    return Session.objects.get(pk=room.current_session_id)


@pytest.fixture
def crowd(room, people, fund, join):
    """Four players with 20.00 each, who joined for 10.00."""
    guests = people(4)
    for guest in guests:
        fund(guest, 2_000)
        join(room, guest)
    return guests


@pytest.fixture
def running(session, crowd) -> Session:
    lifecycle.start_session(session_id=session.pk, now=session.starts_at)
    session.refresh_from_db()
    return session


# --- void_session, refund_session --------------------------------------------------------------------------------


def test_a_running_session_is_voided_once_with_reason_and_actor(running, crowd, staff):
    words = ("void_session", running.pk, "--reason", "server crashed", "--actor", "staff")
    with nothing_moves():
        out = run(*words, "--dry-run")
    assert out == f"Would end session {running.pk} (running) and refund 4 entries, 40.00 GOLD.\n"
    assert run(*words) == f"Session {running.pk} is void: 4 entries refunded, 40.00 GOLD.\n"
    assert [balance(guest) for guest in crowd] == [2_000] * 4
    last = SessionTransition.objects.filter(session=running).latest("id")
    assert (last.from_status, last.to_status, last.reason, last.actor) == ("running", "void", "server crashed", staff)
    with nothing_moves():
        assert run(*words) == f"Session {running.pk} was refunded before (4 entries). Nothing to do.\n"
    assert findings() == []


def test_a_pending_session_is_called_off_and_refunded(session, crowd):
    assert "is out: 4 entries refunded, 40.00 GOLD." in run("refund_session", session.pk, "--reason", "holiday")
    assert [balance(guest) for guest in crowd] == [2_000] * 4
    assert SessionTransition.objects.filter(session=session).latest("id").actor is None
    with nothing_moves():
        assert "was refunded before (4 entries)" in run("refund_session", session.pk, "--reason", "holiday")
    assert findings() == []


def test_refund_session_leaves_a_running_one_alone(running):
    with nothing_moves(), pytest.raises(CommandError, match="is running: void_session ends a running one"):
        run("refund_session", running.pk, "--reason", "r")


@pytest.mark.parametrize("command", ["void_session", "refund_session"])
def test_paid_prizes_stay_paid(command, running):
    tick.advance(now=running.ends_at)
    assert Outcome.objects.get(pk=running.pk).kind == "settled"
    with nothing_moves(), pytest.raises(CommandError, match="is ended: its prizes were paid"):
        run(command, running.pk, "--reason", "r")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--reason", " "), "--reason must have 1 to 200 characters"),
        (("--reason", "r" * 201), "--reason must have 1 to 200 characters"),
        (("--reason", "r", "--actor", "nobody"), "No active member of staff is called nobody"),
        (("--reason", "r", "--actor", "master"), "No active member of staff is called master"),
    ],
)
def test_a_refund_without_a_reason_or_by_nobody_is_refused(running, master, more, sentence):
    with nothing_moves(), pytest.raises(CommandError, match=sentence):
        run("void_session", running.pk, *more)


def test_a_session_that_does_not_exist_is_named(db):
    with pytest.raises(CommandError, match=r"There is no session 999999\."):
        run("void_session", 999999, "--reason", "r")


# --- settle_stuck ------------------------------------------------------------------------------------------------


@pytest.fixture
def stuck(running) -> Session:
    running.quarantined_at, running.failures, running.last_error = running.ends_at, 5, "ArithmeticError: dice"
    running.retry_at = running.ends_at + timedelta(days=1)
    running.save()
    return running


def test_sessions_that_were_set_aside_are_listed_and_given_back_to_the_tick(stuck, staff):
    assert tick.advance(now=stuck.ends_at).is_idle()
    listed = run("settle_stuck")
    assert f"session {stuck.pk} of room {stuck.room_id}" in listed
    assert "running, 4 entries, set aside" in listed
    assert "after 5 failures: ArithmeticError: dice" in listed
    assert listed.endswith("1 sessions are set aside.\n")
    words = ("settle_stuck", "--retry", stuck.pk, "--reason", "dice replaced", "--actor", "staff")
    assert run(*words, "--dry-run").endswith("1 sessions are set aside. 1 would be retried.\n")
    stuck.refresh_from_db()
    assert stuck.quarantined_at is not None

    with nothing_moves():
        assert run(*words).endswith("1 sessions go back to the tick, 0 stay.\n")
    stuck.refresh_from_db()
    assert (stuck.quarantined_at, stuck.retry_at, stuck.failures) == (None, None, 0)
    step = SessionTransition.objects.filter(session=stuck).latest("id")
    assert (step.from_status, step.to_status) == ("running", "running")
    assert (step.reason, step.actor) == ("retried: dice replaced", staff)
    with nothing_moves(), pytest.raises(CommandError, match=r"1 could not be retried\. 0 sessions go back"):
        run(*words)
    assert tick.advance(now=stuck.ends_at).settled == [stuck.pk]
    assert held(stuck) == 0
    assert findings() == []


def test_all_of_them_at_once(stuck):
    assert "1 sessions go back to the tick, 0 stay." in run("settle_stuck", "--all")
    assert run("settle_stuck", "--all") == "0 sessions are set aside.\n"


# --- prune -------------------------------------------------------------------------------------------------------


def test_prune_takes_only_what_nobody_can_use_any_more(running, player, make_room):
    now = clock.now()
    for key, age in (("old", 25), ("young", 23)):
        made = now - timedelta(hours=age)
        idempotency.begin(caller="c", endpoint="e", key=key, request_hash=b"h" * 32, now=made)
    for jti, left in (("expired", -1), ("used up and expired", -1), ("valid", 1), ("used up", 1)):
        token = OutstandingToken.objects.create(
            user=player, jti=jti, token="", created_at=now, expires_at=now + timedelta(hours=left)
        )
        if "used up" in jti:
            BlacklistedToken.objects.create(token=token)
    for jti, left in (("old", -1), ("young", 1)):
        SignIn.objects.create(user=player, jti=jti, issued_at=now, expires_at=now + timedelta(hours=left))
    tick.advance(now=running.ends_at)
    live = Session.objects.get(room=make_room())
    RoomEvent.objects.update(created_at=now - timedelta(days=31))
    recent = RoomEvent.objects.filter(session=running).order_by("seq").last()
    RoomEvent.objects.filter(pk=recent.pk).update(created_at=now - timedelta(days=29))
    old = RoomEvent.objects.filter(session=running).count() - 1
    assert old == 6

    def kept():
        return (
            sorted(IdempotencyRecord.objects.values_list("key", flat=True)),
            sorted(OutstandingToken.objects.values_list("jti", flat=True)),
            list(SignIn.objects.values_list("jti", flat=True)),
            list(AccessLog.objects.values_list("username", flat=True)),
            list(AccessAttempt.objects.values_list("username", flat=True)),
            list(WebSession.objects.values_list("session_key", flat=True)),
            sorted(RoomEvent.objects.values_list("session_id", "type")),
        )

    for name, age in (("old", 91), ("young", 89)):
        logged = AccessLog.objects.create(username=name, ip_address="10.0.0.1")
        AccessLog.objects.filter(pk=logged.pk).update(attempt_time=now - timedelta(days=age))
    for name, age in (("old", 16), ("young", 14)):
        failure = AccessAttempt.objects.create(username=name, ip_address="10.0.0.1", failures_since_start=3)
        AccessAttempt.objects.filter(pk=failure.pk).update(attempt_time=now - timedelta(minutes=age))
    for name, left in (("old", -1), ("young", 1)):
        WebSession.objects.create(session_key=name, session_data="", expire_date=now + timedelta(minutes=left))
    before, transfers = kept(), Transfer.objects.count()
    out = run("prune", "--dry-run")
    counts = (
        "idempotency records: 1\nsign-ins: 1\nsign-ins at games: 0\nrefresh tokens: 2\n"
        "ended sessions of the back-office: 1\nwrong passwords: 1\nlogins to the back-office: 1\npot jobs: 0\n"
        "webhook events: 0\nroom events: 6\nexports: 0\n"
    )
    assert out == counts + "13 rows would be deleted.\n"
    assert kept() == before
    assert run("prune") == counts + "13 rows deleted.\n"
    assert kept() == (
        ["young"],
        ["used up", "valid"],
        ["young"],
        ["young"],
        ["young"],
        ["young"],
        sorted([(running.pk, "session.ended"), (live.pk, "session.opened")]),
    )
    assert BlacklistedToken.objects.get().token.jti == "used up"
    assert "0 rows deleted." in run("prune")
    assert Transfer.objects.count() == transfers
    assert "room events: 1\n" in run("prune", "--event-days", 28)


# --- export_statement --------------------------------------------------------------------------------------------

# The statement is read in a snapshot of its own.
committed = pytest.mark.django_db(transaction=True)


@committed
def test_a_statement_is_exported_oldest_first_with_running_balance(fund, player, room, join, tmp_path):
    fund(player, 2_000)
    join(room, player)
    fund(player, 50)
    file = tmp_path / "ada.csv"
    words = ("export_statement", "--user", "player", "--token", "gold", "--output", file)
    assert run(*words, "--dry-run") == f"Would write 3 lines (20.50 GOLD in, 10.00 out) to {file}.\n"
    assert list(tmp_path.iterdir()) == []
    for _ in range(2):
        assert run(*words) == f"3 lines (20.50 GOLD in, 10.00 out) written to {file}.\n"
    lines = list(csv.DictReader(file.open(newline="")))
    assert [(line["amount"], line["balance_after"], line["code"]) for line in lines] == [
        ("20.00", "20.00", "deposit"),
        ("-10.00", "10.00", "entry_fee"),
        ("0.50", "10.50", "deposit"),
    ]
    transfer = Transfer.objects.get(code="entry_fee")
    assert (lines[1]["transfer"], lines[1]["tx_hash"]) == (str(transfer.pk), transfer.tx_hash)
    assert datetime.fromisoformat(lines[1]["time"]) == transfer.created_at
    assert list(tmp_path.iterdir()) == [file]


@committed
def test_a_part_of_a_statement_keeps_the_balance_of_the_whole(fund, player, tmp_path, monkeypatch, time_machine):
    monkeypatch.setattr("payments.statements._BATCH_ROWS", 2)
    for day in range(1, 6):
        time_machine.move_to(datetime(2031, 5, day, tzinfo=UTC), tick=False)
        fund(player, 100)
    file = tmp_path / "part.csv"
    span = ("--from", "2031-05-02", "--to", "2031-05-04")
    out = run("export_statement", "--user", "player", "--token", "GOLD", "--output", file, *span)
    assert "2 lines (2.00 GOLD in, 0.00 out)" in out
    assert [line["balance_after"] for line in csv.DictReader(file.open(newline=""))] == ["2.00", "3.00"]


@committed
def test_a_statement_of_nobody_or_nothing_writes_no_file(player, gold, tmp_path):
    for user, token, sentence in (("nobody", "GOLD", "No user is called nobody"), ("player", "TIN", "No token has")):
        with pytest.raises(CommandError, match=sentence):
            run("export_statement", "--user", user, "--token", token, "--output", tmp_path / "x.csv")
    with pytest.raises(CommandError, match="cannot be written"):
        run("export_statement", "--user", "player", "--token", "GOLD", "--output", tmp_path / "no" / "x.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("  @SUM(A1)", "'  @SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t=1"),
        ("-3.50", "-3.50"),
        (-350, "-350"),
        ("session:4", "session:4"),
        (None, ""),
    ],
)
def test_no_cell_becomes_a_formula(value, cell):
    assert safe_cell(value) == cell


# --- rotate_keys -------------------------------------------------------------------------------------------------


@pytest.fixture
def old_and_new(settings, session):
    """A session's seed and an API key's secret under the old key, which now stands behind a new one."""
    settings.FIELD_ENCRYPTION_KEYS = ["old"]
    Session.objects.update(seed_encrypted=secrets.encrypt(b"seed"))
    ApiKey.objects.create(
        client=ApiClient.objects.create(name="c"),
        prefix="p",
        secret_sha256="0" * 64,
        signing_secret_encrypted=secrets.encrypt(b"signing"),
        scopes=["chat"],
    )
    settings.FIELD_ENCRYPTION_KEYS = ["new", "old"]
    return settings


def stored() -> list[bytes]:
    return [bytes(Session.objects.get().seed_encrypted), bytes(ApiKey.objects.get().signing_secret_encrypted)]


def test_after_a_rotation_the_old_key_can_go(old_and_new):
    before = stored()
    assert "2 secrets would be encrypted anew." in run("rotate_keys", "--dry-run")
    assert stored() == before
    out = run("rotate_keys")
    assert "rooms_session.seed_encrypted: 1 encrypted anew" in out
    assert "accounts_apikey.signing_secret_encrypted: 1 encrypted anew" in out
    assert "2 secrets encrypted anew" in out
    old_and_new.FIELD_ENCRYPTION_KEYS = ["new"]
    after = stored()
    assert [secrets.decrypt(sealed) for sealed in after] == [b"seed", b"signing"]
    assert "0 secrets encrypted anew" in run("rotate_keys")
    assert stored() == after


def test_a_secret_that_no_key_opens_is_named_and_the_rest_goes_on(old_and_new, make_room, capsys):
    lost = Session.objects.get(room=make_room())
    Session.objects.filter(pk=lost.pk).update(seed_encrypted=b"garbage")
    with pytest.raises(CommandError, match="1 secrets are encrypted with a key that is not in"):
        run("rotate_keys")
    assert f"rooms_session.seed_encrypted: no key opens row {lost.pk}" in capsys.readouterr().err
    assert secrets.is_current(bytes(ApiKey.objects.get().signing_secret_encrypted))
    assert secrets.is_current(bytes(Session.objects.exclude(pk=lost.pk).get().seed_encrypted))
    lost.refresh_from_db()
    assert bytes(lost.seed_encrypted) == b"garbage"


def test_a_rotation_goes_through_many_batches_and_takes_up_where_it_was_stopped(old_and_new, make_room, monkeypatch):
    for _ in range(4):
        make_room()
    old_and_new.FIELD_ENCRYPTION_KEYS = ["newest", "new", "old"]
    monkeypatch.setattr("core.security.key_rotation.BATCH_ROWS", 2)
    first = Session.objects.order_by("pk").first()
    Session.objects.filter(pk=first.pk).update(seed_encrypted=secrets.rotate(bytes(first.seed_encrypted)))
    assert "rooms_session.seed_encrypted: 4 encrypted anew" in run("rotate_keys")
    assert all(secrets.is_current(bytes(s.seed_encrypted)) for s in Session.objects.all())
