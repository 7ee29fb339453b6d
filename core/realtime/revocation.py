"""Closing sockets whose credentials have ended: one look every few seconds for all sockets of a process.

A look and not an announcement: an announcement can be lost with Redis, and rights also end by the clock.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Hashable
from contextvars import Context
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from django.db import Error as DatabaseError

from core.realtime.offload import offload

logger = logging.getLogger(__name__)

CHECK_SECONDS = 3.0

# Which of some standings still count; asks the database.
StillGood = Callable[[Collection[Any]], Collection[Any]]


class Socket(Protocol):
    """What the watch needs of a socket."""

    def revoked(self) -> None:
        """Close soon; must neither wait nor fail."""


class Watch:
    """The standings of one event loop's sockets."""

    def __init__(self) -> None:
        self._standings: dict[Socket, tuple[StillGood, Hashable]] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, socket: Socket, standing: Hashable, *, still_good: StillGood) -> None:
        """Close the socket within seconds when its standing has ended."""
        self._standings[socket] = still_good, standing
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), context=Context())

    def remove(self, socket: Socket) -> None:
        """The socket has ended."""
        self._standings.pop(socket, None)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if not self._standings:
                self._task = None
                return
            try:
                await self._check()
            except DatabaseError:
                logger.warning("The check of the sockets' credentials is put off: the database does not answer")
            except Exception:
                logger.exception("The check of the sockets' credentials failed")

    async def _check(self) -> None:
        # Who enters while the database is asked was looked at on entering.
        present = dict(self._standings)
        for still_good in {check for check, _ in present.values()}:
            asked = {standing for check, standing in present.values() if check is still_good}
            good = await offload(still_good, asked)
            for socket, (check, standing) in present.items():
                if check is still_good and standing not in good and socket in self._standings:
                    socket.revoked()


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def get_watch() -> Watch:
    """The watch of the running event loop."""
    loop = asyncio.get_running_loop()
    watch = _watches.get(loop)
    if watch is None:
        watch = _watches[loop] = Watch()
    return watch
