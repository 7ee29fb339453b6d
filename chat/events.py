"""What happens in a conversation, on its way to the sockets (building blocks).

The database is the truth: a message event carries its ``seq``, so whoever missed one reads it there. Values are the
domain's; the consumer turns them into the contract's frames.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.realtime.publishing import publish_now, publish_on_commit

MESSAGE = "message"
MESSAGE_UPDATED = "message_updated"
MESSAGE_DELETED = "message_deleted"
MESSAGE_RESTORED = "message_restored"
USER_JOINED = "user_joined"
USER_LEFT = "user_left"
TYPING = "typing"
NOTIFICATION = "notification"
# Not for clients: sockets that must close. ``user_id`` says whose; without it all of the conversation.
CLOSE = "close"


def conversation_topic(conversation_id: uuid.UUID) -> str:
    """The realtime address of one conversation."""
    return f"chat:{conversation_id}"


def announce_message(type: str, *, conversation_id: uuid.UUID, message: Mapping[str, Any], at: datetime) -> None:
    """Publish what happened to a message, once committed. ``message`` is a row of `chat.queries`."""
    publish_on_commit(
        conversation_topic(conversation_id),
        {**_event(type, conversation_id, message, at), "seq": message["seq"]},
    )


def announce(type: str, *, conversation_id: uuid.UUID, data: Mapping[str, Any], at: datetime) -> None:
    """Publish, once committed, what has no number: who came and went, which sockets must close."""
    publish_on_commit(conversation_topic(conversation_id), _event(type, conversation_id, data, at))


def tell(type: str, *, conversation_id: uuid.UUID, data: Mapping[str, Any], at: datetime) -> None:
    """Publish at once what stands in no table: typing, presence."""
    publish_now(conversation_topic(conversation_id), _event(type, conversation_id, data, at))


def message_event(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message read from the database as the event that announced it; of a deleted one only its place is left."""
    if message["is_deleted"]:
        message = {**message, "content": "", "meta": {}}
    event = _event(MESSAGE, message["conversation_id"], message, message["created_at"])
    return {**event, "seq": message["seq"]}


def _event(type: str, conversation_id: uuid.UUID, data: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {"type": type, "conversation_id": conversation_id, "at": at, "data": dict(data)}
