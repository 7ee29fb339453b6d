"""Messages: post, edit, delete, restore (use cases; contract: chat, "Messages")."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import F

from chat import conversations, events, outgoing, queries
from chat.access import Caller, Rank
from chat.errors import FieldInvalid, MessageNotFound, RoomInactive, UnauthorizedEdit
from chat.models import Conversation, Message, ModerationAct
from chat.posting import Draft, Posted, check_content, dump_meta, post
from gameplatform.core.transactions import use_case
from gameplatform.webhooks.catalogue import EventType


@use_case
def post_message(*, caller: Caller, room_id: uuid.UUID, draft: Draft, now: datetime) -> Posted:
    """Post a message as the user in ``draft``, or for a user of the platform as itself.

    Raises what `chat.posting.post` does; ``FieldInvalid`` when a user of the platform poses as the system.
    """
    if caller.user is not None and draft.message_type == "system":
        raise FieldInvalid("system messages are the platform's", field="message_type")
    return post(conversation_id=room_id, caller=caller, draft=draft, now=now)


@use_case
def edit_message(
    *,
    caller: Caller,
    message_id: uuid.UUID,
    acting_as: str | None,
    content: str | None,
    meta: Mapping[str, Any] | None,
    now: datetime,
) -> Mapping[str, Any]:
    """Change content or meta (``None``: as it was) as the sender or a moderator; the message's row.

    Raises ``ContentTooLong``, ``FieldInvalid``, ``MessageNotFound`` (deleted ones too), ``RoomInactive``,
    ``UnauthorizedEdit``.
    """
    if content is not None:
        check_content(content)
    if meta is not None:
        dump_meta(meta)
    conversation, message = _lock(caller, message_id)
    if message.is_deleted:
        raise MessageNotFound
    if not conversation.is_active:
        raise RoomInactive
    if message.sender_id != acting_as:
        _require_moderator(caller, message, acting_as)
        _note(ModerationAct.Act.EDIT_MESSAGE, caller=caller, message=message, acting_as=acting_as, now=now)
    message.content = message.content if content is None else content
    message.meta = message.meta if meta is None else dict(meta)
    message.edited_at = message.updated_at = now
    message.save(update_fields=["content", "meta", "edited_at", "updated_at"])
    return _announced(events.MESSAGE_UPDATED, message=message, now=now)


@use_case
def delete_message(*, caller: Caller, message_id: uuid.UUID, acting_as: str | None, now: datetime) -> None:
    """Take a message out of sight, as the sender or a moderator; it can be restored.

    Raises ``MessageNotFound`` (deleted ones too), ``UnauthorizedEdit``.
    """
    conversation, message = _lock(caller, message_id)
    if message.is_deleted:
        raise MessageNotFound
    if message.sender_id != acting_as:
        _require_moderator(caller, message, acting_as)
        _note(ModerationAct.Act.DELETE_MESSAGE, caller=caller, message=message, acting_as=acting_as, now=now)
    message.is_deleted = True
    message.deleted_at = message.updated_at = now
    message.deleted_by = acting_as or ""
    message.save(update_fields=["is_deleted", "deleted_at", "deleted_by", "updated_at"])
    Conversation.objects.filter(pk=conversation.pk).update(message_count=F("message_count") - 1)
    data = {"id": message.pk, "seq": message.seq, "deleted_by": acting_as, "deleted_at": now}
    events.announce_message(events.MESSAGE_DELETED, conversation_id=conversation.pk, message=data, at=now)
    outgoing.tell_deletion(client_id=conversation.client_id, room_id=conversation.pk, message=data, now=now)


@use_case
def restore_message(
    *, caller: Caller, message_id: uuid.UUID, acting_as: str | None, now: datetime
) -> Mapping[str, Any]:
    """Bring a deleted message back: a moderator any, the sender the ones it deleted itself. Repeatable.

    Raises ``MessageNotFound``, ``RoomInactive``, ``UnauthorizedEdit``.
    """
    conversation, message = _lock(caller, message_id)
    is_own = message.sender_id == acting_as and (not message.is_deleted or message.deleted_by == acting_as)
    if not is_own:
        _require_moderator(caller, message, acting_as)
    if not conversation.is_active:
        raise RoomInactive
    if not message.is_deleted:
        return queries.row_of(message)
    if not is_own:
        _note(ModerationAct.Act.RESTORE_MESSAGE, caller=caller, message=message, acting_as=acting_as, now=now)
    message.is_deleted = False
    message.deleted_at = message.deleted_by = None
    message.updated_at = now
    message.save(update_fields=["is_deleted", "deleted_at", "deleted_by", "updated_at"])
    Conversation.objects.filter(pk=conversation.pk).update(message_count=F("message_count") + 1)
    return _announced(events.MESSAGE_RESTORED, message=message, now=now)


def _lock(caller: Caller, message_id: uuid.UUID) -> tuple[Conversation, Message]:
    """The message and its conversation, both locked, in this order. Raises ``MessageNotFound``."""
    among = caller.conversations()
    found = Message.objects.filter(pk=message_id, conversation__in=among).first()
    if found is None:
        raise MessageNotFound
    conversation = conversations.lock(found.conversation_id, among=among.select_related("client"))
    locked = Message.objects.select_for_update(no_key=True).filter(pk=message_id).first()
    if locked is None:
        raise MessageNotFound
    locked.conversation = conversation
    return conversation, locked


def _require_moderator(caller: Caller, message: Message, acting_as: str | None) -> None:
    if caller.rank(message.conversation_id, acting_as=acting_as) < Rank.MODERATOR:
        raise UnauthorizedEdit


def _announced(type: str, *, message: Message, now: datetime) -> Mapping[str, Any]:
    row = queries.row_of(message)
    events.announce_message(type, conversation_id=message.conversation_id, message=row, at=now)
    client_id = message.conversation.client_id
    outgoing.tell_message(EventType.MESSAGE_UPDATED, client_id=client_id, message=row, now=now)
    return row


def _note(act: ModerationAct.Act, *, caller: Caller, message: Message, acting_as: str | None, now: datetime) -> None:
    noted = ModerationAct.objects.create(
        conversation_id=message.conversation_id,
        client=message.conversation.client,
        actor=caller.label(acting_as=acting_as),
        act=act,
        user_id=message.sender_id,
        message_id=message.pk,
        created_at=now,
    )
    outgoing.tell_moderation(noted)
