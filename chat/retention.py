"""What is let go after a time: old messages, rooms that nobody uses (use cases, one batch each).

A batch is one transaction, so a run that was stopped has kept what it did, and the next run goes on from there.
"""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db.models import Count, DateTimeField, F, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from chat import conversations, outgoing
from chat.errors import RoomNotFound
from chat.models import Conversation, Message, ModerationAct
from core.db.transactions import use_case

BATCH_ROWS = 1_000
CONVERSATIONS_AT_ONCE = 100
CLOSED_BY = "platform:close_idle_rooms"


def old_messages(*, before: datetime) -> QuerySet[Message]:
    """Messages posted before a time. Within a conversation they are its first ones: its time never goes back."""
    return Message.objects.filter(created_at__lt=before)


def conversations_with_old_messages(*, before: datetime, limit: int) -> Sequence[uuid.UUID]:
    """Some of the conversations that have any, those with the oldest first."""
    found = old_messages(before=before).values("conversation_id").annotate(oldest=Min("created_at"))
    return list(found.order_by("oldest").values_list("conversation_id", flat=True)[:limit])


@use_case
def prune_batch(*, conversation_id: uuid.UUID, before: datetime) -> int:
    """Delete the oldest messages of one conversation, at most 1,000; how many there were.

    ``pruned_seq`` moves along, so a socket that wants to resume from before it is told that it cannot.
    """
    try:
        conversation = conversations.lock(conversation_id, among=Conversation.objects.all())
    except RoomNotFound:
        return 0
    batch = old_messages(before=before).filter(conversation=conversation).order_by("seq")[:BATCH_ROWS]
    last = max(batch.values_list("seq", flat=True), default=None)
    if last is None:
        return 0
    gone = Message.objects.filter(conversation=conversation, seq__lte=last)
    counted = gone.aggregate(visible=Count("id", filter=Q(is_deleted=False)))["visible"]
    deleted, _ = gone.delete()
    # One statement: the counts must fit each other at every moment.
    Conversation.objects.filter(pk=conversation.pk).update(pruned_seq=last, message_count=F("message_count") - counted)
    return deleted


def prune(*, before: datetime, on_batch: Callable[[int], object] = lambda count: None) -> int:
    """Delete all messages posted before a time, batch by batch; how many there were. ``on_batch`` hears of each."""
    total = 0
    while chosen := conversations_with_old_messages(before=before, limit=CONVERSATIONS_AT_ONCE):
        round_total = 0
        for conversation_id in chosen:
            while count := prune_batch(conversation_id=conversation_id, before=before):
                round_total += count
                on_batch(count)
        if not round_total:
            break
        total += round_total
    return total


def idle_rooms(*, since: datetime) -> QuerySet[Conversation]:
    """Active rooms of tenants in which nothing was said or changed since then, by id."""
    rooms = Conversation.objects.filter(kind=Conversation.Kind.ROOM, is_active=True, updated_at__lt=since)
    last_sign = Coalesce("last_message_at", "created_at", output_field=DateTimeField())
    return rooms.annotate(last_sign=last_sign).filter(last_sign__lt=since).order_by("pk")


@use_case
def close_idle_room(*, room_id: uuid.UUID, since: datetime, now: datetime) -> bool:
    """Deactivate one room if it is still idle; its tenant may activate it again."""
    room = Conversation.objects.select_for_update(no_key=True).filter(pk=room_id).first()
    if room is None or not idle_rooms(since=since).filter(pk=room_id).exists():
        return False
    conversations.set_active(conversation=room, is_active=False, now=now)
    noted = ModerationAct.objects.create(
        conversation_id=room.pk,
        client_id=room.client_id,
        actor=CLOSED_BY,
        act=ModerationAct.Act.DEACTIVATE_ROOM,
        reason="idle",
        created_at=now,
    )
    outgoing.tell_moderation(noted)
    return True
