"""The objects of the chat's answers and frames (contract: chat)."""

import uuid
from typing import Any

from chat.models import Sanction
from core.wire.chatapi import wire_time
from core.wire.fields import ID_MAX, iso_ms
from core.wire.openapi import TIME
from core.wire.outputs import FLAG, TEXT, Output, Schema, nested, value

UUID: Schema = {"type": "string", "format": "uuid"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SEQ: Schema = {
    "type": "integer",
    "minimum": 0,
    "maximum": ID_MAX,
    "description": "The room's count, no gaps.",
}
META: Schema = {"type": "object", "additionalProperties": {}, "description": "The application's own, at most 8 KB."}


def _id(value: uuid.UUID | str) -> str:
    return str(value)


_STAMPS = {"created_at": value(TIME, write=iso_ms), "updated_at": value(TIME, write=iso_ms)}
# ``client_id`` is ``null`` for the conversation of a game room.
ROOM = Output(
    "ChatRoom",
    id=value(UUID, write=_id),
    name=value(TEXT),
    description=value(TEXT),
    client_id=value(UUID, "client__public_id", write=_id, nullable=True),
    is_active=value(FLAG),
    meta=value(META),
    **_STAMPS,
    participant_count=value(COUNT),
    message_count=value(COUNT),
)
ROOM_STATE = Output("ChatRoomState", **{name: ROOM.members[name] for name in ("id", "name", "is_active", "updated_at")})
PARTICIPANT = Output(
    "ChatParticipant",
    user_id=value(TEXT),
    user_name=value(TEXT),
    joined_at=value(TIME, write=iso_ms),
    meta=value(META),
)
# A message, from a row of the database or from an event, whose times are texts.
MESSAGE = Output(
    "ChatMessage",
    id=value(UUID, write=_id),
    room_id=value(UUID, "conversation_id", write=_id),
    client_id=value(UUID, "client_public_id", write=_id, nullable=True),
    sender_id=value(TEXT),
    sender_name=value(TEXT),
    content=value(TEXT),
    message_type=value(TEXT),
    meta=value(META),
    created_at=value(TIME, write=wire_time),
    updated_at=value(TIME, write=wire_time),
    edited_at=value(TIME, write=wire_time, nullable=True),
    is_deleted=value(FLAG),
    seq=value(SEQ),
)
RESTORED = Output("RestoredChatMessage", **{name: MESSAGE.members[name] for name in ("id", "is_deleted", "updated_at")})
SANCTION = Output(
    "ChatSanction",
    user_id=value(TEXT),
    kind=value({"type": "string", "enum": [*Sanction.Kind.values]}),
    reason=value(TEXT),
    created_at=value(TIME, write=iso_ms),
    expires_at=value(TIME, write=wire_time, nullable=True),
)
LIFTED = Output("LiftedChatSanction", lifted=value(FLAG))
ONLINE = Output("ChatOnlineUsers", online_users=value({"type": "array", "items": TEXT}), total_online=value(COUNT))
TICKET = Output("ChatTicket", ticket=value(TEXT), expires_in=value({"type": "integer", "description": "Seconds."}))


def _last_at(summary: Any) -> Any:
    return None if summary["last"] is None else summary["last"]["created_at"]


THREAD = Output(
    "ChatThreadSummary",
    thread_id=value(TEXT, "key"),
    message_count=value(COUNT),
    reply_count=value(COUNT),
    participants=value({"type": "array", "items": TEXT}, "sender_ids"),
    first_message_at=value(TIME, "first_at", write=wire_time, nullable=True),
    last_message_at=value(TIME, _last_at, write=wire_time, nullable=True),
    last_message=nested(MESSAGE, "last", nullable=True),
)
