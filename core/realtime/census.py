"""How many WebSockets are open on the whole platform: each process tells Redis how many are its own.

A process that holds sockets speaks every few seconds and when its last one goes; one that has been silent for longer
than it may is not counted, so one that was killed is forgotten by itself. Times are the Redis server's.
"""

import asyncio
import functools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from typing import Any
from weakref import WeakKeyDictionary

from core.redis import connection as redis_connection
from core.redis.connection import RedisAway

KEY = "sockets:open"
SPEAK_SECONDS = 5.0
SILENT_MS = 15_000

# KEYS: the census. ARGV: who speaks, how many.
_SPEAK = """
local time = redis.call('TIME')
if ARGV[2] == '0' then
    redis.call('HDEL', KEYS[1], ARGV[1])
else
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. (time[1] * 1000 + math.floor(time[2] / 1000)))
end
"""
# KEYS: the census. ARGV: how long, in ms, somebody may be silent. Answers the sum, and forgets who was silent.
_READ = """
local time = redis.call('TIME')
local now, sum = time[1] * 1000 + math.floor(time[2] / 1000), 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
    local count, at = string.match(all[i + 1], '^(%d+):(%d+)$')
    if now - tonumber(at) > tonumber(ARGV[1]) then
        redis.call('HDEL', KEYS[1], all[i])
    else
        sum = sum + tonumber(count)
    end
end
return sum
"""


def read(client: Any) -> Any:
    """Ask a Redis client, or a pipeline of one, for the number of open sockets."""
    return client.eval(_READ, 1, KEY, SILENT_MS)


class Census:
    """The sockets of one event loop."""

    def __init__(self) -> None:
        self._name = secrets.token_hex(8)
        self._count = 0
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def counted(self) -> Iterator[None]:
        """One socket more, for as long as the block runs."""
        self._count += 1
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._speak(), context=Context())
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._changed.set()

    async def close(self) -> None:
        """Speak no more; what was said is forgotten in a few seconds."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _speak(self) -> None:
        try:
            while True:
                self._changed.clear()
                said = self._count
                await asyncio.to_thread(_say, self._name, said)
                if said and self._count:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(SPEAK_SECONDS):
                            await self._changed.wait()
                elif not said and not self._count:
                    return
        finally:
            self._task = None


def _say(name: str, count: int) -> None:
    try:
        redis_connection.run(functools.partial(_run_speak, name, count))
    except RedisAway:
        # Said again in a few seconds.
        return


def _run_speak(name: str, count: int, client: Any) -> None:
    client.eval(_SPEAK, 1, KEY, name, count)


_censuses: WeakKeyDictionary[asyncio.AbstractEventLoop, Census] = WeakKeyDictionary()


def get_census() -> Census:
    """The census of the running event loop."""
    loop = asyncio.get_running_loop()
    census = _censuses.get(loop)
    if census is None:
        census = _censuses[loop] = Census()
    return census
