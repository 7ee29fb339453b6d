"""Celery's entry to the webhooks: beat says "look", the database says what is due."""

from celery import shared_task

from core.db import clock
from webhooks import courier


@shared_task(ignore_result=True)
def advance() -> None:
    """One tick."""
    courier.advance(now=clock.now())
