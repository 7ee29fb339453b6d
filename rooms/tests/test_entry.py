"""Joining and leaving: each refusal of the contract with its sentence, and nothing moves on any of them."""

from datetime import timedelta

import pytest

from core.db import clock
from payments.errors import InsufficientFunds
from rooms import entry, errors, lifecycle, offers
from rooms.models import Participant, RoomEvent, Session
from rooms.terms import TermsChange
from tests.support.books import balance, findings, held, nothing_moves


@pytest.fixture
def room(make_room, fund, player, rival):
    fund(player, 5_000)
    fund(rival, 5_000)
    return make_room(max_participants=3)


@pytest.fixture
def session(room) -> Session:
    return Session.objects.get(pk=room.current_session_id)


def test_a_join_pays_the_fee_and_takes_a_seat(room, session, player, join):
    place = join(room, player)
    session.refresh_from_db()
    assert (balance(player), held(session), session.participants_count) == (4_000, 1_000, 1)
    row = Participant.objects.get(pk=place.participant_id)
    assert (row.status, row.amount_minor, row.wallet_address) == ("paid", 1_000, "wallet-of-player")
    assert row.entry_tx_hash == place.tx_hash
    event = RoomEvent.objects.filter(room=room).latest("seq")
    assert (event.type, event.payload["participants_count"]) == ("participant.joined", 1)
    assert findings() == []


def test_joining_is_open_until_the_start(room, session, player, rival, join):
    join(room, player, now=session.opens_at)
    join(room, rival, now=session.starts_at - timedelta(microseconds=1))
    session.refresh_from_db()
    assert session.participants_count == 2


def refused(kind, sentence, act):
    with nothing_moves(), pytest.raises(kind) as refusal:
        act()
    assert refusal.value.message == sentence


def test_an_unknown_room(room, player, join):
    refused(errors.RoomNotFound, "Game room not found", lambda: join(room, player, room_id=room.pk + 99))


def test_a_deleted_room(room, player, master, join):
    offers.delete_room(actor=master, room_id=room.pk, now=clock.now())
    refused(errors.RoomNotFound, "Game room not found", lambda: join(room, player))


def test_an_unknown_session(room, session, player, join):
    refused(errors.SessionNotFound, "Game session not found", lambda: join(room, player, session_id=session.pk + 99))


def test_a_session_of_another_room(room, session, player, join, make_room):
    other = make_room()
    refused(errors.SessionNotFound, "Game session not found", lambda: join(other, player, session_id=session.pk))


def test_a_second_join(room, player, join):
    join(room, player)
    refused(errors.AlreadyJoined, "You have already joined this room", lambda: join(room, player))


def test_a_join_at_the_start_is_too_late(room, session, player, join):
    sentence = "Session has already started for more than 3 minutes. You cannot join now."
    refused(errors.JoinWindowClosed, sentence, lambda: join(room, player, now=session.starts_at))


def test_a_session_that_is_over(room, session, player, join):
    lifecycle.start_session(session_id=session.pk, now=session.starts_at)
    sentence = "Session has already started for more than 3 minutes. You cannot join now."
    refused(errors.JoinWindowClosed, sentence, lambda: join(room, player))


def test_a_join_before_the_opening(room, session, player, join):
    sentence = "Session has not started yet. Please wait for the session to begin."
    early = session.opens_at - timedelta(microseconds=1)
    refused(errors.SessionNotOpenYet, sentence, lambda: join(room, player, now=early))


def test_a_full_session(room, people, fund, player, join):
    for guest in people(3):
        fund(guest, 1_000)
        join(room, guest)
    sentence = "Session has reached the maximum number of participants."
    refused(errors.SessionFull, sentence, lambda: join(room, player))


@pytest.mark.parametrize("amount", [999, 1_001, 0])
def test_an_amount_that_is_not_the_fee(room, player, join, amount):
    sentence = "Amount must equal the participation amount of this session (10.00)"
    refused(errors.WrongAmount, sentence, lambda: join(room, player, amount_minor=amount))


