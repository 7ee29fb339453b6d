"""Celery's entry to the nightly tidying up."""

import logging

from celery import shared_task

from core.db import clock
from gameplatform.operations import pruning

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def prune() -> None:
    """Delete expired rows. A part that fails or is stopped goes on the next night."""
    for part in pruning.parts(now=clock.now()):
        try:
            logger.info("pruned %s: %s", part.name, part.prune(lambda count: None))
        except Exception:
            logger.exception("%s could not be pruned", part.name)
