"""Many at once: numbers without gaps, seats without overbooking, one message per id. Each with its control."""

import uuid
from functools import partial
from threading import Barrier

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F, Max

from chat import messages, tenant_rooms
from chat.access import Caller
from chat.errors import AlreadyInRoom, RoomFull, RoomInactive
from chat.models import Conversation, Member, Message
from chat.posting import Draft
from core.db import clock
from tests.support.threads import kinds, together

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

POSTERS = 8
MESSAGES_EACH = 15


def draft(text, client_msg_id=None):
    return Draft(
        sender_id="lan", sender_name=None, content=text, message_type="text", meta={}, client_msg_id=client_msg_id
    )


def test_concurrent_senders_get_numbers_without_gaps_in_the_order_of_time(tenant, lounge):
    caller = Caller(client=tenant.client)

    def post_many():
        return [
            messages.post_message(caller=caller, room_id=lounge.pk, draft=draft("x"), now=clock.now()).row["seq"]
            for _ in range(MESSAGES_EACH)
        ]

    results = together([post_many] * POSTERS)
    total = POSTERS * MESSAGES_EACH
    assert sorted(seq for seqs in results for seq in seqs) == list(range(1, total + 1))
    rows = Message.objects.filter(conversation=lounge).order_by("seq")
    times = list(rows.values_list("created_at", flat=True))
    assert times == sorted(times)
    room = Conversation.objects.get(pk=lounge.pk)
    assert (room.last_seq, room.message_count) == (total, total)


def test_control_numbers_taken_by_looking_first_collide(lounge):
    def post_naively():
        for _ in range(MESSAGES_EACH):
            with transaction.atomic():
                last = Message.objects.filter(conversation=lounge).aggregate(last=Max("seq"))["last"] or 0
                now = clock.now()
                Message.objects.create(
                    id=uuid.uuid4(), conversation=lounge, seq=last + 1, sender_id="lan", sender_name="Lan",
                    content="x", message_type="text", created_at=now, updated_at=now,
                )  # fmt: skip

    assert "IntegrityError" in kinds(together([post_naively] * POSTERS))


def test_one_client_msg_id_makes_one_message_however_many_send_it_at_once(tenant, lounge):
    caller = Caller(client=tenant.client)
    post = partial(
        messages.post_message, caller=caller, room_id=lounge.pk, draft=draft("once", "same"), now=clock.now()
    )
    results = together([post] * POSTERS)
    assert {posted.row["id"] for posted in results} == {Message.objects.get(conversation=lounge).pk}
    assert sum(posted.is_new for posted in results) == 1
    assert Conversation.objects.get(pk=lounge.pk).last_seq == 1


def test_control_looking_before_inserting_meets_the_unique_constraint(lounge):
    def post_naively():
        with transaction.atomic():
            if Message.objects.filter(conversation=lounge, client_msg_id="same").exists():
                return
            Conversation.objects.filter(pk=lounge.pk).update(last_seq=F("last_seq") + 1)
            seq = Conversation.objects.get(pk=lounge.pk).last_seq
            now = clock.now()
            Message.objects.create(
                id=uuid.uuid4(), conversation=lounge, seq=seq, sender_id="lan", sender_name="Lan", content="x",
                message_type="text", client_msg_id="same", created_at=now, updated_at=now,
            )  # fmt: skip

    outcomes = [kinds(together([post_naively] * POSTERS)) for _ in range(1)]
    assert any(IntegrityError.__name__ in outcome for outcome in outcomes)


def test_a_room_never_takes_more_than_its_seats(tenant):
    room = tenant_rooms.create_room(
        client=tenant.client, name="Five", description="", meta={"max_participants": 5}, now=clock.now()
    )
    joins = [
        partial(
            tenant_rooms.join_room,
            client=tenant.client,
            room_id=room.pk,
            user_id=f"user{number}",
            user_name="U",
            meta={},
            now=clock.now(),
        )
        for number in range(12)
    ]
    assert kinds(together(joins)) == {"NoneType": 5, RoomFull.__name__: 7}
    assert Member.objects.filter(conversation=room).count() == 5
    assert Conversation.objects.get(pk=room.pk).participant_count == 5


def test_control_counting_before_inserting_overbooks(tenant):
    room = tenant_rooms.create_room(client=tenant.client, name="Five", description="", meta={}, now=clock.now())

    all_have_counted = Barrier(12)

    def join_naively(number):
        with transaction.atomic():
            count = Member.objects.filter(conversation=room).count()
            all_have_counted.wait(timeout=20)
            if count < 5:
                Member.objects.create(conversation=room, user_id=str(number), user_name="U", joined_at=clock.now())

    together([partial(join_naively, number) for number in range(12)])
    assert Member.objects.filter(conversation=room).count() > 5


def test_the_same_user_joins_once(tenant):
    room = tenant_rooms.create_room(client=tenant.client, name="Once", description="", meta={}, now=clock.now())
    join = partial(
        tenant_rooms.join_room,
        client=tenant.client,
        room_id=room.pk,
        user_id="lan",
        user_name="Lan",
        meta={},
        now=clock.now(),
    )
    assert kinds(together([join] * 8)) == {"NoneType": 1, AlreadyInRoom.__name__: 7}
    assert Conversation.objects.get(pk=room.pk).participant_count == 1


def test_no_message_is_numbered_after_the_deactivation_that_overtook_it(tenant, lounge):
    caller = Caller(client=tenant.client)

    def post_many():
        posted = []
        for _ in range(60):
            try:
                row = messages.post_message(caller=caller, room_id=lounge.pk, draft=draft("x"), now=clock.now()).row
            except RoomInactive:
                return posted
            posted.append(row["seq"])
        return posted

    def close():
        room = tenant_rooms.deactivate_room(caller=caller, room_id=lounge.pk, now=clock.now())
        return room.last_seq

    *posters, last_seq = together([post_many, post_many, post_many, close])
    assert max([0, *(seq for seqs in posters for seq in seqs)]) == last_seq
    assert Message.objects.filter(conversation=lounge).count() == last_seq
