"""Conversations and who is in them (building blocks: each runs inside its caller's transaction).

What `rooms` calls for a game room: ``open_conversation``, ``add_member``, ``remove_member``, ``post_system_message``,
``set_active``. The tenant's own calls are in `chat.tenant_rooms`. Lock order: the conversation's row is locked after
sessions and contests, before escrows and accounts.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from accounts.models import ApiClient, User
from chat import events, outgoing
from chat.errors import AlreadyInRoom, ParticipantNotFound, RoomAccessDenied, RoomFull, RoomInactive, RoomNotFound
from chat.models import Conversation
from chat.posting import Draft, post
from core.db import sql
from core.db.sql import Also
from core.db.transactions import require_atomic
from webhooks.catalogue import EventType
from webhooks.outbox import IS_HEARD, tenant_listening

SYSTEM_SENDER = "system"
SYSTEM_NAME = "System"


def open_conversation(
    *,
    kind: Conversation.Kind,
    name: str,
    now: datetime,
    client: ApiClient | None = None,
    description: str = "",
    meta: Mapping[str, Any] | None = None,
) -> Conversation:
    """A new, empty, active conversation: a tenant's room (with ``client``) or a game room's."""
    require_atomic()
    return Conversation.objects.create(
        kind=kind,
        client=client,
        name=name,
        description=description,
        meta=dict(meta or {}),
        created_at=now,
        updated_at=now,
    )


def lock(conversation_id: uuid.UUID, *, among: QuerySet[Conversation]) -> Conversation:
    """One of these conversations with its row locked. Raises ``RoomNotFound``."""
    require_atomic()
    locked = among.select_for_update(no_key=True, of=("self",)).filter(pk=conversation_id).first()
    if locked is None:
        raise RoomNotFound
    return locked


def add_member(*, conversation_id: uuid.UUID, user: User, now: datetime) -> bool:
    """Make a user of the platform a member of a game room's conversation; one statement.

    False, and nothing is done, when it is a member already, is banned from it, or the conversation is closed: a game
    must not fail because its chat says no. Raises ``RoomNotFound``.
    """
    require_atomic()
    answer = _insert_member(
        conversation_id=conversation_id,
        client=None,
        user_id=str(user.pk),
        user_name=user.username,
        account=user,
        meta={},
        now=now,
    )
    if answer["result"] == "room_not_found":
        raise RoomNotFound
    return bool(answer["result"] == "added")


def admit(
    *,
    conversation_id: uuid.UUID,
    client: ApiClient,
    user_id: str,
    user_name: str,
    meta: Mapping[str, Any],
    now: datetime,
) -> None:
    """Make a tenant's user a member of the tenant's room, by the room's rules; one statement.

    Raises ``RoomNotFound``, ``AlreadyInRoom``, ``RoomInactive``, ``RoomAccessDenied`` (banned, or a private room
    without an invitation), ``RoomFull``, looked for in this order.
    """
    require_atomic()
    answer = _insert_member(
        conversation_id=conversation_id,
        client=client,
        user_id=user_id,
        user_name=user_name,
        account=None,
        meta=meta,
        now=now,
    )
    match answer["result"]:
        case "room_not_found":
            raise RoomNotFound
        case "already_member":
            raise AlreadyInRoom
        case "inactive":
            raise RoomInactive
        case "banned":
            raise RoomAccessDenied(
                gettext_noop("User is banned from this room"), reason=answer["reason"], expires_at=answer["until"]
            )
        case "private":
            raise RoomAccessDenied(gettext_noop("This room is private: meta.invited_by must name a participant"))
        case "full":
            raise RoomFull


def _insert_member(
    *,
    conversation_id: uuid.UUID,
    client: ApiClient | None,
    user_id: str,
    user_name: str,
    account: User | None,
    meta: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    answer = sql.call(
        "chat_add_member",
        conversation_id,
        None if client is None else client.pk,
        None if account is None else account.pk,
        user_id,
        user_name,
        orjson.dumps(meta).decode(),
        now,
        also=_listening(EventType.CHAT_JOINED, None if client is None else client.pk),
    )
    if answer["result"] == "added":
        _announce_participant("participant_joined", conversation_id, user_id, user_name, answer, now)
        if client is not None and answer[IS_HEARD]:
            outgoing.tell_participant(
                EventType.CHAT_JOINED,
                client_id=client.pk,
                room_id=conversation_id,
                user_id=user_id,
                user_name=user_name,
                participant_count=answer["participant_count"],
                now=now,
            )
    return answer


def _listening(type: EventType, client_id: int | None) -> Also | None:
    """Who is in a game's room is told as the game's own event (``participant.joined``)."""
    return None if client_id is None else tenant_listening(type, client_id=client_id)


def announce_member(
    *, conversation_id: uuid.UUID, user_id: int, user_name: str, participant_count: int, now: datetime
) -> None:
    """Tell of a platform user that ``chat_add_member`` (SQL) added in a function of the caller's own."""
    require_atomic()
    answer = {"participant_count": participant_count}
    _announce_participant("participant_joined", conversation_id, str(user_id), user_name, answer, now)


