"""What of a room's events is told by webhook: to the game's servers, the room's master and the platform (building
blocks; docs/webhooks.md).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.amounts import format_amount_fixed
from core.db.sql import Also
from core.db.transactions import require_atomic
from rooms.models import Session
from rooms.terms import AMOUNT_DECIMALS
from webhooks import outbox
from webhooks.catalogue import EventType
from webhooks.outbox import Audience

# By event type (rooms.events, which calls this module).
_TYPES = {
    "session.opened": EventType.SESSION_OPENED,
    "session.running": EventType.SESSION_STARTED,
    "session.ended": EventType.SESSION_ENDED,
    "session.out": EventType.SESSION_REFUNDED,
    "participant.joined": EventType.PARTICIPANT_JOINED,
    "participant.left": EventType.PARTICIPANT_LEFT,
}


def listening(type: str) -> Also | None:
    """For ``core.sql.call``: whether anybody is to be told of such an event; ``None``: nobody ever is."""
    return outbox.listening(_TYPES[type]) if type in _TYPES else None


def tell(*, session_id: int, type: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Tell of a session's event, once ``listening`` has said that somebody listens."""
    require_atomic()
    session = Session.objects.select_related("room", "token").defer("seed_encrypted").get(pk=session_id)
    room = session.room
    data = {
        "session_id": session.pk,
        "session": session.code,
        "status": session.status,
        "room_id": room.pk,
        "room_name": room.name,
        "game_id": room.game_id,
        "token": session.token.symbol,
        **{name.removesuffix("_minor"): _wire(name, value) for name, value in payload.items()},
    }
    audience = Audience(game_id=room.game_id, user_id=room.owner_id)
    outbox.record(type=_TYPES[type], data=data, audience=audience, now=now)


def _wire(name: str, value: Any) -> Any:
    """A value of an event as receivers get it: amounts as text in whole tokens, times with a Z."""
    if name == "results":
        return [{key.removesuffix("_minor"): _wire(key, part) for key, part in row.items()} for row in value]
    if name.endswith("_minor"):
        return format_amount_fixed(value, decimals=AMOUNT_DECIMALS)
    if name.endswith("_at"):
        return outbox.time_text(datetime.fromisoformat(value))
    return value
