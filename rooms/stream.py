"""Live streams of rooms: a snapshot with its event number, and the events after it.

A snapshot with number n plus every event after n is what a fresh snapshot shows.
"""

from dataclasses import dataclass

from django.db import connection, transaction

from rooms import queries
from rooms.errors import RoomNotFound
from rooms.models import RoomEvent, Session

# A client further behind than this gets a snapshot instead of events.
RESUME_EVENTS_MAX = 500
# Tickets of this purpose open the streams.
TICKET_PURPOSE = "game-rooms"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A room at the moment after its event ``seq``: its row, its current session, who is in it, how it ended."""

    seq: int
    room: queries.Row
    session: Session | None
    joiners: list[queries.Row]
    standings: list[queries.Row]


def snapshot(room_id: int) -> Snapshot:
    """The room as of one instant. Raises ``RoomNotFound``."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            # One view of the database for the four statements, so that they agree with the number.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = queries.visible_rooms().filter(pk=room_id).values(*queries.ROOM_FIELDS).first()
        if row is None:
            raise RoomNotFound()
        session = queries.session_with_room(row["current_session__id"]) if row["current_session__id"] else None
        return Snapshot(
            seq=row["event_seq"],
            room=row,
            session=session,
            joiners=list(queries.participant_rows(queries.entries_of([session.pk]))) if session else [],
            standings=list(queries.standings(session.pk)) if session else [],
        )


def latest_seq(room_id: int) -> int:
    """The number of the room's latest event. Raises ``RoomNotFound``."""
    seq = queries.visible_rooms().filter(pk=room_id).values_list("event_seq", flat=True).first()
    if seq is None:
        raise RoomNotFound()
    return seq


def events_after(*, room_id: int, seq: int, limit: int) -> list[queries.Row]:
    """The room's kept events after number ``seq``, oldest first, at most ``limit``."""
    kept = RoomEvent.objects.filter(room_id=room_id, seq__gt=seq).order_by("seq")
    return list(kept.values("room_id", "session_id", "seq", "type", "payload", "created_at")[:limit])


def can_resume(*, room_id: int, seq: int) -> bool:
    """Whether all events after ``seq`` are kept, and few enough to send one by one."""
    behind = latest_seq(room_id) - seq
    if not 0 <= behind <= RESUME_EVENTS_MAX:
        return False
    return RoomEvent.objects.filter(room_id=room_id, seq__gt=seq).count() == behind
