"""The hub: what is published in Redis, handed to the sockets of this process.

One Redis connection per event loop and one subscription per topic, however many sockets share it. An event is encoded
once per kind of socket, then given to each by a call that never waits. When the Redis connection was lost, events may
have been too: every subscriber is told of the gap as soon as its topics are subscribed again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core.errors import Unavailable
from core.observability import metrics
from core.realtime.publishing import channel_of, topic_of
from core.redis.connection import PAUSE_SECONDS, TIMEOUT_SECONDS

logger = logging.getLogger(__name__)

F = TypeVar("F", contravariant=True)
G = TypeVar("G")
Encoder = Callable[[str, bytes], G]

SUBSCRIBE_TIMEOUT_SECONDS = 3.0
RECONNECT_SECONDS = 0.25
# A connection that is silent for this long is asked for a sign of life, and given up when none comes as fast again.
PING_SECONDS = 5.0
# How long after Redis' return a publisher may still be dropping events that it committed (see redis_connection).
SETTLE_SECONDS = TIMEOUT_SECONDS + PAUSE_SECONDS
# Longest stretch of deliveries before everything else on the loop has its turn.
SLICE_SECONDS = 0.005
GAPS_AT_ONCE = 16

_LOST = (redis.RedisError, OSError, TimeoutError)


class Subscriber(Protocol[F]):
    """What the hub calls."""

    def deliver(self, frame: F) -> None:
        """Take an encoded event; must neither wait nor fail."""

    async def on_gap(self) -> None:
        """Events may have been lost: let the client read what it missed. Called again after every outage."""


class _Topic:
    """The subscribers of one topic, by the encoder they want."""

    def __init__(self) -> None:
        self.subscribers: dict[Encoder[Any], dict[Subscriber[Any], None]] = {}
        self.live = asyncio.Event()


class Hub:
    """Use ``get_hub()``; every method belongs to the event loop that made the hub."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._topics: dict[str, _Topic] = {}
        # What Redis was asked for on this connection, and how many of its confirmations are still to come.
        self._asked: set[str] = set()
        self._unconfirmed: dict[str, int] = {}
        self._changed = asyncio.Event()
        self._missed: dict[Subscriber[Any], None] = {}
        self._heard_at = 0.0
        self._runner: asyncio.Task[None] | None = None

    async def subscribe(self, topic: str, subscriber: Subscriber[F], *, encode: Encoder[F]) -> None:
        """Deliver every event of ``topic`` from now on: what is published after this returned arrives.

        ``encode(topic, data)`` makes the frame of an event's JSON; subscribers that give the same function share
        its result.
        Raises ``Unavailable`` when Redis does not confirm within three seconds; then nothing is subscribed.
        """
        if self._runner is None:
            # It serves everybody: what it logs belongs to no request, least of all to that of the first socket.
            self._runner = asyncio.get_running_loop().create_task(self._run(), context=Context())
        entry = self._topics.get(topic)
        if entry is None:
            entry = self._topics[topic] = _Topic()
            if topic in self._asked and topic not in self._unconfirmed:
                entry.live.set()
            self._changed.set()
        entry.subscribers.setdefault(encode, {})[subscriber] = None
        try:
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT_SECONDS):
                await entry.live.wait()
        except TimeoutError:
            self.unsubscribe(topic, subscriber)
            raise Unavailable from None
        except asyncio.CancelledError:
            self.unsubscribe(topic, subscriber)
            raise

    def unsubscribe(self, topic: str, subscriber: Subscriber[Any]) -> None:
        """Deliver no more of ``topic``; the last one out ends the subscription. Unknown pairs are ignored."""
        entry = self._topics.get(topic)
        if entry is None:
            return
        for encode, subscribers in list(entry.subscribers.items()):
            subscribers.pop(subscriber, None)
            if not subscribers:
                del entry.subscribers[encode]
        if not entry.subscribers:
            del self._topics[topic]
            self._changed.set()

    async def close(self) -> None:
        """Give up the connection and all subscriptions."""
        self._topics.clear()
        _hubs.pop(asyncio.get_running_loop(), None)
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait({self._runner})

    @property
    def topics(self) -> dict[str, int]:
        """How many subscribers each topic has."""
        return {
            topic: sum(len(subscribers) for subscribers in entry.subscribers.values())
            for topic, entry in self._topics.items()
        }

    # --- The connection -------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Keep one connection, for ever."""
        is_away = False
        while True:
            try:
                async with self._connected() as pubsub:
                    if is_away:
                        logger.warning("The hub is connected to Redis again")
                    is_away = False
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(self._read(pubsub))
                        tasks.create_task(self._keep_subscribed(pubsub))
                        tasks.create_task(self._tell_of_gap())
            except* _LOST as errors:
                if not is_away:
                    logger.warning("The hub lost Redis: %s", errors.exceptions[0])
                is_away = True
            except* Exception:
                logger.exception("The hub starts again after an error of its own")
            self._forget_connection()
            await asyncio.sleep(RECONNECT_SECONDS)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        # The hub itself reconnects, because it has to know: redis-py would do it behind its back. No socket_timeout:
        # with one, redis-py sends by asyncio.wait_for, which on Python 3.11 loses a cancellation that comes just as the
        # send is done, and a task that cannot be cancelled never ends. Every command here has a timeout around it.
        client: Any = redis.asyncio.Redis.from_url(
            self._url, protocol=2, socket_timeout=None, retry=Retry(NoBackoff(), 0)
        )
        async with client, client.pubsub() as pubsub:
            async with asyncio.timeout(PING_SECONDS):
                await pubsub.connect()
            self._heard_at = asyncio.get_running_loop().time()
            yield pubsub

    def _forget_connection(self) -> None:
        for entry in self._topics.values():
            if entry.live.is_set():
                entry.live.clear()
                for subscribers in entry.subscribers.values():
                    self._missed.update(subscribers)
        self._asked.clear()
        self._unconfirmed.clear()

    async def _keep_subscribed(self, pubsub: Any) -> None:
        """The one place that sends commands: makes Redis' subscriptions those that are wanted, and asks for life."""
        clock = asyncio.get_running_loop().time
        while True:
            self._changed.clear()
            async with asyncio.timeout(PING_SECONDS):
                await self._send_changes(pubsub)
            if clock() - self._heard_at > 2 * PING_SECONDS:
                raise TimeoutError("no answer")
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                async with asyncio.timeout(PING_SECONDS):
                    await pubsub.ping()

    async def _send_changes(self, pubsub: Any) -> None:
        added, dropped = self._topics.keys() - self._asked, self._asked - self._topics.keys()
        if added:
            self._asked |= added
            for topic in added:
                self._unconfirmed[topic] = self._unconfirmed.get(topic, 0) + 1
            await pubsub.subscribe(*map(channel_of, added))
        if dropped:
            self._asked -= dropped
            await pubsub.unsubscribe(*map(channel_of, dropped))

    async def _read(self, pubsub: Any) -> None:
        clock = asyncio.get_running_loop().time
        slice_ends = 0.0
        while True:
            message = await pubsub.get_message(timeout=None)
            self._heard_at = clock()
            if message["type"] == "message":
                self._deliver(topic_of(message["channel"]), message["data"])
            elif message["type"] == "subscribe":
                self._confirm(topic_of(message["channel"]))
            # Reading what has already arrived does not wait, so a flood would starve every other task.
            if self._heard_at > slice_ends:
                await asyncio.sleep(0)
                slice_ends = clock() + SLICE_SECONDS

    def _confirm(self, topic: str) -> None:
        """A topic that was dropped and wanted again in between has two confirmations to come; the last one counts."""
        self._unconfirmed[topic] -= 1
        if self._unconfirmed[topic] == 0:
            del self._unconfirmed[topic]
            entry = self._topics.get(topic)
            if entry is not None and topic in self._asked:
                entry.live.set()

    # --- The events -----------------------------------------------------------------------------------------------

    def _deliver(self, topic: str, data: bytes) -> None:
        entry = self._topics.get(topic)
        if entry is None:
            return
        for encode, subscribers in list(entry.subscribers.items()):
            try:
                frame = encode(topic, data)
            except Exception:
                logger.exception("An event of %s could not be encoded", topic)
                continue
            # The word before the colon is the kind of stream: room, chat.
            metrics.DELIVERIES.labels(topic.partition(":")[0]).inc(len(subscribers))
            for subscriber in tuple(subscribers):
                try:
                    subscriber.deliver(frame)
                except Exception:
                    logger.exception("A subscriber of %s failed and is dropped", topic)
                    self.unsubscribe(topic, subscriber)

    async def _tell_of_gap(self) -> None:
        if not self._missed:
            return
        await asyncio.sleep(SETTLE_SECONDS)
        while not all(entry.live.is_set() for entry in self._topics.values()):
            await asyncio.sleep(RECONNECT_SECONDS)
        missed, self._missed = self._missed, {}
        present = {
            subscriber
            for entry in self._topics.values()
            for subscribers in entry.subscribers.values()
            for subscriber in subscribers
        }
        turns = asyncio.Semaphore(GAPS_AT_ONCE)
        await asyncio.gather(*(_tell(subscriber, turns) for subscriber in missed if subscriber in present))


async def _tell(subscriber: Subscriber[Any], turns: asyncio.Semaphore) -> None:
    async with turns:
        try:
            await subscriber.on_gap()
        except Exception:
            logger.exception("A subscriber failed at a gap")


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def get_hub() -> Hub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = Hub(settings.REDIS_URL)
    return hub
