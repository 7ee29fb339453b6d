"""What of the chat is told by webhook: to the tenant whose room it is and to nobody else; of the platform's own rooms
to the platform's own endpoints (building blocks; docs/webhooks.md).
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chat.models import ModerationAct
from webhooks import outbox
from webhooks.catalogue import EventType
from webhooks.outbox import Audience

_MESSAGE_FIELDS = ("sender_id", "sender_name", "content", "message_type", "meta", "seq", "is_deleted")


def tell_message(type: EventType, *, client_id: int | None, message: Mapping[str, Any], now: datetime) -> None:
    """Tell of a message, whole. ``message`` is a row of `chat.queries`."""
    data = {
        "room_id": str(message["conversation_id"]),
        "message_id": str(message["id"]),
        **{name: message[name] for name in _MESSAGE_FIELDS},
        "created_at": outbox.time_text(message["created_at"]),
        "edited_at": None if message["edited_at"] is None else outbox.time_text(message["edited_at"]),
    }
    _tell(type, client_id, data, now)


def tell_deletion(*, client_id: int | None, room_id: uuid.UUID, message: Mapping[str, Any], now: datetime) -> None:
    """Tell that a message is gone: its place, not its words."""
    data = {
        "room_id": str(room_id),
        "message_id": str(message["id"]),
        "seq": message["seq"],
        "deleted_by": message["deleted_by"],
    }
    _tell(EventType.MESSAGE_DELETED, client_id, data, now)


def tell_participant(
    type: EventType,
    *,
    client_id: int,
    room_id: uuid.UUID,
    user_id: str,
    user_name: str | None,
    participant_count: int,
    now: datetime,
) -> None:
    """Tell who came into a tenant's room or went."""
    data = {"room_id": str(room_id), "user_id": user_id, "participant_count": participant_count}
    _tell(type, client_id, data if user_name is None else {**data, "user_name": user_name}, now)


def tell_room(*, client_id: int | None, room_id: uuid.UUID, name: str, is_active: bool, now: datetime) -> None:
    """Tell that a room was closed or opened again."""
    type = EventType.ROOM_ACTIVATED if is_active else EventType.ROOM_DEACTIVATED
    _tell(type, client_id, {"room_id": str(room_id), "name": name, "is_active": is_active}, now)


def tell_moderation(act: ModerationAct) -> None:
    """Tell what a moderator did, as the audit has it; which of the platform's staff it was is not told."""
    data = {
        "room_id": str(act.conversation_id),
        "act": act.act,
        "actor": "staff" if act.actor.startswith("staff:") else act.actor,
        "user_id": act.user_id,
        "message_id": None if act.message_id is None else str(act.message_id),
        "reason": act.reason,
        "expires_at": None if act.expires_at is None else outbox.time_text(act.expires_at),
    }
    _tell(EventType.MODERATED, act.client_id, data, act.created_at)


def _tell(type: EventType, client_id: int | None, data: Mapping[str, Any], now: datetime) -> None:
    audience = Audience(platform=True) if client_id is None else Audience(client_id=client_id, platform=False)
    outbox.record(type=type, data=data, audience=audience, now=now)
