"""Quarantine: sessions set aside because they kept failing, and their release (use case)."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from accounts import roles
from accounts.models import User
from core import trail
from core.db.transactions import use_case
from rooms import locks
from rooms.errors import NotQuarantined
from rooms.lifecycle import CHANGE_SESSIONS
from rooms.models import Session
from rooms.transitions import record_transition


def quarantined() -> QuerySet[Session]:
    """The live sessions that the tick skips, longest waiting first."""
    live = Session.objects.filter(quarantined_at__isnull=False, status__in=Session.LIVE)
    return live.select_related("room", "token").order_by("quarantined_at", "id")


@use_case
def retry(*, session_id: int, now: datetime, reason: str, actor: User | None = None) -> None:
    """Release the session to the next tick. Raises ``NotPermitted``, ``SessionNotFound``, ``NotQuarantined``."""
    roles.require(actor, CHANGE_SESSIONS)
    session = locks.lock_session(session_id)
    if session.quarantined_at is None or session.status not in Session.LIVE:
        raise NotQuarantined()
    before = {"quarantined_at": session.quarantined_at, "last_error": session.last_error}
    session.quarantined_at, session.retry_at, session.failures = None, None, 0
    # The error stays readable until the session moves on.
    session.save(update_fields=["quarantined_at", "retry_at", "failures"])
    record_transition(session=session, before=session.status, now=now, reason=f"retried: {reason}"[:200], actor=actor)
    trail.record(
        actor=actor, action=gettext_noop("session retried"), target=session, reason=reason, before=before, now=now
    )