def remove_member(*, conversation_id: uuid.UUID, user: User, now: datetime) -> bool:
    """End a platform user's membership of a game room's conversation and close its sockets; False when there is none.

    Raises ``RoomNotFound``.
    """
    require_atomic()
    try:
        expel(conversation_id=conversation_id, client_id=None, user_id=str(user.pk), why="left", now=now)
    except ParticipantNotFound:
        return False
    return True


def expel(*, conversation_id: uuid.UUID, client_id: int | None, user_id: str, why: str, now: datetime) -> None:
    """End a membership and close the user's sockets; ``why`` is ``left``, ``kicked`` or ``banned``.

    ``client_id`` is the tenant whose room it must be, ``None`` for a game room's conversation.

    Raises ``RoomNotFound``, ``ParticipantNotFound``.
    """
    require_atomic()
    listening = _listening(EventType.CHAT_LEFT, client_id)
    answer = sql.call("chat_remove_member", conversation_id, client_id, user_id, also=listening)
    if answer["result"] == "room_not_found":
        raise RoomNotFound
    if answer["result"] == "not_a_member":
        raise ParticipantNotFound
    events.announce(events.CLOSE, conversation_id=conversation_id, data={"user_id": user_id, "why": why}, at=now)
    _announce_participant("participant_left", conversation_id, user_id, None, answer, now)
    if client_id is not None and answer[IS_HEARD]:
        outgoing.tell_participant(
            EventType.CHAT_LEFT,
            client_id=client_id,
            room_id=conversation_id,
            user_id=user_id,
            user_name=None,
            participant_count=answer["participant_count"],
            now=now,
        )


def post_system_message(
    *, conversation_id: uuid.UUID, text: str, meta: Mapping[str, Any], now: datetime
) -> Mapping[str, Any]:
    """A message of the platform itself, as the last step of what it tells about (it locks the conversation's row).

    Raises ``RoomNotFound``, ``RoomInactive``.
    """
    require_atomic()
    draft = Draft(
        sender_id=SYSTEM_SENDER,
        sender_name=SYSTEM_NAME,
        content=text,
        message_type="system",
        meta=meta,
        client_msg_id=None,
    )
    return post(conversation_id=conversation_id, caller=None, draft=draft, now=now).row


def set_active(*, conversation: Conversation, is_active: bool, now: datetime) -> None:
    """Deactivate (nothing is added any more, all sockets close) or reactivate a locked conversation. Repeatable."""
    require_atomic()
    if conversation.is_active == is_active:
        return
    conversation.is_active = is_active
    conversation.updated_at = now
    conversation.save(update_fields=["is_active", "updated_at"])
    outgoing.tell_room(
        client_id=conversation.client_id,
        room_id=conversation.pk,
        name=conversation.name,
        is_active=is_active,
        now=now,
    )
    if not is_active:
        events.announce(events.CLOSE, conversation_id=conversation.pk, data={"why": "deactivated"}, at=now)


def erase(conversation: Conversation) -> None:
    """Delete a locked conversation with all that is in it: one statement per table, whatever its size."""
    require_atomic()
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM chat_report r USING chat_message m WHERE r.message_id = m.id AND m.conversation_id = %s",
            [conversation.pk],
        )
        for table in ("chat_message", "chat_member", "chat_sanction"):
            cursor.execute(f"DELETE FROM {table} WHERE conversation_id = %s", [conversation.pk])
        cursor.execute("DELETE FROM chat_conversation WHERE id = %s", [conversation.pk])


def deactivate(*, conversation_id: uuid.UUID, now: datetime) -> None:
    """Close a game room's conversation: its history stays. Repeatable. Raises ``RoomNotFound``."""
    require_atomic()
    platforms_own = Conversation.objects.filter(kind=Conversation.Kind.GAME_ROOM)
    set_active(conversation=lock(conversation_id, among=platforms_own), is_active=False, now=now)


def _announce_participant(
    happened: str,
    conversation_id: uuid.UUID,
    user_id: str,
    user_name: str | None,
    answer: Mapping[str, Any],
    now: datetime,
) -> None:
    data = {"event": happened, "user_id": user_id, "participant_count": answer["participant_count"]}
    if user_name is not None:
        data["user_name"] = user_name
    events.announce(events.NOTIFICATION, conversation_id=conversation_id, data=data, at=now)
