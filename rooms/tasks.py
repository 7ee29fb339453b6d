"""Celery's entry to the rooms: beat says "look", the database says what is due."""

from celery import shared_task

from core.db import clock
from core.observability import health
from rooms import reconciliation, tick


@shared_task(ignore_result=True)
def advance() -> None:
    """One tick, and the sign of life that `/readyz` looks for."""
    now = clock.now()
    tick.advance(now=now)
    health.beat_heartbeat(now)


@shared_task(ignore_result=True)
def reconcile() -> None:
    """The hourly reconciliation."""
    reconciliation.reconcile(now=clock.now())
