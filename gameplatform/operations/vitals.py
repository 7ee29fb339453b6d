"""What Redis knows of the running platform, asked in one round trip: sockets, waiting tasks, the last tick."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.observability import health
from core.realtime import census
from core.redis import connection as redis_connection
from core.redis.connection import RedisAway
from gameplatform.celery import app

# Celery keeps the tasks that no worker has taken yet in a list of this name.
QUEUE = app.conf.task_default_queue


@dataclass(frozen=True, kw_only=True)
class Vitals:
    """``None``: unknown, because Redis is away. ``tick_age_seconds`` is also ``None`` when no tick is on record."""

    is_redis_there: bool
    sockets: int | None = None
    tasks_waiting: int | None = None
    tick_age_seconds: float | None = None


def vitals(now: datetime) -> Vitals:
    """How things stand. Never raises, and takes at most a second however Redis is."""

    def ask(client: Any) -> list[Any]:
        with client.pipeline(transaction=False) as pipeline:
            census.read(pipeline)
            pipeline.llen(QUEUE)
            pipeline.get(health.HEARTBEAT_KEY)
            answers: list[Any] = pipeline.execute()
            return answers

    try:
        sockets, waiting, heartbeat = redis_connection.run(ask)
    except RedisAway:
        return Vitals(is_redis_there=False)
    return Vitals(
        is_redis_there=True,
        sockets=int(sockets),
        tasks_waiting=int(waiting),
        tick_age_seconds=health.age_of(heartbeat, now),
    )
