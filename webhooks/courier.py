"""Takes what is due to where it goes: the only thing that moves deliveries (called each second by `webhooks.tasks`).

Any number of processes may do so at once: a delivery belongs to who claimed it. Attempts wait in threads of their own,
which know no database, and what is free again goes on to the next endpoint while slow ones are waited for.
"""

import logging
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

from core.observability import metrics
from webhooks import deliveries
from webhooks.addresses import Resolver, look_up
from webhooks.deliveries import Claimed
from webhooks.sending import Outcome, send
from webhooks.signing import signed_headers

logger = logging.getLogger(__name__)

SENDERS = 32
# A tick must end some time, for the worker to be able to stop; the next one goes on.
ROUND_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.5

# A worker has few threads, and sessions wait for them too: webhooks take one at most.
_one_at_a_time = threading.Lock()


def advance(*, now: datetime, resolve: Resolver = look_up) -> int:
    """Attempt what is due, until nothing is or 10 s are over; how many attempts were made.

    0, at once, when another thread of this process is at it.
    """
    if not _one_at_a_time.acquire(blocking=False):
        return 0
    try:
        return _round(now, resolve)
    finally:
        _one_at_a_time.release()


def _round(now: datetime, resolve: Resolver) -> int:
    began = time.monotonic()
    attempts = 0
    flying: dict[Future[Outcome], Claimed] = {}

    def moment() -> datetime:
        return now + timedelta(seconds=time.monotonic() - began)

    claimed = deliveries.claim_due(limit=SENDERS, now=moment())
    if not claimed:
        return 0
    with ThreadPoolExecutor(SENDERS, thread_name_prefix="webhook") as senders:
        while claimed or flying:
            for one in claimed:
                flying[senders.submit(attempt, claimed=one, now=moment(), resolve=resolve)] = one
            attempts += len(claimed)
            done, _ = wait(flying, timeout=LOOK_AGAIN_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                _settle(flying.pop(future), future.result(), moment())
            free = SENDERS - len(flying)
            is_over = time.monotonic() - began > ROUND_SECONDS
            claimed = [] if is_over or free == 0 else deliveries.claim_due(limit=free, now=moment())
    return attempts


def attempt(*, claimed: Claimed, now: datetime, resolve: Resolver = look_up) -> Outcome:
    """Sign and send; touches no database. Never raises: whatever goes wrong is the attempt's outcome."""
    try:
        headers = signed_headers(message_id=claimed.message_id, body=claimed.body, secrets=claimed.secrets, now=now)
        return send(url=claimed.url, headers=headers, body=claimed.body, now=now, resolve=resolve)
    except Exception:
        logger.exception("delivery %s could not be attempted", claimed.delivery_id)
        return Outcome(error="Internal error")


def _settle(claimed: Claimed, outcome: Outcome, now: datetime) -> None:
    state = deliveries.settle(claimed=claimed, outcome=outcome, now=now)
    result = "lost" if state is None else "failed" if state == deliveries.State.PENDING else state
    metrics.WEBHOOK_ATTEMPTS.labels(result).inc()
    if result == deliveries.State.DEAD:
        logger.warning("delivery %s is given up: %s", claimed.delivery_id, outcome.error)
