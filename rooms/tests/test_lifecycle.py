"""A session's life from opening to prizes or refunds, told second by second."""

from datetime import timedelta

import pytest

from core.db import clock
from rooms import lifecycle, offers, ranking, settlement, tick
from rooms.errors import TransitionRefused
from rooms.models import Outcome, Participant, Room, RoomEvent, Session, SessionTransition
from rooms.terms import TermsChange
from tests.support.books import balance, findings, held, nothing_moves


@pytest.fixture
def room(make_room):
    return make_room(join_window_seconds=180, run_seconds=60)


@pytest.fixture
def session(room) -> Session:
    return Session.objects.get(pk=room.current_session_id)


@pytest.fixture
def crowd(people, fund):
    guests = people(4)
    for guest in guests:
        fund(guest, 2_000)
    return guests


def steps(session) -> list[tuple[str, str, str]]:
    return list(
        SessionTransition.objects.filter(session=session)
        .order_by("id")
        .values_list("from_status", "to_status", "reason")
    )


def test_a_room_opens_its_first_session_at_once(room, session):
    assert session.status == "pending"
    assert session.starts_at - session.opens_at == timedelta(seconds=180)
    assert session.ends_at - session.starts_at == timedelta(seconds=60)
    assert session.code == str(int(session.opens_at.timestamp() * 1000))
    assert held(session) == 0


def test_full_session_runs_and_pays_out(room, session, crowd, join):
    for guest in crowd:
        join(room, guest)
    assert tick.advance(now=session.starts_at).started == [session.pk]
    session.refresh_from_db()
    assert (session.status, held(session)) == ("running", 4_000)
    assert session.draw_roster

    assert tick.advance(now=session.ends_at).settled == [session.pk]
    session.refresh_from_db()
    assert (session.status, held(session)) == ("ended", 0)
    ranked = Participant.objects.filter(session=session).order_by("rank")
    assert [(row.rank, row.prize_minor) for row in ranked] == [(1, 2_000), (2, 1_200), (3, 800), (4, 0)]
    assert [balance(row.user) for row in ranked] == [3_000, 2_200, 1_800, 1_000]
    outcome = Outcome.objects.get(pk=session.pk)
    assert (outcome.kind, outcome.entries, outcome.pool_minor) == ("settled", 4, 4_000)
    assert steps(session) == [
        ("", "pending", "opened"),
        ("pending", "running", "started"),
        ("running", "ended", "settled"),
    ]
    assert findings() == []


def test_one_player_too_few_and_everybody_is_refunded(room, session, crowd, join):
    for guest in crowd[:2]:
        join(room, guest)
    tick.advance(now=session.starts_at)
    session.refresh_from_db()
    assert (session.status, held(session)) == ("out", 0)
    assert [balance(guest) for guest in crowd] == [2_000] * 4
    assert set(Participant.objects.filter(session=session).values_list("status", flat=True)) == {"refunded"}
    assert steps(session)[-1] == ("pending", "out", "not enough participants")
    assert findings() == []


def test_an_empty_session_goes_out_quietly(room, session):
    tick.advance(now=session.starts_at)
    session.refresh_from_db()
    assert (session.status, Outcome.objects.get(pk=session.pk).entries) == ("out", 0)
    assert findings() == []


def test_next_session_opens_after_the_gap(room, session):
    tick.advance(now=session.starts_at)
    room.refresh_from_db()
    assert room.next_open_at == session.starts_at + timedelta(seconds=10)
    assert tick.advance(now=session.starts_at + timedelta(seconds=9)).is_idle()
    opened_at = session.starts_at + timedelta(seconds=10)
    assert tick.advance(now=opened_at).opened == [room.pk]
    room.refresh_from_db()
    following = room.current_session
    assert following.pk != session.pk
    assert (following.status, following.opens_at) == ("pending", opened_at)


def test_outage_invents_no_missed_slots(room, session, crowd, join):
    for guest in crowd:
        join(room, guest)
    later = session.ends_at + timedelta(hours=3)
    for _ in range(3):
        tick.advance(now=later)
    session.refresh_from_db()
    assert session.status == "ended"
    tick.advance(now=later + timedelta(seconds=10))
    assert Session.objects.filter(room=room).count() == 2
    assert findings() == []


def test_before_its_time_nothing_happens(room, session, crowd, join):
    for guest in crowd:
        join(room, guest)
    with nothing_moves():
        early = session.starts_at - timedelta(microseconds=1)
        assert tick.advance(now=early).is_idle()
        assert not lifecycle.start_session(session_id=session.pk, now=early)
        assert not settlement.settle_session(session_id=session.pk, now=session.ends_at)


def test_a_second_settlement_finds_nothing_to_do(room, session, crowd, join):
    for guest in crowd:
        join(room, guest)
    lifecycle.start_session(session_id=session.pk, now=session.starts_at)
    assert settlement.settle_session(session_id=session.pk, now=session.ends_at)
    with nothing_moves():
        assert not settlement.settle_session(session_id=session.pk, now=session.ends_at)


