"""Events from the domain to the sockets of every process, by Redis publish/subscribe.

An event leaves when its transaction has committed, and only then. It is a hint: what it says also stands in the
database, numbered, so a client that missed one (Redis was down, its socket was slow) reads it there.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson
from django.db import connection, transaction

from core.db.transactions import require_atomic
from core.redis import connection as redis_connection
from core.redis.connection import RedisAway

_CHANNEL_PREFIX = "topic:"


def channel_of(topic: str) -> str:
    """The Redis channel of ``topic``."""
    return _CHANNEL_PREFIX + topic


def topic_of(channel: bytes) -> str:
    """The topic of a Redis channel that ``channel_of`` made."""
    return channel.decode().removeprefix(_CHANNEL_PREFIX)


def publish_on_commit(topic: str, event: Mapping[str, Any]) -> None:
    """Publish ``event`` to ``topic`` when the current transaction commits.

    The events of one transaction leave in order and in one round trip. An event is encoded here, so one that is not
    JSON (a Decimal, a set) raises ``TypeError`` in the use case that made it. Redis being away raises nothing: the
    event is dropped, and the sockets that reconnect to Redis are told of a gap.
    """
    require_atomic()
    message = (channel_of(topic), orjson.dumps(event))
    batch = _open_batch()
    if batch is None:
        batch = _Batch()
        transaction.on_commit(batch.publish, robust=True)
    batch.messages.append(message)


def publish_now(topic: str, event: Mapping[str, Any]) -> None:
    """Publish what is true whatever the database says and worthless a moment later: typing, presence."""
    _publish([(channel_of(topic), orjson.dumps(event))])


class _Batch:
    """Events of one transaction that are registered one after the other under the same savepoints."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []

    def publish(self) -> None:
        _publish(self.messages)


def _open_batch() -> _Batch | None:
    """The batch that a further event may join: registered last, so that the order among all hooks stays, and under
    just the savepoints that are open now, so that a savepoint's rollback takes exactly its own events along."""
    if connection.run_on_commit:
        savepoints, hook, *_ = connection.run_on_commit[-1]
        owner = getattr(hook, "__self__", None)
        if isinstance(owner, _Batch) and savepoints == set(connection.savepoint_ids):
            return owner
    return None


def _publish(messages: Sequence[tuple[str, bytes]]) -> None:
    def send(client: Any) -> None:
        pipeline = client.pipeline(transaction=False)
        for channel, data in messages:
            pipeline.publish(channel, data)
        pipeline.execute()

    with suppress(RedisAway):
        redis_connection.run(send)
