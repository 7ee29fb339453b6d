"""Delete many rows in batches, without holding up other transactions."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

BATCH_ROWS = 1_000


def delete_in_batches(rows: QuerySet[Any], on_batch: Callable[[int], object] = lambda count: None) -> int:
    """Delete ``rows`` (with cascades), 1,000 at a time, each batch on its own. Returns the number of ``rows``.

    ``on_batch`` gets the number of each batch. After an interruption the next run continues.
    """
    model = rows.model
    total = 0
    while True:
        _, by_model = model._default_manager.filter(pk__in=rows.values("pk")[:BATCH_ROWS]).delete()
        deleted: int = by_model.get(model._meta.label, 0)
        total += deleted
        on_batch(deleted)
        if deleted < BATCH_ROWS:
            return total
