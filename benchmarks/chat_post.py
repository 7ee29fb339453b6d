"""How fast messages are posted: the one SQL function against the same rules by the ORM, in one run.

    DATABASE_URL=postgres://… REDIS_URL=redis://… python benchmarks/chat_post.py

Eight threads post for three seconds each way, into one room (its row is the bottleneck) and into eight. Client and
database share the machine: read the ratios. What is written is deleted again.
"""

import os
import sys
import threading
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gameplatform.settings")
os.environ.setdefault("DEBUG", "true")

import django

django.setup()

from django.db import connection, transaction

from accounts.models import ApiClient
from chat import messages, tenant_rooms
from chat.access import Caller
from chat.models import Conversation, Member, Message, Sanction
from chat.posting import Draft
from core.db import clock

THREADS = 8
SECONDS = 3.0
DRAFT = Draft(sender_id="u", sender_name=None, content="x" * 100, message_type="text", meta={}, client_msg_id=None)


def by_function(client, room_id):
    messages.post_message(caller=Caller(client=client), room_id=room_id, draft=DRAFT, now=clock.now())


def by_orm(client, room_id):
    with transaction.atomic():
        room = Conversation.objects.select_for_update(no_key=True).get(pk=room_id, client=client, is_active=True)
        member = Member.objects.get(conversation=room, user_id=DRAFT.sender_id)
        assert not Sanction.objects.filter(conversation=room, user_id="u", kind="mute", lifted_at=None).exists()
        now = clock.now()
        room.last_seq += 1
        room.message_count += 1
        room.last_message_at = now
        room.save(update_fields=["last_seq", "message_count", "last_message_at"])
        Message.objects.create(
            id=uuid.uuid4(), conversation=room, client_key=client.pk, seq=room.last_seq, sender_id=member.user_id,
            sender_name=member.user_name, content=DRAFT.content, message_type="text", created_at=now, updated_at=now,
        )  # fmt: skip


def rate(post, client, rooms):
    counts = [0] * THREADS

    def work(number):
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            post(client, rooms[number % len(rooms)])
            counts[number] += 1
        connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def main():
    client = ApiClient.objects.create(name=f"benchmark {uuid.uuid4().hex[:8]}")
    now = clock.now()
    rooms = []
    for _ in range(THREADS):
        room = tenant_rooms.create_room(client=client, name="benchmark", description="", meta={}, now=now)
        tenant_rooms.join_room(client=client, room_id=room.pk, user_id="u", user_name="U", meta={}, now=now)
        rooms.append(room.pk)
    try:
        print(f"{'rooms':>5} {'function/s':>11} {'ORM/s':>8} {'ratio':>6}")
        for chosen in (rooms[:1], rooms):
            function, orm = rate(by_function, client, chosen), rate(by_orm, client, chosen)
            print(f"{len(chosen):>5} {function:>11.0f} {orm:>8.0f} {function / orm:>6.1f}")
    finally:
        for room_id in rooms:
            tenant_rooms.delete_room(client=client, room_id=room_id, now=now)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM chat_moderationact WHERE client_id = %s", [client.pk])
        client.delete()


if __name__ == "__main__":
    main()
