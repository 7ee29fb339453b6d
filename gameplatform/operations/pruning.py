"""What the platform lets go after a time. A part that is to be pruned gets a line in ``parts``.

Nothing that `verify_ledger` reads is ever deleted. One-use tickets and signs of life stand in Redis and go by
themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from accounts import pruning
from backoffice import export_jobs
from backoffice import pruning as backoffice_pruning
from chat import retention
from core import idempotency
from core.db.batches import delete_in_batches
from payments import jobs
from rooms import events
from webhooks import deliveries

IDEMPOTENCY_KEPT = timedelta(hours=24)
EVENT_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Part:
    """One kind of rows: how many may go, and how they go. ``prune`` hears the size of each batch; answers the sum."""

    name: str
    count: Callable[[], int]
    prune: Callable[[Callable[[int], object]], int]


def rows(name: str, chosen: QuerySet[Any]) -> Part:
    """A part that is nothing but rows."""
    return Part(name=name, count=chosen.count, prune=lambda on_batch: delete_in_batches(chosen, on_batch))


def parts(*, now: datetime, event_days: int = EVENT_DAYS) -> list[Part]:
    """Everything that is pruned, in the order in which it is."""
    found = [
        rows("idempotency records", idempotency.prunable(older_than=IDEMPOTENCY_KEPT, now=now)),
        rows("sign-ins", pruning.expired_sign_ins(now=now)),
        rows("sign-ins at games", pruning.ended_game_tokens(now=now)),
        rows("refresh tokens", pruning.expired_tokens(now=now)),
        rows("ended sessions of the back-office", backoffice_pruning.ended_sessions(now=now)),
        rows("wrong passwords", backoffice_pruning.forgiven_failures(now=now)),
        rows("logins to the back-office", backoffice_pruning.old_logins(now=now)),
        rows("pot jobs", jobs.prunable(now=now)),
        rows("webhook events", deliveries.prunable(now=now)),
        rows("room events", events.prunable(before=now - timedelta(days=event_days))),
        Part(
            name="exports",
            count=export_jobs.expired(now).count,
            prune=lambda on_batch: export_jobs.prune(now),
        ),
    ]
    if settings.CHAT_MESSAGES_KEEP_DAYS:
        before = now - timedelta(days=settings.CHAT_MESSAGES_KEEP_DAYS)
        found.append(
            Part(
                name="chat messages",
                count=retention.old_messages(before=before).count,
                prune=lambda on_batch: retention.prune(before=before, on_batch=on_batch),
            )
        )
    return found
