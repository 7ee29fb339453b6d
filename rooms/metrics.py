"""Session metrics for operators; any process reads them from the database (queries)."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min

from core.observability.metrics import Reading
from rooms.models import Session


def readings(now: datetime) -> Iterator[Reading]:
    """Cheap at any size: live rows only."""
    live = Session.objects.filter(status__in=Session.LIVE)
    counts = dict.fromkeys((str(status) for status in Session.LIVE), 0)
    counts |= dict(live.order_by().values_list("status").annotate(Count("pk")))
    yield Reading(
        name="gameplatform_sessions_live", meaning="Sessions that are not over.", label="state", values=counts
    )
    yield Reading(
        name="gameplatform_sessions_quarantined",
        meaning="Live sessions set aside after failing too often; their money waits in escrow.",
        values={"": live.filter(quarantined_at__isnull=False).count()},
    )
    yield Reading(
        name="gameplatform_session_overdue_seconds",
        meaning="How long the session that waits longest for its step has waited.",
        label="step",
        values={
            "start": _overdue(Session.Status.PENDING, "starts_at", now),
            "settle": _overdue(Session.Status.RUNNING, "ends_at", now),
        },
    )


def _overdue(status: Session.Status, deadline: str, now: datetime) -> float:
    due = Session.objects.filter(status=status, quarantined_at__isnull=True, **{f"{deadline}__lte": now})
    first: datetime | None = due.aggregate(first=Min(deadline))["first"]
    return 0.0 if first is None else (now - first).total_seconds()
