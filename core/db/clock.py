"""The clock, read once at the edge; below it ``now`` is a parameter.

With ``CLOCK_SOURCE=database`` (the default of a running platform) the time is the database's: each process samples the
database clock every ``RESAMPLE_SECONDS`` and adds the monotonic time since. A host whose clock is wrong, or leaps, then
still agrees with every other host about every deadline. With ``CLOCK_SOURCE=host`` (tests) it is the host's clock, so
that time-machine can move it.
"""

import threading
import time
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection

RESAMPLE_SECONDS = 10.0


class DatabaseClock:
    """The database's time: sampled at intervals, advanced by this process's monotonic clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sampled_at: float | None = None
        self._sample = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        with self._lock:
            elapsed = None if self._sampled_at is None else time.monotonic() - self._sampled_at
            if elapsed is None or elapsed > RESAMPLE_SECONDS:
                self._resample()
                elapsed = 0.0
            return self._sample + timedelta(seconds=elapsed)

    def _resample(self) -> None:
        before = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            row = cursor.fetchone()
        after = time.monotonic()
        assert row is not None
        # The answer was made somewhere between sending and receiving: the middle halves the error. The sample is
        # dated `after`, so half of the round trip is added to it.
        self._sample = row[0].astimezone(UTC) + timedelta(seconds=(after - before) / 2)
        self._sampled_at = after


_database_clock = DatabaseClock()


def now() -> datetime:
    """The current time, UTC. Call it once per request, frame, task or command."""
    if settings.CLOCK_SOURCE == "host":
        return datetime.now(UTC)
    return _database_clock.now()
