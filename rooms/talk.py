"""A room's conversation: its master and participants are members, session events are posted (building blocks)."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from chat import conversations
from chat.errors import RoomInactive
from chat.models import Conversation
from core.amounts import format_amount_fixed
from core.db.transactions import require_atomic
from rooms.models import Room, RoomEvent
from rooms.terms import AMOUNT_DECIMALS


def open_conversation(*, room: Room, now: datetime) -> Conversation:
    """Open the conversation of a new room; its master is the first member."""
    require_atomic()
    conversation = conversations.open_conversation(kind=Conversation.Kind.GAME_ROOM, name=room.name, now=now)
    conversations.add_member(conversation_id=conversation.pk, user=room.owner, now=now)
    return conversation


def close_conversation(*, room: Room, now: datetime) -> None:
    """Close a deleted room's conversation; its messages stay."""
    require_atomic()
    if room.conversation_id is not None:
        conversations.deactivate(conversation_id=room.conversation_id, now=now)


def tell(
    *, room: Room, session_id: int | None, type: RoomEvent.Type, payload: Mapping[str, Any], now: datetime
) -> None:
    """Post a session's event in the room's conversation. Locks the conversation's row, after the room's."""
    require_atomic()
    say = _TEXTS.get(type)
    if say is None or room.conversation_id is None:
        return
    with suppress(RoomInactive):
        conversations.post_system_message(
            conversation_id=room.conversation_id,
            text=say(payload),
            meta={"event": type, "session_id": session_id},
            now=now,
        )


def _amount(minor: int) -> str:
    return format_amount_fixed(minor, decimals=AMOUNT_DECIMALS)


def _people(count: int) -> str:
    return f"{count} participant{'' if count == 1 else 's'}"


def _opened(payload: Mapping[str, Any]) -> str:
    return f"A new session is open for joining: {_amount(payload['entry_fee_minor'])} to take part."


def _running(payload: Mapping[str, Any]) -> str:
    return f"The session is running with {_people(payload['participants_count'])}."


def _out(payload: Mapping[str, Any]) -> str:
    verb = "was" if payload["refunded"] == 1 else "were"
    return f"The session was called off: {payload['reason']}. {_people(payload['refunded'])} {verb} refunded."


def _ended(payload: Mapping[str, Any]) -> str:
    best = payload["results"][0]
    return f"The session has ended. {best['username']} came first and won {_amount(best['prize_minor'])}."


_TEXTS: dict[RoomEvent.Type, Callable[[Mapping[str, Any]], str]] = {
    RoomEvent.Type.OPENED: _opened,
    RoomEvent.Type.RUNNING: _running,
    RoomEvent.Type.OUT: _out,
    RoomEvent.Type.ENDED: _ended,
}
