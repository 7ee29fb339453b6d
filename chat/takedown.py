"""Taking a message out of sight (building blocks): the last step of deleting one, and of upholding a report."""

import uuid
from datetime import datetime

from django.db.models import F

from chat import conversations, events, outgoing
from chat.access import Caller, Rank
from chat.errors import MessageNotFound, UnauthorizedEdit
from chat.models import Conversation, Message, ModerationAct
from chat.notes import note
from core.db.transactions import require_atomic


def lock(caller: Caller, message_id: uuid.UUID) -> tuple[Conversation, Message]:
    """The message and its conversation, both locked, the conversation first. Raises ``MessageNotFound``."""
    require_atomic()
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


def require_moderator(caller: Caller, message: Message, acting_as: str | None) -> None:
    """Raise ``UnauthorizedEdit`` unless the caller, as this user, moderates the message's conversation."""
    require_atomic()
    if caller.rank(message.conversation_id, acting_as=acting_as) < Rank.MODERATOR:
        raise UnauthorizedEdit


def take_down(
    *,
    caller: Caller,
    conversation: Conversation,
    message: Message,
    acting_as: str | None,
    reason: str,
    now: datetime,
) -> None:
    """Hide a locked message that is visible; another's only as a moderator. Raises ``UnauthorizedEdit``."""
    require_atomic()
    if message.sender_id != acting_as:
        require_moderator(caller, message, acting_as)
        note(
            ModerationAct.Act.DELETE_MESSAGE,
            caller=caller,
            conversation=conversation,
            acting_as=acting_as,
            user_id=message.sender_id,
            reason=reason,
            message_id=message.pk,
            target=message,
            before={"is_deleted": False},
            after={"is_deleted": True},
            now=now,
        )
    message.is_deleted = True
    message.deleted_at = message.updated_at = now
    message.deleted_by = acting_as or ""
    message.save(update_fields=["is_deleted", "deleted_at", "deleted_by", "updated_at"])
    Conversation.objects.filter(pk=conversation.pk).update(message_count=F("message_count") - 1)
    data = {"id": message.pk, "seq": message.seq, "deleted_by": acting_as, "deleted_at": now}
    events.announce_message(events.MESSAGE_DELETED, conversation_id=conversation.pk, message=data, at=now)
    outgoing.tell_deletion(client_id=conversation.client_id, room_id=conversation.pk, message=data, now=now)
