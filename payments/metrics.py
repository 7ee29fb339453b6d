"""Metrics of the books and of pots' jobs; any process reads them from the database (queries)."""

from collections.abc import Iterator
from datetime import datetime

from django.db import connection
from django.db.models import Count, Min

from core.observability.metrics import Reading
from payments.models import Job, Token

# Above this the exact number adds nothing, and counting costs.
PENDING_COUNTED_MAX = 10_000


def readings(now: datetime) -> Iterator[Reading]:
    """Cheap at any size: the ledger's sequence in place of a count, and jobs by the index of those that wait."""
    yield Reading(
        name="gameplatform_transfers",
        meaning="Transfers booked so far, by the ledger's sequence: one that was rolled back counts too.",
        values={"": _last_transfer()},
    )
    yield Reading(
        name="gameplatform_tokens_frozen",
        meaning="Tokens frozen until staff have checked the books.",
        values={"": Token.objects.filter(payouts_frozen_at__isnull=False).count()},
    )
    waiting = Job.objects.filter(status=Job.Status.PENDING).order_by("due_at", "id")[:PENDING_COUNTED_MAX]
    found = waiting.values("created_at").aggregate(count=Count("created_at"), first=Min("created_at"))
    yield Reading(
        name="gameplatform_jobs_pending",
        meaning=f"Jobs of pots that wait for a worker; more than {PENDING_COUNTED_MAX} are not counted.",
        values={"": found["count"]},
    )
    yield Reading(
        name="gameplatform_job_waiting_seconds",
        meaning="How long ago the oldest pending job was asked for.",
        values={"": 0.0 if found["first"] is None else (now - found["first"]).total_seconds()},
    )


def _last_transfer() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('payments_transfer', 'id')::regclass), 0)"
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])
