"""Webhooks of room events: for the game's servers, the room's master and the platform (building blocks;
docs/webhooks.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.amounts import format_amount_fixed
from core.db.sql import Also
from core.db.transactions import require_atomic
from rooms.models import Room, RoomEvent, Session
from rooms.terms import AMOUNT_DECIMALS
from webhooks import outbox
from webhooks.catalogue import EventType
from webhooks.outbox import Audience

_TYPES = {
    RoomEvent.Type.OPENED: EventType.SESSION_OPENED,
    RoomEvent.Type.RUNNING: EventType.SESSION_STARTED,
    RoomEvent.Type.ENDED: EventType.SESSION_ENDED,
    RoomEvent.Type.OUT: EventType.SESSION_REFUNDED,
    RoomEvent.Type.JOINED: EventType.PARTICIPANT_JOINED,
    RoomEvent.Type.LEFT: EventType.PARTICIPANT_LEFT,
}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The session that an event is about, as SQL's ``session_subject`` answers it too."""

    session_id: int
    code: str
    status: str
    room_id: int
    room_name: str
    game_id: int
    owner_id: int
    token: str

    @classmethod
    def of(cls, session: Session, room: Room) -> "Subject":
        return cls(
            session_id=session.pk,
            code=session.code,
            status=session.status,
            room_id=room.pk,
            room_name=room.name,
            game_id=room.game_id,
            owner_id=room.owner_id,
            token=session.token.symbol,
        )


def listening(type: RoomEvent.Type) -> Also | None:
    """For ``core.db.sql.call``: whether an endpoint listens to such events; ``None``: they are not told."""
    return outbox.listening(_TYPES[type]) if type in _TYPES else None


def tell(*, subject: Subject, type: RoomEvent.Type, payload: Mapping[str, Any], now: datetime) -> None:
    """Record the webhook of a session's event, once ``listening`` has said that an endpoint listens."""
    require_atomic()
    data = {
        "session_id": subject.session_id,
        "session": subject.code,
        "status": subject.status,
        "room_id": subject.room_id,
        "room_name": subject.room_name,
        "game_id": subject.game_id,
        "token": subject.token,
        **{name.removesuffix("_minor"): _wire(name, value) for name, value in payload.items()},
    }
    audience = Audience(game_id=subject.game_id, user_id=subject.owner_id)
    outbox.record(type=_TYPES[type], data=data, audience=audience, now=now)


def _wire(name: str, value: Any) -> Any:
    """An event's value on the wire: amounts as text in whole tokens, times with a Z."""
    if name == "results":
        return [{key.removesuffix("_minor"): _wire(key, part) for key, part in row.items()} for row in value]
    if name.endswith("_minor"):
        return format_amount_fixed(value, decimals=AMOUNT_DECIMALS)
    if isinstance(value, datetime):
        return outbox.time_text(value)
    return value
