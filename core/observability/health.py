"""Is this process alive, and is the platform whole? Two plain views for probes; signs of life of worker and beat."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.db import clock, functions
from core.redis import connection as redis_connection
from core.redis.connection import RedisAway

HEARTBEAT_KEY = "health:tick"
# What a worker and beat say of themselves: without a tick they tell which of the two is missing.
WORKER_KEY = "health:worker"
BEAT_KEY = "health:beat"
STALE_SECONDS = 10
# Long enough to say how old the last sign of life is, short enough not to lie about on a server shared with others.
HEARTBEAT_KEPT_SECONDS = 24 * 3600


def beat_heartbeat(now: datetime) -> None:
    """The tick ran at ``now``: beat scheduled it and a worker took it, so one sign proves both. Never raises."""
    with suppress(RedisAway):
        redis_connection.run(
            lambda client: client.set(HEARTBEAT_KEY, f"{now.timestamp():.3f}", ex=HEARTBEAT_KEPT_SECONDS)
        )


def show_life(key: str) -> None:
    """This process lives: ``WORKER_KEY`` or ``BEAT_KEY``. Never raises.

    Redis' own clock tells the age, by what is left of the time that the key is kept: the hosts' clocks may differ.
    """
    with suppress(RedisAway):
        redis_connection.run(lambda client: client.set(key, "alive", ex=HEARTBEAT_KEPT_SECONDS))


def tick_age_seconds(now: datetime) -> float | None:
    """How long ago the last tick ran; ``None`` when nobody knows, because there was none or Redis is away."""
    try:
        heartbeat: bytes | None = redis_connection.run(lambda client: client.get(HEARTBEAT_KEY))
    except RedisAway:
        return None
    return age_of(heartbeat, now)


def age_of(heartbeat: bytes | None, now: datetime) -> float | None:
    """Seconds since the tick that left this sign of life; ``None`` when none did."""
    return None if heartbeat is None else now.timestamp() - float(heartbeat)


@never_cache
@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers at all; touches neither database nor Redis."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, Redis, worker and beat all work, else 503; ``parts`` says which does not.

    ``other_functions`` names the SQL files that the database runs otherwise than this code, if any. No reason for 503:
    during a rolling upgrade every process of the release before says so.
    """
    now = _database_time()
    parts = {"database": "no answer" if now is None else "ok", **_redis_worker_and_beat(now)}
    ok = all(state == "ok" for state in parts.values())
    body: dict[str, Any] = {"status": "ok" if ok else "unavailable", "parts": parts}
    if now is not None and (names := _differing_functions()):
        body["other_functions"] = names
    return JsonResponse(body, status=200 if ok else 503)


def _database_time() -> datetime | None:
    """The clock's time, once the database has answered; None when it does not answer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return clock.now()
    except Error:
        return None


def _differing_functions() -> list[str]:
    try:
        return functions.differing()
    except Error:
        return []


def _redis_worker_and_beat(now: datetime | None) -> dict[str, str]:
    def ask(client: Any) -> list[Any]:
        with client.pipeline(transaction=False) as pipeline:
            answers: list[Any] = pipeline.get(HEARTBEAT_KEY).pttl(WORKER_KEY).pttl(BEAT_KEY).execute()
            return answers

    try:
        heartbeat, worker_left_ms, beat_left_ms = redis_connection.run(ask)
    except RedisAway:
        return {"redis": "no answer", "worker": "unknown", "beat": "unknown"}
    tick_age = None if now is None else age_of(heartbeat, now)
    if tick_age is not None and tick_age <= STALE_SECONDS:
        return {"redis": "ok", "worker": "ok", "beat": "ok"}
    worker, beat = _life(worker_left_ms), _life(beat_left_ms)
    if now is not None and worker == beat == "ok":
        # Both live, and the work does not get done: a worker whose threads are all taken.
        worker = "takes no ticks" if tick_age is None else f"has taken no tick for {tick_age:.0f} s"
    return {"redis": "ok", "worker": worker, "beat": beat}


def _life(left_ms: int) -> str:
    """How the process is whose sign of life has so many milliseconds left; negative: there is none."""
    if left_ms < 0:
        return "no sign of life"
    age_seconds = HEARTBEAT_KEPT_SECONDS - left_ms / 1000
    return "ok" if age_seconds <= STALE_SECONDS else f"no sign of life for {age_seconds:.0f} s"
