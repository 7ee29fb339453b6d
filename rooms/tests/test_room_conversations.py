"""Every room has a conversation: its participants are members, and its sessions' events are said in it."""

from datetime import timedelta

import pytest

from chat.models import Conversation, Member, Message
from core.db import clock
from rooms import entry, membership, offers, tick
from rooms.models import MembershipOwed, Session
from tests.support.books import findings


@pytest.fixture
def room(make_room):
    return make_room()


@pytest.fixture
def session(room) -> Session:
    return Session.objects.get(pk=room.current_session_id)


@pytest.fixture
def guests(room, people, fund, join):
    guests = people(3)
    for guest in guests:
        fund(guest, 1_000)
        join(room, guest)
    # The commit that settles them in production never comes in a test's own transaction.
    membership.settle_overdue(now=clock.now() + timedelta(minutes=1))
    assert not MembershipOwed.objects.exists()
    return guests


def members(room) -> set[int]:
    return set(Member.objects.filter(conversation=room.conversation_id).values_list("account_id", flat=True))


def said(room) -> list[tuple[int, str]]:
    return list(Message.objects.filter(conversation=room.conversation_id).order_by("seq").values_list("seq", "content"))


def test_participants_are_members_until_they_leave(room, session, master, guests):
    assert members(room) == {master.pk, *(guest.pk for guest in guests)}
    entry.leave_session(session_id=session.pk, player=guests[0], now=session.opens_at, request_key=None)
    assert members(room) == {master.pk, guests[1].pk, guests[2].pk}
    assert Conversation.objects.get(pk=room.conversation_id).participant_count == 3


def test_a_join_settles_the_membership_on_commit(room, people, fund, join, django_capture_on_commit_callbacks):
    (guest,) = people(1)
    fund(guest, 1_000)
    with django_capture_on_commit_callbacks(execute=True):
        join(room, guest)
        assert MembershipOwed.objects.count() == 1
        assert guest.pk not in members(room)
    assert guest.pk in members(room)
    assert not MembershipOwed.objects.exists()


def test_the_tick_settles_what_a_crash_left(room, session, people, fund, join):
    (guest,) = people(1)
    fund(guest, 1_000)
    joined_at = join(room, guest).joined_at
    tick.advance(now=joined_at + timedelta(seconds=membership.OVERDUE_SECONDS - 1))
    assert guest.pk not in members(room)
    tick.advance(now=joined_at + timedelta(seconds=membership.OVERDUE_SECONDS))
    assert guest.pk in members(room)


def test_one_failed_membership_does_not_stop_the_others(room, people, fund, join, monkeypatch):
    guests = people(2)
    for guest in guests:
        fund(guest, 1_000)
    bad = join(room, guests[0]).participant_id
    join(room, guests[1])
    settle = membership.settle

    def broken(*, participant_id, now):
        if participant_id == bad:
            raise ZeroDivisionError
        settle(participant_id=participant_id, now=now)

    monkeypatch.setattr(membership, "settle", broken)
    membership.settle_overdue(now=clock.now() + timedelta(minutes=1))
    assert guests[1].pk in members(room)
    assert list(MembershipOwed.objects.values_list("pk", flat=True)) == [bad]


def test_leaving_before_the_membership_is_settled_ends_it(room, session, people, fund, join):
    (guest,) = people(1)
    fund(guest, 1_000)
    place = join(room, guest)
    entry.leave_session(session_id=session.pk, player=guest, now=session.opens_at, request_key=None)
    membership.settle(participant_id=place.participant_id, now=session.opens_at)
    assert guest.pk not in members(room)
    assert not MembershipOwed.objects.exists()


def test_what_happens_to_sessions_is_said_in_order(room, session, guests):
    tick.advance(now=session.starts_at)
    tick.advance(now=session.ends_at)
    tick.advance(now=session.ends_at + timedelta(seconds=10))
    session.refresh_from_db()
    winner = session.participants.get(rank=1).user.username
    assert said(room) == [
        (1, "A new session is open for joining: 10.00 to take part."),
        (2, "The session is running with 3 participants."),
        (3, f"The session has ended. {winner} came first and won 15.00."),
        (4, "A new session is open for joining: 10.00 to take part."),
    ]
    assert findings() == []


def test_a_session_that_was_called_off_says_why(room, session):
    tick.advance(now=session.starts_at)
    assert said(room)[-1][1] == "The session was called off: not enough participants. 0 participants were refunded."


def test_one_participant_is_called_one(room, session, people, fund, join):
    (guest,) = people(1)
    fund(guest, 1_000)
    join(room, guest)
    tick.advance(now=session.starts_at)
    assert said(room)[-1][1] == "The session was called off: not enough participants. 1 participant was refunded."


def test_chat_ban_does_not_stop_play(room, session, people, fund, join):
    Conversation.objects.filter(pk=room.conversation_id).update(is_active=False)
    guest = people(1)[0]
    fund(guest, 1_000)
    assert join(room, guest).participants_count == 1
    tick.advance(now=session.starts_at)
    assert not MembershipOwed.objects.exists()
    assert guest.pk not in members(room)
    session.refresh_from_db()
    assert session.status == "out"


def test_deleted_room_closes_its_conversation_last(room, session, master, guests):
    offers.delete_room(actor=master, room_id=room.pk, now=clock.now())
    assert Conversation.objects.get(pk=room.conversation_id).is_active
    tick.advance(now=session.starts_at)
    tick.advance(now=session.ends_at)
    assert not Conversation.objects.get(pk=room.conversation_id).is_active
    assert said(room)[-1][1].startswith("The session has ended.")


def test_participant_posts_under_its_own_name(api, room, guests, player):
    path = f"/api/v1/rooms/{room.conversation_id}/messages/"
    answer = api(guests[0]).post(path, {"content": "good luck"})
    assert (answer.status_code, answer.json()["data"]["sender_name"]) == (201, guests[0].username)
    assert api(player).post(path, {"content": "let me in"}).status_code in (403, 404)
