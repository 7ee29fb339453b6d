"""Is this process alive, and is the platform whole? Two plain views for probes, and the worker's sign of life."""

from contextlib import suppress
from datetime import datetime

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gameplatform.core import clock, redis_connection
from gameplatform.core.redis_connection import RedisAway

HEARTBEAT_KEY = "health:tick"
STALE_SECONDS = 10
# Long enough to say how old the last sign of life is, short enough not to lie about on a server shared with others.
HEARTBEAT_KEPT_SECONDS = 24 * 3600


def beat_heartbeat(now: datetime) -> None:
    """The tick ran at ``now``: beat scheduled it and a worker took it, so one sign proves both. Never raises."""
    with suppress(RedisAway):
        redis_connection.run(
            lambda client: client.set(HEARTBEAT_KEY, f"{now.timestamp():.3f}", ex=HEARTBEAT_KEPT_SECONDS)
        )


def tick_age_seconds(now: datetime) -> float | None:
    """How long ago the last tick ran; ``None`` when nobody knows, because there was none or Redis is away."""
    try:
        heartbeat: bytes | None = redis_connection.run(lambda client: client.get(HEARTBEAT_KEY))
    except RedisAway:
        return None
    return None if heartbeat is None else now.timestamp() - float(heartbeat)


@never_cache
@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers at all; touches neither database nor Redis."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, Redis, worker and beat all work, else 503; ``parts`` says which does not."""
    now = _database_time()
    parts = {"database": "no answer" if now is None else "ok", **_redis_and_worker(now)}
    ok = all(state == "ok" for state in parts.values())
    return JsonResponse({"status": "ok" if ok else "unavailable", "parts": parts}, status=200 if ok else 503)


def _database_time() -> datetime | None:
    """The clock's time, once the database has answered; None when it does not answer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return clock.now()
    except Error:
        return None


def _redis_and_worker(now: datetime | None) -> dict[str, str]:
    try:
        heartbeat: bytes | None = redis_connection.run(lambda client: client.get(HEARTBEAT_KEY))
    except RedisAway:
        return {"redis": "no answer", "worker": "unknown"}
    if heartbeat is None:
        worker = "no sign of life from worker and beat"
    elif now is None:
        worker = "unknown"
    else:
        age_seconds = now.timestamp() - float(heartbeat)
        stale = age_seconds > STALE_SECONDS
        worker = f"no sign of life from worker and beat for {age_seconds:.0f} s" if stale else "ok"
    return {"redis": "ok", "worker": worker}
