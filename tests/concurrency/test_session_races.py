"""Races over seats, purses and settlements on real threads; each has a control that shows the race is there to lose."""

import threading
import uuid
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from core.db import sql
from rooms import entry, lifecycle, locks, settlement
from rooms.models import Outcome, Participant, Session
from tests.support.books import balance, findings, held
from tests.support.threads import kinds, together

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

JOIN_SQL = Path(entry.__file__).parent / "sql" / "session_join.sql"
POST_SQL = Path(entry.__file__).parents[1] / "payments" / "sql" / "ledger_post.sql"


def session_of(room) -> Session:
    return Session.objects.get(pk=room.current_session_id)


def joining(room, session, player, *, now=None):
    def join():
        return entry.join_session(
            room_id=room.pk,
            session_id=session.pk,
            player=player,
            amount_minor=session.entry_fee_minor,
            now=now or session.opens_at,
            request_key=None,
        )

    return join


def install_copy(file: Path, renames: dict[str, str]) -> None:
    """Install the functions of ``file`` with the replacements made; each must have something to replace."""
    text = file.read_text()
    for old, new in renames.items():
        assert old in text
        text = text.replace(old, new)
    with connection.cursor() as cursor:
        cursor.execute(text)


def test_200_joins_for_50_seats_fill_exactly_50(make_room, people, fund):
    room = make_room(max_participants=50)
    session = session_of(room)
    guests = people(200)
    for guest in guests:
        fund(guest, 1_000)
    # 200 players by 20 threads: the seats are fought for from the first to the last.
    groups = [guests[n::20] for n in range(20)]

    def join_all(group):
        results = []
        for guest in group:
            try:
                results.append(joining(room, session, guest)())
            except Exception as error:
                results.append(error)
        return results

    results = [result for group in together([partial(join_all, group) for group in groups]) for result in group]
    assert kinds(results) == {"Entry": 50, "SessionFull": 150}
    session.refresh_from_db()
    assert (session.participants_count, held(session)) == (50, 50_000)
    assert sum(balance(guest) for guest in guests) == 150_000
    assert findings() == []


def test_control_without_the_sessions_lock_seats_are_oversold(make_room, people, fund):
    room = make_room(max_participants=3)
    session = session_of(room)
    guests = people(8)
    for guest in guests:
        fund(guest, 1_000)
    install_copy(
        JOIN_SQL,
        {
            "FUNCTION session_join(": "FUNCTION session_join_unlocked(",
            "WHERE id = p_session FOR NO KEY UPDATE;": "WHERE id = p_session; PERFORM pg_sleep(0.2);",
        },
    )

    def join(guest):
        with transaction.atomic():
            return sql.call(
                "session_join_unlocked",
                *(room.pk, session.pk, guest.pk, 1_000, None, uuid.uuid4(), uuid.uuid4(), session.opens_at),
            )["result"]

    results = together([partial(join, guest) for guest in guests])
    sold = Participant.objects.filter(session=session, status="paid").count()
    assert results.count("joined") == sold > 3


def test_one_purse_that_can_pay_once_pays_once_for_20_joins(make_room, player, fund):
    rooms = [make_room() for _ in range(20)]
    fund(player, 1_999)
    results = together([joining(room, session_of(room), player) for room in rooms])
    assert kinds(results) == {"Entry": 1, "InsufficientFunds": 19}
    assert balance(player) == 999
    assert findings() == []


def test_control_without_the_accounts_lock_the_purse_is_overdrawn(make_room, player, fund):
    """Only the database's own constraint stands in the way then: it turns the second payment into an error."""
    rooms = [make_room() for _ in range(4)]
    fund(player, 1_000)
    install_copy(
        POST_SQL,
        {
            "FUNCTION ledger_post(": "FUNCTION ledger_post_unlocked(",
            "ORDER BY id FOR NO KEY UPDATE;": "ORDER BY id;",
            "    UPDATE payments_account a": "    PERFORM pg_sleep(0.2);\n    UPDATE payments_account a",
        },
    )
    install_copy(
        JOIN_SQL,
        {
            "FUNCTION session_join(": "FUNCTION session_join_unlocked(",
            "FROM ledger_post(": "FROM ledger_post_unlocked(",
        },
    )

    def join(room):
        session = session_of(room)
        with transaction.atomic():
            return sql.call(
                "session_join_unlocked",
                *(room.pk, session.pk, player.pk, 1_000, None, uuid.uuid4(), uuid.uuid4(), session.opens_at),
            )["result"]

    results = together([partial(join, room) for room in rooms])
    errors = [result for result in results if isinstance(result, IntegrityError)]
    assert errors
    assert "account_balance_not_negative" in str(errors[0])


def test_the_same_player_joining_ten_times_at_once_pays_once(make_room, player, fund):
    room = make_room()
    session = session_of(room)
    fund(player, 10_000)
    results = together([joining(room, session, player)] * 10)
    assert kinds(results) == {"Entry": 1, "AlreadyJoined": 9}
    assert balance(player) == 9_000
    assert findings() == []


@pytest.fixture
def running(make_room, people, fund):
    """A session with five players that is due to end."""
    room = make_room()
    session = session_of(room)
    for guest in people(5):
        fund(guest, 1_000)
        joining(room, session, guest)()
    lifecycle.start_session(session_id=session.pk, now=session.starts_at)
    return session


def settling(session):
    return lambda: settlement.settle_session(session_id=session.pk, now=session.ends_at)


