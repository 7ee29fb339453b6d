"""The tick: do what is due. Nothing else moves sessions (`rooms.tasks` calls it each second).

Concurrent ticks do everything once: each step claims its row in its own transaction, so a failure never holds up the
next step. A session that keeps failing is quarantined for staff; one whose token is frozen is tried again until it
is released.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Q

from core.db.transactions import use_case
from core.errors import Unavailable
from core.observability import metrics
from rooms import lifecycle, membership, settlement
from rooms.models import Room, Session

logger = logging.getLogger(__name__)

DUE_MAX = 500
FAILURES_MAX = 5
UNAVAILABLE_RETRY_SECONDS = 30


@dataclass
class TickReport:
    """The report of one tick."""

    opened: list[int] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    put_off: list[int] = field(default_factory=list)

    def is_idle(self) -> bool:
        """Whether nothing was due."""
        return not (self.opened or self.started or self.settled or self.failed or self.put_off)


def advance(*, now: datetime) -> TickReport:
    """Settle what has ended, start or cancel what is to start, open what is due: oldest first, at most DUE_MAX each."""
    report = TickReport()
    for session_id, due_at in _due_sessions(Session.Status.RUNNING, "ends_at", now):
        if _timed_step("settle", settlement.settle_session, session_id, due_at, now, report):
            report.settled.append(session_id)
    for session_id, due_at in _due_sessions(Session.Status.PENDING, "starts_at", now):
        if _timed_step("start", lifecycle.start_session, session_id, due_at, now, report):
            report.started.append(session_id)
    for room_id in _due_rooms(now):
        try:
            if lifecycle.open_next_session(room_id=room_id, now=now) is not None:
                report.opened.append(room_id)
        except Exception:
            logger.exception("room %s could not open its next session", room_id)
            _postpone_opening(room_id=room_id, now=now)
    membership.settle_overdue(now=now)
    return report


def due(*, now: datetime) -> TickReport:
    """What ``advance`` would do at ``now``, without doing it."""
    return TickReport(
        opened=list(_due_rooms(now)),
        started=[session_id for session_id, _ in _due_sessions(Session.Status.PENDING, "starts_at", now)],
        settled=[session_id for session_id, _ in _due_sessions(Session.Status.RUNNING, "ends_at", now)],
    )


def _due_sessions(status: Session.Status, deadline: str, now: datetime) -> Iterable[tuple[int, datetime]]:
    """Id and deadline, the oldest deadline first."""
    return list(
        Session.objects.filter(
            Q(retry_at__isnull=True) | Q(retry_at__lte=now), status=status, quarantined_at__isnull=True
        )
        .filter(**{f"{deadline}__lte": now})
        .order_by(deadline, "id")
        .values_list("pk", deadline)[:DUE_MAX]
    )


def _due_rooms(now: datetime) -> Iterable[int]:
    due = Room.objects.filter(status=Room.Status.OPEN, next_open_at__lte=now)
    return list(due.order_by("next_open_at", "id").values_list("pk", flat=True)[:DUE_MAX])


def _timed_step(
    step: str, move: Callable[..., bool], session_id: int, due_at: datetime, now: datetime, report: TickReport
) -> bool:
    with metrics.STEP_SECONDS.labels(step).time():
        is_moved = _step(step, move, session_id, now, report)
    if is_moved:
        metrics.LATENESS_SECONDS.labels(step).observe((now - due_at).total_seconds())
    return is_moved


def _step(step: str, move: Callable[..., bool], session_id: int, now: datetime, report: TickReport) -> bool:
    try:
        return move(session_id=session_id, now=now)
    except Unavailable as refusal:
        logger.warning("session %s is put off: %s", session_id, refusal.message)
        report.put_off.append(session_id)
        _put_off(session_id=session_id, now=now)
        return False
    except Exception as error:
        logger.exception("session %s could not be moved on", session_id)
        metrics.STEP_FAILURES.labels(step).inc()
        report.failed.append(session_id)
        _record_failure(session_id=session_id, now=now, error=f"{type(error).__name__}: {error}"[:500])
        return False


@use_case
def _put_off(*, session_id: int, now: datetime) -> None:
    Session.objects.filter(pk=session_id).update(retry_at=now + timedelta(seconds=UNAVAILABLE_RETRY_SECONDS))


@use_case
def _record_failure(*, session_id: int, now: datetime, error: str) -> None:
    session = Session.objects.select_for_update(no_key=True).get(pk=session_id)
    session.failures += 1
    session.last_error = error
    session.retry_at = now + timedelta(seconds=2**session.failures)
    if session.failures >= FAILURES_MAX:
        session.quarantined_at = now
    session.save(update_fields=["failures", "last_error", "retry_at", "quarantined_at"])


@use_case
def _postpone_opening(*, room_id: int, now: datetime) -> None:
    failing = Room.objects.filter(pk=room_id, open_failures__lt=FAILURES_MAX)
    if not failing.update(open_failures=F("open_failures") + 1, next_open_at=now + timedelta(seconds=10)):
        Room.objects.filter(pk=room_id).update(next_open_at=now + timedelta(minutes=10))
