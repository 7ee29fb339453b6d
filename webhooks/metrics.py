"""What an operator watches of the webhooks, read from the database (queries)."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count

from core.observability.metrics import Reading
from webhooks.models import Delivery, Endpoint

State = Delivery.State


def readings(now: datetime) -> Iterator[Reading]:
    """Cheap at any size: what was delivered is not counted here but where it is done."""
    unfinished = (State.PENDING, State.DEAD)
    counts = dict.fromkeys((str(state) for state in unfinished), 0)
    rows = Delivery.objects.filter(state__in=unfinished).order_by()
    counts |= dict(rows.values_list("state").annotate(Count("pk")))
    yield Reading(
        name="gameplatform_webhooks",
        meaning="Deliveries on their way, and those given up (until they are replayed or pruned).",
        label="state",
        values=counts,
    )
    yield Reading(
        name="gameplatform_webhook_overdue_seconds",
        meaning="How long the delivery that waits longest has waited for its attempt, where nothing fails.",
        values={"": _overdue(now)},
    )
    disabled = Endpoint.objects.filter(disabled_at__isnull=False, deleted_at__isnull=True)
    yield Reading(
        name="gameplatform_webhook_endpoints_disabled",
        meaning="Endpoints that nothing is sent to any more.",
        values={"": disabled.count()},
    )


def _overdue(now: datetime) -> float:
    """Not where a receiver fails, which gets one at a time, or an owner was switched off: there it waits rightly."""
    due = Delivery.objects.filter(state=State.PENDING, next_attempt_at__lte=now, endpoint__failing_since__isnull=True)
    due = due.exclude(endpoint__client__is_active=False).exclude(endpoint__user__is_active=False)
    due = due.exclude(endpoint__user__is_master=False)
    first = due.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
    return 0.0 if first is None else (now - first).total_seconds()
