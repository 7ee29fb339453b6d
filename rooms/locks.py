"""Row locks by name, in the one order that all code keeps.

Session → Contest → Escrow and the other accounts by id → Room → Conversation. Players need no lock: their rows are
only referenced. ``FOR NO KEY UPDATE`` leaves room for the foreign keys that point at the locked row.
"""

from datetime import datetime

from django.db.models import QuerySet

from core.db.transactions import require_atomic
from rooms.errors import RoomNotFound, SessionNotFound
from rooms.models import Room, Session


def lock_session(session_id: int) -> Session:
    """Lock the session; waits for the holder. Raises ``SessionNotFound``."""
    require_atomic()
    session = Session.objects.select_for_update(no_key=True).filter(pk=session_id).first()
    if session is None:
        raise SessionNotFound()
    return session


def claim_session(due: QuerySet[Session]) -> Session | None:
    """The one session ``due`` selects, locked, or ``None`` when it is no longer due or another worker holds it."""
    require_atomic()
    return due.select_for_update(no_key=True, skip_locked=True).first()


def lock_room(room_id: int) -> Room:
    """The room, locked, deleted or not. Raises ``RoomNotFound``."""
    require_atomic()
    room = Room.objects.select_for_update(no_key=True).filter(pk=room_id).first()
    if room is None:
        raise RoomNotFound()
    return room


def claim_room_due(*, room_id: int, now: datetime) -> Room | None:
    """The room, locked, if its next session is due; ``None`` when not, or when another worker holds it."""
    require_atomic()
    due = Room.objects.filter(pk=room_id, status=Room.Status.OPEN, next_open_at__lte=now)
    return due.select_for_update(no_key=True, skip_locked=True).first()