def test_a_player_without_a_connected_wallet(room, player, join):
    player.wallet_address = None
    player.save()
    refused(errors.WalletNotConnected, "Wallet not connected", lambda: join(room, player))


def test_a_player_who_never_had_tokens(room, people, join):
    refused(InsufficientFunds, "Insufficient balance", lambda: join(room, people(1)[0]))


def test_a_player_one_unit_short(room, people, fund, join):
    poor = people(1)[0]
    fund(poor, 999)
    refused(InsufficientFunds, "Insufficient balance", lambda: join(room, poor))
    fund(poor, 1)
    join(room, poor)
    assert balance(poor) == 0


def test_fee_is_frozen_with_the_session(room, session, player, master, join):
    offers.edit_room(actor=master, room_id=room.pk, change=TermsChange(entry_fee_minor=2_000), now=clock.now())
    sentence = "Amount must equal the participation amount of this session (10.00)"
    refused(errors.WrongAmount, sentence, lambda: join(room, player, amount_minor=2_000))
    join(room, player, amount_minor=1_000)
    assert balance(player) == 4_000


def test_the_same_request_again_answers_the_first_entry(room, player, join):
    first = join(room, player, request_key="tap-1")
    with nothing_moves():
        again = join(room, player, request_key="tap-1")
    assert (again.participant_id, again.tx_hash) == (first.participant_id, first.tx_hash)


def leave(session, who, *, after_seconds: float = 2, request_key=None):
    now = session.opens_at + timedelta(seconds=after_seconds)
    return entry.leave_session(session_id=session.pk, player=who, now=now, request_key=request_key)


def test_leaving_returns_the_fee_and_frees_the_seat(room, session, player, join):
    place = join(room, player)
    departure = leave(session, player)
    session.refresh_from_db()
    assert (balance(player), held(session), session.participants_count) == (5_000, 0, 0)
    row = Participant.objects.get(pk=place.participant_id)
    assert (row.status, row.refund_tx_hash) == ("left", departure.tx_hash)
    assert findings() == []


def test_leaver_joins_again_with_a_new_place(room, session, player, join):
    first = join(room, player)
    leave(session, player)
    second = join(room, player, now=session.opens_at + timedelta(seconds=3))
    assert second.participant_id != first.participant_id
    assert balance(player) == 4_000
    assert findings() == []


def test_leaving_twice_refunds_once(room, session, player, join):
    join(room, player)
    leave(session, player)
    refused(errors.NotJoined, "You have not joined this session", lambda: leave(session, player))


def test_the_same_departure_again_answers_the_first(room, session, player, join):
    join(room, player)
    first = leave(session, player, request_key="tap-2")
    with nothing_moves():
        assert leave(session, player, request_key="tap-2").tx_hash == first.tx_hash


def test_leaving_what_one_never_joined(room, session, player):
    refused(errors.NotJoined, "You have not joined this session", lambda: leave(session, player))


def test_leaving_an_unknown_session(room, session, player):
    session.pk += 99
    refused(errors.SessionNotFound, "Game session not found", lambda: leave(session, player))


def test_leaving_at_the_start_is_too_late(room, session, player, join):
    join(room, player)
    sentence = "Session has already started. You cannot leave now."
    window = (session.starts_at - session.opens_at).total_seconds()
    refused(errors.LeaveWindowClosed, sentence, lambda: leave(session, player, after_seconds=window))


def test_a_join_is_one_statement(room, player, join, django_assert_num_queries, session):
    now = session.opens_at
    with django_assert_num_queries(3) as seen:  # BEGIN-like savepoint, the function, its release
        entry.join_session(
            room_id=room.pk, session_id=session.pk, player=player, amount_minor=1_000, now=now, request_key=None
        )
    assert [query["sql"].split()[0] for query in seen.captured_queries] == ["SAVEPOINT", "SELECT", "RELEASE"]
