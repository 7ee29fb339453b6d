"""This process's connection to the Redis-compatible server (``redis://``, ``rediss://`` or ``unix://``).

Redis holds nothing that must not be lost: counters of rate limits, signs of life, events on their way to sockets. So
every call is short, and an outage costs its callers next to nothing: after a failure nobody tries again for
``PAUSE_SECONDS``, and the log says once that Redis is away and once that it is back.
"""

import functools
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.observability import metrics

logger = logging.getLogger(__name__)

T = TypeVar("T")

TIMEOUT_SECONDS = 0.5
PAUSE_SECONDS = 0.5


class RedisAway(Exception):
    """Redis did not answer, or failed a moment ago and is not asked again yet."""


class _Connection:
    def __init__(self, url: str) -> None:
        # One immediate retry, on a new connection, when the server closed an idle one (it was restarted). A timeout
        # is not retried: whatever made the server slow, asking twice makes it worse.
        self._client: Any = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )
        self._lock = threading.Lock()
        self._paused_until = 0.0
        self._is_away = False
        self._changed_at = 0.0

    def run(self, command: Callable[[Any], T]) -> T:
        began_at = time.monotonic()
        if began_at < self._paused_until:
            raise RedisAway
        try:
            result = command(self._client)
        except (redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError) as error:
            self._note(away=True, began_at=began_at, reason=error)
            raise RedisAway from error
        if self._is_away:
            self._note(away=False, began_at=began_at)
        return result

    def _note(self, *, away: bool, began_at: float, reason: Exception | None = None) -> None:
        with self._lock:
            changed = away != self._is_away
            if changed and began_at < self._changed_at:
                # It was asked before Redis came or went: another thread knows better by now.
                return
            now = time.monotonic()
            self._is_away = away
            self._changed_at = now if changed else self._changed_at
            self._paused_until = now + PAUSE_SECONDS if away else 0.0
        if changed and away:
            metrics.REDIS_OUTAGES.inc()
            logger.warning("Redis is away: %s", reason)
        elif changed:
            logger.warning("Redis is back")


@functools.cache
def _connection(url: str) -> _Connection:
    return _Connection(url)


def run(command: Callable[[Any], T]) -> T:
    """The result of ``command(client)``; the client is shared by all threads. Raises ``RedisAway``.

    At most one second passes in it, whatever the server does (an answer of half a second, once more after a
    connection that was found closed).
    """
    return _connection(settings.REDIS_URL).run(command)
