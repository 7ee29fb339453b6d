"""Celery's entry to the nightly tidying up."""

import logging

from celery import shared_task

from core.db import clock
from gameplatform.operations import pruning

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def prune() -> None:
    """Delete what nobody can use any more. Stopped, or failed in one part, it goes on with the rest the next night."""
    for part in pruning.parts(now=clock.now()):
        try:
            logger.info("pruned %s: %s", part.name, part.prune(lambda count: None))
        except Exception:
            logger.exception("%s could not be pruned", part.name)
