"""Adding one message (building block; the work is `chat/sql/post_message.sql`)."""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.utils.translation import gettext_noop

from chat import events, outgoing, queries
from chat.access import Caller
from chat.errors import ContentTooLong, FieldInvalid, RoomAccessDenied, RoomInactive, RoomNotFound, UserMuted
from core.db import sql
from core.db.transactions import require_atomic
from webhooks import outbox
from webhooks.catalogue import EventType

CONTENT_LENGTH_MAX = 10_000
META_BYTES_MAX = 8 * 1024


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a sender wants to say; without ``sender_name`` the member's own name is taken."""

    sender_id: str
    sender_name: str | None
    content: str
    message_type: str
    meta: Mapping[str, Any]
    client_msg_id: str | None


@dataclass(frozen=True, kw_only=True)
class Posted:
    """The message as a row, and whether it is new or the answer to a repetition."""

    row: Mapping[str, Any]
    is_new: bool


def check_content(content: str) -> None:
    """Raises ``ContentTooLong``, or ``FieldInvalid`` when there is none."""
    if len(content) > CONTENT_LENGTH_MAX:
        raise ContentTooLong(max_length=CONTENT_LENGTH_MAX, current_length=len(content))
    if not content:
        raise FieldInvalid(gettext_noop("Message content must not be empty"), field="content")


def dump_meta(meta: Mapping[str, Any]) -> str:
    """``meta`` as JSON. Raises ``FieldInvalid`` when it is larger than 8 KB."""
    text = orjson.dumps(meta)
    if len(text) > META_BYTES_MAX:
        raise FieldInvalid(
            gettext_noop("meta must not be larger than %(kilobytes)s KB"),
            field="meta",
            kilobytes=META_BYTES_MAX // 1024,
        )
    return text.decode()


def post(*, conversation_id: uuid.UUID, caller: Caller | None, draft: Draft, now: datetime) -> Posted:
    """Number and keep a message and publish it once committed; ``caller`` is ``None`` for the platform itself.

    The same ``client_msg_id`` of the same sender again answers the first message. Raises ``ContentTooLong``,
    ``FieldInvalid``, ``RoomNotFound``, ``RoomInactive``, ``RoomAccessDenied`` (not a participant), ``UserMuted``.
    """
    require_atomic()
    check_content(draft.content)
    client = caller.client if caller is not None else None
    user = caller.user if caller is not None else None
    answer = sql.call(
        "chat_post_message",
        conversation_id,
        None if client is None else client.pk,
        None if user is None else user.pk,
        draft.sender_id,
        draft.sender_name,
        _message_id(now),
        draft.content,
        draft.message_type,
        dump_meta(draft.meta),
        draft.client_msg_id,
        now,
        also=outbox.tenant_listening(EventType.MESSAGE_CREATED, client_id=None if client is None else client.pk),
    )
    match answer["result"]:
        case "room_not_found":
            raise RoomNotFound
        case "inactive":
            raise RoomInactive
        case "not_a_member":
            raise RoomAccessDenied(gettext_noop("The sender is not a participant in this room"))
        case "muted":
            raise UserMuted(expires_at=answer["until"])
        case "replayed":
            row = queries.message_row(answer["message_id"])
            assert row is not None
            return Posted(row=row, is_new=False)
    row = {
        "id": answer["message_id"],
        "conversation_id": conversation_id,
        "client_public_id": None if client is None else client.public_id,
        "sender_id": draft.sender_id,
        "sender_name": answer["sender_name"],
        "content": draft.content,
        "message_type": draft.message_type,
        "meta": draft.meta,
        "created_at": answer["posted_at"],
        "updated_at": answer["posted_at"],
        "edited_at": None,
        "is_deleted": False,
        "seq": answer["seq"],
    }
    events.announce_message(events.MESSAGE, conversation_id=conversation_id, message=row, at=answer["posted_at"])
    if answer[outbox.IS_HEARD]:
        client_id = None if client is None else client.pk
        outgoing.tell_message(EventType.MESSAGE_CREATED, client_id=client_id, message=row, now=now)
    return Posted(row=row, is_new=True)


def _message_id(now: datetime) -> uuid.UUID:
    """A UUID of version 7: it begins with the time, so that new rows touch the same few pages of the index."""
    milliseconds = int(now.timestamp() * 1000)
    value = (milliseconds << 80) | (7 << 76) | secrets.randbits(76)
    return uuid.UUID(int=(value & ~(3 << 62)) | (2 << 62))
