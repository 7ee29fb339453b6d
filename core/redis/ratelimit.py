"""How often somebody may do something, counted in Redis by one script for all processes together.

The rule is GCRA, a token bucket that needs one number per bucket: the time at which it will be full again. A bucket
holds ``limit`` tokens and gets them back evenly over the window. A fixed window would let twice the limit through
around its edge; a sliding log would store one entry per request. A request that one of its buckets refuses takes from
none of them.
"""

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from core.errors import Unavailable
from core.redis import connection as redis_connection
from core.redis.connection import RedisAway

LOCAL_BUCKETS_MAX = 10_000
_WINDOWS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RATE = re.compile(r"([1-9][0-9]{0,5})/([smhd])", re.ASCII)

# Times in microseconds, whole numbers all the way: a Lua number holds them exactly. KEYS: one per bucket. ARGV: the
# time ('' for the server's own), then interval and window per bucket. Answers allowed, then {full_at - now} per bucket,
# as it was found when refused and as it is left when allowed. A bucket that seems emptier than empty is one from
# before the clock was set back: it counts as full, and locks nobody out.
_SCRIPT = """
local now = tonumber(ARGV[1])
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end
local allowed, full_at, fuller_at = 1, {}, {}
for i, key in ipairs(KEYS) do
    local interval, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
    full_at[i] = tonumber(redis.call('GET', key)) or now
    if full_at[i] < now or full_at[i] > now + window then
        full_at[i] = now
    end
    fuller_at[i] = full_at[i] + interval
    if fuller_at[i] - now > window then
        allowed = 0
    end
end
local answer = {allowed}
for i, key in ipairs(KEYS) do
    if allowed == 1 then
        redis.call('SET', key, string.format('%.0f', fuller_at[i]), 'PX', math.ceil((fuller_at[i] - now) / 1000))
        answer[i + 1] = fuller_at[i] - now
    else
        answer[i + 1] = full_at[i] - now
    end
end
return answer
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """``limit`` times per ``window_seconds`` for ``identity`` in ``scope``."""

    scope: str
    identity: str
    limit: int
    window_seconds: int

    @property
    def key(self) -> str:
        # Hashed: an identity may be long, and an address or a name has no business in Redis' key space.
        digest = hashlib.blake2b(self.identity.encode(), digest_size=16).hexdigest()
        return f"rate:{self.scope}:{digest}"

    @property
    def window_us(self) -> int:
        return self.window_seconds * 1_000_000

    @property
    def interval_us(self) -> int:
        """From one token to the next; rounded down, so that a full bucket always holds ``limit``."""
        return self.window_us // self.limit


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the request may pass, and where its tightest bucket stands now."""

    allowed: bool
    limit: int
    remaining: int
    retry_after_seconds: float
    """0 when allowed."""
    reset_seconds: float
    """Until the bucket is full again."""


def bucket(scope: str, identity: str) -> Bucket:
    """The bucket of ``identity`` at the rate that ``settings.RATE_LIMITS`` gives ``scope``, such as ``60/m``."""
    rate = settings.RATE_LIMITS[scope]
    match = _RATE.fullmatch(rate)
    if match is None:
        raise ImproperlyConfigured(f"The rate limit {scope!r} must look like 60/m (s, m, h or d), not {rate!r}")
    return Bucket(scope, identity, int(match.group(1)), _WINDOWS[match.group(2)])


def check(*buckets: Bucket, fail_open: bool, now: datetime | None = None) -> Decision:
    """Take one token from each bucket if all have one; ``now`` defaults to Redis' own clock.

    When Redis is away, ``fail_open=True`` counts in this process alone, and ``fail_open=False`` (money) raises
    ``Unavailable``. With ``RATE_LIMITS_ENABLED`` off everything is allowed and nothing counted.
    """
    if not settings.RATE_LIMITS_ENABLED:
        return Decision(True, buckets[0].limit, buckets[0].limit, 0.0, 0.0)
    now_us = None if now is None else round(now.timestamp() * 1_000_000)
    arguments: list[int | str] = ["" if now_us is None else now_us]
    for each in buckets:
        arguments += [each.interval_us, each.window_us]

    def run(client: Any) -> list[int]:
        answer: list[int] = client.register_script(_SCRIPT)([each.key for each in buckets], arguments)
        return answer

    try:
        allowed, *until_full = redis_connection.run(run)
    except RedisAway:
        if not fail_open:
            raise Unavailable from None
        allowed, *until_full = _local.take(buckets, time.time_ns() // 1_000 if now_us is None else now_us)
    return _tightest(buckets, bool(allowed), until_full)


def _tightest(buckets: Sequence[Bucket], allowed: bool, until_full: Sequence[int]) -> Decision:
    decisions = []
    for each, until_full_us in zip(buckets, until_full, strict=True):
        wait_us = 0 if allowed else max(0, until_full_us + each.interval_us - each.window_us)
        decisions.append(
            Decision(
                allowed=allowed,
                limit=each.limit,
                remaining=(each.window_us - until_full_us) // each.interval_us,
                retry_after_seconds=wait_us / 1_000_000,
                reset_seconds=until_full_us / 1_000_000,
            )
        )
    return min(decisions, key=lambda decision: (-decision.retry_after_seconds, decision.remaining))


class _LocalBuckets:
    """The script's rule in this process's memory, while Redis is away. The oldest buckets go when there are many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._full_at: OrderedDict[str, int] = OrderedDict()

    def take(self, buckets: Sequence[Bucket], now_us: int) -> list[int]:
        with self._lock:
            full_at = [self._read(each, now_us) for each in buckets]
            fuller_at = [at + each.interval_us for at, each in zip(full_at, buckets, strict=True)]
            allowed = all(at - now_us <= each.window_us for at, each in zip(fuller_at, buckets, strict=True))
            if allowed:
                for at, each in zip(fuller_at, buckets, strict=True):
                    self._full_at[each.key] = at
                    self._full_at.move_to_end(each.key)
                while len(self._full_at) > LOCAL_BUCKETS_MAX:
                    self._full_at.popitem(last=False)
            return [int(allowed), *(at - now_us for at in (fuller_at if allowed else full_at))]

    def _read(self, each: Bucket, now_us: int) -> int:
        full_at = self._full_at.get(each.key, now_us)
        return full_at if now_us <= full_at <= now_us + each.window_us else now_us


_local = _LocalBuckets()
