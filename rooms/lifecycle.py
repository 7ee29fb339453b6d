"""Session lifecycle: open, start or cancel, void (use cases). Settlement is in `rooms.settlement`."""

from datetime import datetime

from django.utils.translation import gettext_noop

from accounts import roles
from accounts.models import User
from core import trail
from core.db.transactions import use_case
from rooms import closing, draw, events, locks, opening
from rooms.models import Participant, Session
from rooms.transitions import transition

# Voiding, calling off and retrying sessions.
CHANGE_SESSIONS = "rooms.change_session"
NOT_ENOUGH = gettext_noop("not enough participants")


@use_case
def open_next_session(*, room_id: int, now: datetime) -> int | None:
    """Open the room's next session if it is due. Returns its id, or ``None``."""
    room = locks.claim_room_due(room_id=room_id, now=now)
    if room is None:
        return None
    return opening.open_in(room=room, now=now).pk


@use_case
def start_session(*, session_id: int, now: datetime) -> bool:
    """At its start time: run the session when every prize can be won, else cancel it and refund all.

    False when it is not due, already started, or in another worker's hands.
    """
    due = Session.objects.filter(pk=session_id, status=Session.Status.PENDING, starts_at__lte=now)
    session = locks.claim_session(due)
    if session is None:
        return False
    if session.participants_count < len(session.prize_shares_bp):
        closing.close_with_refund(session=session, to=Session.Status.OUT, now=now, reason=NOT_ENOUGH)
        return True
    entries = Participant.objects.filter(session=session, status=Participant.Status.PAID)
    entry_ids = [str(public_id) for public_id in entries.values_list("public_id", flat=True)]
    session.draw_roster = draw.roster(session_id=str(session.public_id), entry_ids=entry_ids)
    session.save(update_fields=["draw_roster"])
    transition(session=session, to=Session.Status.RUNNING, now=now, reason=gettext_noop("started"))
    events.record(
        room=session.room,
        session=session,
        type=events.Type.RUNNING,
        payload={
            "participants_count": session.participants_count,
            "ends_at": session.ends_at,
            "draw_roster": session.draw_roster,
        },
        now=now,
    )
    return True


@use_case
def void_session(*, session_id: int, now: datetime, actor: User | None, reason: str) -> None:
    """End a live session without a winner and refund all entries: pending → out, running → void.

    Raises ``NotPermitted``, ``SessionNotFound``, ``TokenFrozen``, or ``TransitionRefused`` when it is over already.
    """
    roles.require(actor, CHANGE_SESSIONS)
    session = locks.lock_session(session_id)
    to = Session.Status.OUT if session.status == Session.Status.PENDING else Session.Status.VOID
    before = {"status": session.status, "entries": session.participants_count}
    closing.close_with_refund(session=session, to=to, now=now, reason=reason, actor=actor)
    _record(gettext_noop("session voided and refunded"), session, before, now, actor, reason)


@use_case
def call_off_session(*, session_id: int, now: datetime, actor: User | None, reason: str) -> None:
    """Cancel a session that has not started and refund all entries: pending → out.

    Raises ``NotPermitted``, ``SessionNotFound``, ``TokenFrozen``, and ``TransitionRefused`` when it runs or is over.
    """
    roles.require(actor, CHANGE_SESSIONS)
    session = locks.lock_session(session_id)
    before = {"status": session.status, "entries": session.participants_count}
    closing.close_with_refund(session=session, to=Session.Status.OUT, now=now, reason=reason, actor=actor)
    _record(gettext_noop("session called off and refunded"), session, before, now, actor, reason)


def _record(
    action: str, session: Session, before: dict[str, object], now: datetime, actor: User | None, reason: str
) -> None:
    after = {"status": session.status}
    trail.record(actor=actor, action=action, target=session, reason=reason, before=before, after=after, now=now)
