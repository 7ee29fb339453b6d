"""Messages: post, edit, delete, restore (use cases; contract: chat, "Messages")."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils.translation import gettext_noop

from chat import events, outgoing, queries, takedown
from chat.access import CHANGE_MESSAGE, Caller
from chat.errors import FieldInvalid, MessageNotFound, RoomInactive
from chat.models import Conversation, Message, ModerationAct
from chat.notes import note
from chat.policies import require_voice
from chat.posting import Draft, Posted, check_content, dump_meta, post
from core.db.transactions import use_case
from webhooks.catalogue import EventType


@use_case
def post_message(*, caller: Caller, room_id: uuid.UUID, draft: Draft, now: datetime) -> Posted:
    """Post a message as the user in ``draft``, or for a user of the platform as itself.

    Raises what `chat.posting.post` does; ``FieldInvalid`` when a user of the platform poses as the system.
    """
    if caller.user is not None and draft.message_type == "system":
        raise FieldInvalid(gettext_noop("system messages are the platform's"), field="message_type")
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
    ``UnauthorizedEdit``, ``RoomAccessDenied`` (no member), ``UserMuted``.
    """
    if content is not None:
        check_content(content)
    if meta is not None:
        dump_meta(meta)
    conversation, message = takedown.lock(caller, message_id)
    if message.is_deleted:
        raise MessageNotFound
    if not conversation.is_active:
        raise RoomInactive
    if message.sender_id != acting_as:
        takedown.require_moderator(caller, message, acting_as)
    require_voice(conversation.pk, acting_as, now=now)
    if message.sender_id != acting_as:
        note(
            ModerationAct.Act.EDIT_MESSAGE,
            caller=caller,
            conversation=conversation,
            acting_as=acting_as,
            user_id=message.sender_id,
            message_id=message.pk,
            now=now,
        )
    message.content = message.content if content is None else content
    message.meta = message.meta if meta is None else dict(meta)
    message.edited_at = message.updated_at = now
    message.save(update_fields=["content", "meta", "edited_at", "updated_at"])
    return _announced(events.MESSAGE_UPDATED, message=message, now=now)


@use_case
def delete_message(
    *, caller: Caller, message_id: uuid.UUID, acting_as: str | None, now: datetime, reason: str = ""
) -> None:
    """Take a message out of sight, as the sender or a moderator; it can be restored.

    Raises ``MessageNotFound`` (deleted ones too), ``UnauthorizedEdit``.
    """
    caller.require(CHANGE_MESSAGE)
    conversation, message = takedown.lock(caller, message_id)
    if message.is_deleted:
        raise MessageNotFound
    takedown.take_down(
        caller=caller, conversation=conversation, message=message, acting_as=acting_as, reason=reason, now=now
    )


@use_case
def restore_message(
    *, caller: Caller, message_id: uuid.UUID, acting_as: str | None, now: datetime, reason: str = ""
) -> Mapping[str, Any]:
    """Bring a deleted message back: a moderator any, the sender the ones it deleted itself. Repeatable.

    Raises ``MessageNotFound``, ``RoomInactive``, ``UnauthorizedEdit``, ``RoomAccessDenied`` (no member), ``UserMuted``.
    """
    caller.require(CHANGE_MESSAGE)
    conversation, message = takedown.lock(caller, message_id)
    is_own = message.sender_id == acting_as and (not message.is_deleted or message.deleted_by == acting_as)
    if not is_own:
        takedown.require_moderator(caller, message, acting_as)
    if not conversation.is_active:
        raise RoomInactive
    require_voice(conversation.pk, acting_as, now=now)
    if not message.is_deleted:
        return queries.row_of(message)
    if not is_own:
        note(
            ModerationAct.Act.RESTORE_MESSAGE,
            caller=caller,
            conversation=conversation,
            acting_as=acting_as,
            user_id=message.sender_id,
            reason=reason,
            message_id=message.pk,
            target=message,
            before={"is_deleted": True},
            after={"is_deleted": False},
            now=now,
        )
    message.is_deleted = False
    message.deleted_at = message.deleted_by = None
    message.updated_at = now
    message.save(update_fields=["is_deleted", "deleted_at", "deleted_by", "updated_at"])
    Conversation.objects.filter(pk=conversation.pk).update(message_count=F("message_count") + 1)
    return _announced(events.MESSAGE_RESTORED, message=message, now=now)


def _announced(type: str, *, message: Message, now: datetime) -> Mapping[str, Any]:
    row = queries.row_of(message)
    events.announce_message(type, conversation_id=message.conversation_id, message=row, at=now)
    client_id = message.conversation.client_id
    outgoing.tell_message(EventType.MESSAGE_UPDATED, client_id=client_id, message=row, now=now)
    return row
