"""Celery's entry to the books, and to the pots: a hint that a job was made, and the tick for jobs no hint reached."""

import uuid

from celery import shared_task

from core import sealing
from core.db import clock
from payments import jobs
from payments.seals import CHAINS


@shared_task(ignore_result=True)
def seal_ledger() -> None:
    """Seal the transfers and audit entries since the last time."""
    now = clock.now()
    for chain in CHAINS:
        sealing.seal_rows(chain, now=now)


@shared_task(ignore_result=True)
def run_job(public_id: str) -> None:
    """Do one job unless it is done. Delivered twice, it acts once."""
    jobs.run(public_id=uuid.UUID(public_id), now=clock.now())


@shared_task(ignore_result=True)
def advance() -> None:
    """One tick: do what is still pending."""
    jobs.sweep(now=clock.now())