def test_16_workers_settle_one_session_once(running):
    results = together([settling(running)] * 16)
    assert results.count(True) == 1
    assert results.count(False) == 15
    assert held(running) == 0
    assert Outcome.objects.filter(session=running, kind="settled", pool_minor=5_000).count() == 1
    assert findings() == []


@pytest.fixture
def without_claims(monkeypatch):
    """Claims that look but do not lock, and a gate that holds back whoever looked until the others have."""
    gate = threading.Barrier(4)

    def look(due):
        session = due.first()
        gate.wait(timeout=10)
        return session

    def look_by_id(session_id):
        session = Session.objects.get(pk=session_id)
        gate.wait(timeout=10)
        return session

    monkeypatch.setattr(locks, "claim_session", look)
    monkeypatch.setattr(locks, "lock_session", look_by_id)


def test_control_without_the_claim_several_workers_try_to_pay(running, without_claims):
    """The guarded transition is the second line: it turns the others into errors, not into second payments."""
    results = together([settling(running)] * 4)
    assert kinds(results) == {"bool": 1, "TransitionRefused": 3}
    assert findings() == []


def voiding(session, staff):
    return lambda: lifecycle.void_session(session_id=session.pk, now=session.ends_at, actor=staff, reason="race")


def test_settling_against_voiding_ends_in_one_of_them(running, staff):
    settled, voided = together([settling(running), voiding(running, staff)])
    running.refresh_from_db()
    outcome = Outcome.objects.get(pk=running.pk)
    if settled is True:
        assert (running.status, outcome.kind, type(voided).__name__) == ("ended", "settled", "TransitionRefused")
    else:
        assert (running.status, outcome.kind, voided) == ("void", "refunded", None)
    assert held(running) == 0
    assert findings() == []


def test_control_without_locks_both_settling_and_voiding_begin(running, staff, without_claims):
    results = together([settling(running), voiding(running, staff), settling(running), voiding(running, staff)])
    refused = [result for result in results if type(result).__name__ == "TransitionRefused"]
    assert len(refused) == 3
    assert findings() == []


def test_joins_at_the_last_millisecond_are_wholly_in_or_refused(make_room, people, fund):
    for _ in range(5):
        room = make_room()
        session = session_of(room)
        guests = people(12)
        for guest in guests:
            fund(guest, 1_000)
        last = session.starts_at - timedelta(milliseconds=1)

        def start(session=session):
            # A tick passes by a session that a join holds and comes back: here at once instead of after a second.
            while not lifecycle.start_session(session_id=session.pk, now=session.starts_at):
                pass

        joins = [joining(room, session, guest, now=last) for guest in guests]
        results = together([*joins[:6], start, *joins[6:]])
        session.refresh_from_db()
        paid = kinds(results).get("Entry", 0)
        entries = Participant.objects.filter(session=session).exclude(status="left").count()
        assert entries == paid == session.participants_count
        assert session.status == ("running" if paid >= 3 else "out")
        assert findings() == []
        if session.status == "running":
            settlement.settle_session(session_id=session.pk, now=session.ends_at)
            assert findings() == []


def test_control_without_the_claim_a_late_join_slips_into_a_session_that_was_called_off(
    make_room, people, fund, monkeypatch
):
    room = make_room()
    session = session_of(room)
    guests = people(3)
    for guest in guests:
        fund(guest, 1_000)
    looked, joined = threading.Event(), threading.Event()

    def look(due):
        found = due.first()
        looked.set()
        assert joined.wait(timeout=10)
        return found

    monkeypatch.setattr(locks, "claim_session", look)

    def join_all():
        assert looked.wait(timeout=10)
        for guest in guests:
            joining(room, session, guest)()
        joined.set()

    together([lambda: lifecycle.start_session(session_id=session.pk, now=session.starts_at), join_all])
    session.refresh_from_db()
    # Three players paid for three prizes, and the session was called off for want of players.
    assert (session.status, session.participants_count) == ("out", 3)


def test_leaving_and_joining_and_starting_at_once_leaves_the_books_right(make_room, people, fund):
    room = make_room(max_participants=6)
    session = session_of(room)
    guests = people(12)
    for guest in guests:
        fund(guest, 2_000)
    for guest in guests[:6]:
        joining(room, session, guest)()
    leaving = [
        lambda g=guest: entry.leave_session(session_id=session.pk, player=g, now=session.opens_at, request_key=None)
        for guest in guests[:6]
    ]
    joins = [joining(room, session, guest) for guest in guests[6:]]
    results = together(
        [*leaving, *joins, lambda: lifecycle.start_session(session_id=session.pk, now=session.starts_at)]
    )
    allowed = {"Departure", "Entry", "SessionFull", "JoinWindowClosed", "LeaveWindowClosed", "bool"}
    assert set(kinds(results)) <= allowed
    assert findings() == []


def test_two_rooms_that_ask_for_one_name_get_it_once(make_room):
    results = together([lambda: make_room(name="The Arena")] * 4)
    assert kinds(results) == {"Room": 1, "RoomNameTaken": 3}


def test_generated_names_neither_collide_nor_skip(make_room, settings):
    settings.DEFAULT_SYMBOL_GAME_ROOM = "GOLD"
    results = together([lambda: make_room(name=None).name] * 6)
    assert sorted(results) == [f"GOLD_SLOT_00{n}" for n in range(1, 7)]
