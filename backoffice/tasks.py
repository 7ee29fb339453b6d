"""Celery's entry to the exports: beat says "look", the database says what is unfinished."""

from celery import shared_task

from backoffice import export_jobs
from core.db import clock


@shared_task(ignore_result=True)
def advance_exports() -> None:
    """Write the export whose turn it is."""
    export_jobs.run_next(clock=clock.now)
