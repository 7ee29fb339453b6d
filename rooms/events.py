"""Room events: numbered, kept, and published after the commit (building blocks).

``RoomEvent`` is the truth; the published copy is a hint that lets sockets answer at once. Payloads speak the domain's
language: ids, minor units, times; they are kept and published with ISO times. Consumers make wire frames of them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db.models import Q, QuerySet

from core.db import sql
from core.db.transactions import require_atomic
from core.realtime.publishing import publish_on_commit
from rooms import outgoing, talk
from rooms.models import Room, RoomEvent, Session
from webhooks.outbox import IS_HEARD

Type = RoomEvent.Type

LOBBY_TOPIC = "rooms"


def room_topic(room_id: int) -> str:
    """The realtime address of one room."""
    return f"room:{room_id}"


def room_of(topic: str) -> int:
    """The room whose realtime address this is."""
    return int(topic.removeprefix("room:"))


def record(*, room: Room, session: Session | None, type: Type, payload: dict[str, Any], now: datetime) -> None:
    """Number, keep and, once committed, publish an event. Takes the room's row lock: call it last."""
    require_atomic()
    session_id = None if session is None else session.pk
    written = {
        name: value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value
        for name, value in payload.items()
    }
    kept = sql.call(
        "room_event", room.pk, session_id, type, orjson.dumps(written).decode(), now, also=outgoing.listening(type)
    )
    announce(room_id=room.pk, session_id=session_id, seq=kept["room_event"], type=type, payload=written, now=now)
    talk.tell(room=room, session_id=session_id, type=type, payload=payload, now=now)
    if session is not None and kept.get(IS_HEARD):
        outgoing.tell(subject=outgoing.Subject.of(session, room), type=type, payload=payload, now=now)


def record_room(*, room: Room, what: str, now: datetime) -> None:
    """Record that the room itself changed: its terms and status as they are now."""
    payload = {
        "change": what,
        "status": room.status,
        "name": room.name,
        "symbol": room.symbol,
        "entry_fee_minor": room.entry_fee_minor,
        "prize_shares_bp": room.prize_shares_bp,
        "max_participants": room.max_participants,
    }
    record(room=room, session=None, type=Type.ROOM_CHANGED, payload=payload, now=now)


def announce(
    *, room_id: int, session_id: int | None, seq: int, type: Type, payload: Mapping[str, Any], now: datetime
) -> None:
    """Publish an event that is already kept, to the room's topic and to the lobby, when the transaction commits."""
    require_atomic()
    event = {
        "type": type,
        "seq": seq,
        "room_id": room_id,
        "session_id": session_id,
        "at": now.astimezone(UTC).isoformat(timespec="milliseconds"),
        "payload": payload,
    }
    publish_on_commit(room_topic(room_id), event)
    publish_on_commit(LOBBY_TOPIC, event)


def prunable(*, before: datetime) -> QuerySet[RoomEvent]:
    """Events older than ``before`` that belong to no live session. Clients that missed them get a snapshot."""
    told_by_none = Q(session__isnull=True) | Q(session__status__in=Session.OVER)
    return RoomEvent.objects.filter(told_by_none, created_at__lt=before).order_by("id")
