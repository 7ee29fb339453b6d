"""Celery's entry to the books."""

from celery import shared_task

from gameplatform.core import clock
from payments import seals


@shared_task(ignore_result=True)
def seal_ledger() -> None:
    """Seal what was booked since the last time."""
    seals.seal_ledger(now=clock.now())
