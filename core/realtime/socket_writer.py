"""The outgoing side of one socket: written at once while the peer reads, queued and bounded when it does not."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import Any

QUEUE_FRAMES_MAX = 64


class SocketWriter:
    """Frames leave in order and ``write`` never waits, so one peer that does not read delays nobody else.

    An ASGI server tells that its buffer is full only by not returning from ``send``. So ``send`` is run until it first
    waits: mostly it does not, and the frame is out without a task or a queue (what a task per frame and a task per
    socket cost is measured in ``benchmarks/fanout.py``). If it does wait, a task finishes it, and further frames queue
    behind that task until it is done.

    ``on_overflow`` is called, once and with the writer closed, by the frame that finds ``QUEUE_FRAMES_MAX`` waiting.
    """

    def __init__(self, send: Callable[[str], Coroutine[Any, Any, None]], on_overflow: Callable[[], None]) -> None:
        self._send = send
        self._on_overflow = on_overflow
        self._waiting: deque[str] = deque()
        self._task: asyncio.Task[None] | None = None
        self.is_closed = False

    def write(self, frame: str) -> None:
        """Send ``frame``, or queue it; does nothing on a closed writer."""
        if self.is_closed:
            return
        if self._task is None:
            self._start(frame)
        elif len(self._waiting) < QUEUE_FRAMES_MAX:
            self._waiting.append(frame)
        else:
            self.close()
            self._on_overflow()

    def close(self) -> None:
        """Drop what is waiting, and every later frame."""
        self.is_closed = True
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    async def flush(self) -> None:
        """Wait until everything written so far has been sent."""
        if self._task is not None:
            await asyncio.wait({self._task})

    def _start(self, frame: str) -> None:
        sending = self._send(frame)
        try:
            first_wait = sending.send(None)
        except StopIteration:
            return
        except OSError:
            # How ASGI says that the peer has gone; the consumer hears of it from `receive`.
            self.is_closed = True
            return
        self._task = asyncio.get_running_loop().create_task(self._drain(_Suspended(sending, first_wait)))

    async def _drain(self, first: Awaitable[None]) -> None:
        try:
            await first
            while self._waiting:
                await self._send(self._waiting.popleft())
        except OSError:
            self.is_closed = True
            self._waiting.clear()
        finally:
            self._task = None


class _Suspended:
    """The rest of a coroutine that was started by hand and now waits for ``first_wait``."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], first_wait: Any) -> None:
        self._coroutine = coroutine
        self._first_wait = first_wait

    def __await__(self) -> Generator[Any, Any, None]:
        waiting_for = self._first_wait
        while True:
            try:
                answer = yield waiting_for
            except BaseException as error:
                step = partial(self._coroutine.throw, error)
            else:
                step = partial(self._coroutine.send, answer)
            try:
                waiting_for = step()
            except StopIteration:
                return
