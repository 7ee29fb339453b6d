"""Session states, and the only way from one to another (building blocks).

pending → running → ended · pending → out (refund) · running → void (refund). On the wire: pending, running, end, out
(contract: rooms, "Session life").
"""

from datetime import datetime

from django.utils.translation import gettext_noop

from accounts.models import User
from core.db.transactions import require_atomic
from rooms.errors import TransitionRefused
from rooms.models import Session, SessionTransition

Status = Session.Status

TRANSITIONS: dict[str, frozenset[str]] = {
    Status.PENDING: frozenset({Status.RUNNING, Status.OUT}),
    Status.RUNNING: frozenset({Status.ENDED, Status.VOID}),
    Status.ENDED: frozenset(),
    Status.OUT: frozenset(),
    Status.VOID: frozenset(),
}


def transition(*, session: Session, to: Session.Status, now: datetime, reason: str, actor: User | None = None) -> None:
    """Move a locked session to ``to`` and record the step. Raises ``TransitionRefused``."""
    require_atomic()
    if to not in TRANSITIONS[session.status]:
        raise TransitionRefused(
            gettext_noop("The session is %(state)s and cannot become %(to)s"), state=Status(session.status), to=to
        )
    before = session.status
    fields = {"status": to, "over_at": now if to in Session.OVER else None, "failures": 0, "last_error": ""}
    moved = Session.objects.filter(pk=session.pk, status=before).update(**fields)
    if moved != 1:
        raise TransitionRefused(gettext_noop("The session is no longer %(state)s"), state=Status(before))
    for name, value in fields.items():
        setattr(session, name, value)
    record_transition(session=session, before=before, now=now, reason=reason, actor=actor)


def record_transition(*, session: Session, before: str, now: datetime, reason: str, actor: User | None = None) -> None:
    """Record one step; ``before`` is empty for the opening."""
    require_atomic()
    SessionTransition.objects.create(
        session=session, from_status=before, to_status=session.status, at=now, actor=actor, reason=reason
    )