def test_voided_session_refunds_all_entries(room, session, crowd, join, staff):
    for guest in crowd:
        join(room, guest)
    lifecycle.start_session(session_id=session.pk, now=session.starts_at)
    lifecycle.void_session(session_id=session.pk, now=session.starts_at, actor=staff, reason="the game crashed")
    session.refresh_from_db()
    assert (session.status, held(session)) == ("void", 0)
    assert [balance(guest) for guest in crowd] == [2_000] * 4
    last = SessionTransition.objects.filter(session=session).latest("id")
    assert (last.to_status, last.actor, last.reason) == ("void", staff, "the game crashed")
    assert findings() == []
    with nothing_moves(), pytest.raises(TransitionRefused):
        lifecycle.void_session(session_id=session.pk, now=session.starts_at, actor=staff, reason="again")


def test_failing_session_is_quarantined_alone(make_room, crowd, join, monkeypatch, caplog):
    poison, sound = make_room(), make_room()
    for guest in crowd:
        join(poison, guest, now=poison.created_at)
        join(sound, guest, now=sound.created_at)
    bad = Session.objects.get(room=poison)
    now = max(s.starts_at for s in Session.objects.all())
    tick.advance(now=now)
    real = ranking.rank

    def rank(*, session, entries, now):
        if session.pk == bad.pk:
            raise ArithmeticError("the dice fell off the table")
        return real(session=session, entries=entries, now=now)

    monkeypatch.setattr(ranking, "rank", rank)
    now += timedelta(seconds=60)
    report = tick.advance(now=now)
    assert (report.settled, report.failed) == ([Session.objects.get(room=sound).pk], [bad.pk])
    for _ in range(10):
        now += timedelta(minutes=2)
        tick.advance(now=now)
    bad.refresh_from_db()
    assert (bad.status, bad.failures) == ("running", 5)
    assert bad.quarantined_at
    assert "the dice fell off the table" in bad.last_error
    assert held(bad) == 4_000
    assert findings() == []


def test_change_applies_after_the_live_session(room, session, master, player, rival, fund, join):
    change = TermsChange(name="renamed", entry_fee_minor=500, prize_shares_bp=[10_000])
    offers.edit_room(actor=master, room_id=room.pk, change=change, now=clock.now())
    room.refresh_from_db()
    assert (room.entry_fee_minor, room.pending_name) == (1_000, "renamed")
    fund(player, 1_000)
    join(room, player)
    tick.advance(now=session.starts_at)
    room.refresh_from_db()
    assert (room.name, room.entry_fee_minor, room.prize_shares_bp) == ("renamed", 500, [10_000])
    assert (room.pending_change, room.pending_name) == (None, None)
    session.refresh_from_db()
    assert (session.entry_fee_minor, balance(player)) == (1_000, 1_000)
    tick.advance(now=session.starts_at + timedelta(seconds=10))
    room.refresh_from_db()
    assert room.current_session.prize_shares_bp == [10_000]


def test_next_session_opens_after_the_rooms_gap(make_room):
    room = make_room(gap_seconds=45)
    over_at = Session.objects.get(pk=room.current_session_id).starts_at
    tick.advance(now=over_at)
    assert tick.advance(now=over_at + timedelta(seconds=44)).opened == []
    assert tick.advance(now=over_at + timedelta(seconds=45)).opened == [room.pk]


def test_deleted_room_finishes_its_session(room, session, master, crowd, join):
    for guest in crowd:
        join(room, guest)
    offers.delete_room(actor=master, room_id=room.pk, now=session.opens_at)
    tick.advance(now=session.starts_at)
    tick.advance(now=session.ends_at)
    session.refresh_from_db()
    assert session.status == "ended"
    assert tick.advance(now=session.ends_at + timedelta(hours=1)).opened == []
    assert Room.objects.get(pk=room.pk).status == "deleted"
    assert findings() == []


def test_paused_room_opens_no_session(room, session, master):
    offers.switch_room(actor=master, room_id=room.pk, on=False, now=session.opens_at)
    tick.advance(now=session.starts_at)
    assert tick.advance(now=session.starts_at + timedelta(hours=1)).opened == []
    on_at = session.starts_at + timedelta(hours=2)
    offers.switch_room(actor=master, room_id=room.pk, on=True, now=on_at)
    assert tick.advance(now=on_at).opened == [room.pk]


def test_the_events_of_a_room_are_numbered_without_gaps(room, session, crowd, join):
    for guest in crowd:
        join(room, guest)
    tick.advance(now=session.starts_at)
    tick.advance(now=session.ends_at)
    tick.advance(now=session.ends_at + timedelta(seconds=10))
    kept = RoomEvent.objects.filter(room=room).order_by("seq").values_list("seq", "type")
    assert list(kept) == list(
        enumerate(
            ["session.opened", *["participant.joined"] * 4, "session.running", "session.ended", "session.opened"],
            start=1,
        )
    )
