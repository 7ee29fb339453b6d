"""What all ends of a session share: the full refund and the way to the next session (building blocks)."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from core.db import sql
from core.db.transactions import require_atomic
from payments.errors import TokenFrozen
from rooms import events, locks, talk, terms
from rooms.models import Room, RoomEvent, Session
from rooms.transitions import transition
from rounds import contests


def close_with_refund(
    *, session: Session, to: Session.Status, now: datetime, reason: str, actor: User | None = None
) -> None:
    """Refund every paid participant in full and end the locked session as ``to`` (out or void), all or nothing.

    Raises ``TransitionRefused``, ``TokenFrozen``.
    """
    require_atomic()
    transition(session=session, to=to, now=now, reason=reason, actor=actor)
    if session.contest_id is not None:
        contests.freeze(contest_id=session.contest_id, tickets={}, now=now)
    refund = sql.call("session_refund", session.pk, uuid.uuid4(), now)
    if refund["result"] == "token_frozen":
        raise TokenFrozen()
    finish(
        session=session,
        room=locks.lock_room(session.room_id),
        type=events.Type.OUT,
        payload={"reason": reason, "refunded": refund["entries"], "pool_minor": refund["pool_minor"]},
        now=now,
    )


def finish(*, session: Session, room: Room, type: RoomEvent.Type, payload: dict[str, Any], now: datetime) -> None:
    """End a session: date the locked room's next one, record the event, close a deleted room. Call it last."""
    require_atomic()
    _schedule_next(room=room, now=now)
    events.record(room=room, session=session, type=type, payload=payload, now=now)
    if room.status == Room.Status.DELETED:
        talk.close_conversation(room=room, now=now)


def _schedule_next(*, room: Room, now: datetime) -> None:
    """Apply a pending change and date the room's next session, its gap after this one's end."""
    changed = terms.apply_pending(room=room)
    room.next_open_at = now + timedelta(seconds=room.gap_seconds) if room.status == Room.Status.OPEN else None
    room.save(update_fields=["next_open_at", "pending_change", "pending_name", *(terms.TERM_NAMES if changed else ())])
    if changed:
        events.record_room(room=room, what="edited", now=now)
