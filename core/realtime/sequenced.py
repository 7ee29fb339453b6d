"""Sockets whose events are numbered: delivered in order, without gap or repeat, whatever Redis did with the copies.

The database has every event under its number. The published copies only make delivery quick: one that is missing or
late is read from the database, once per process and place however many sockets wait at it.
"""

import asyncio
from typing import ClassVar

from channels.db import database_sync_to_async

from core.realtime.sockets import Frame, HubConsumer

# Copies published by two processes may overtake each other by about this much.
PATIENCE_SECONDS = 0.05
READ_EVENTS_MAX = 500


class SequencedConsumer(HubConsumer):
    """A consumer of one numbered topic, and of any number of others that are not.

    ``await self.follow(topic)`` begins; events are held back until ``self.begin_after(seq)`` says what the client has.
    """

    _reads: ClassVar[dict[tuple[str, int], "asyncio.Task[list[Frame]]"]] = {}

    _numbered_topic: str
    _sent_seq: int = 0
    _waiting: dict[int, Frame]
    _catching_up: "asyncio.Task[None] | None" = None

    @classmethod
    def read_frames(cls, topic: str, after_seq: int) -> list[Frame]:
        """The topic's kept events after this number, in order, at most ``READ_EVENTS_MAX``; called in a thread."""
        raise NotImplementedError

    async def follow(self, topic: str) -> None:
        """Hold back the events of ``topic`` from now on. Raises ``Unavailable`` when Redis is away."""
        self._numbered_topic = topic
        self._waiting = {}
        self.hold(topic)
        await self.join(topic)

    def begin_after(self, seq: int) -> None:
        """Deliver what comes after ``seq``, starting with what was held back."""
        self._sent_seq = seq
        self.release(self._numbered_topic, after_seq=seq)

    def deliver(self, frame: Frame) -> None:
        """Take an event from the hub: the next number goes out, a later one waits for those before it."""
        if frame.seq is None or frame.topic != self._numbered_topic or self._is_held():
            super().deliver(frame)
        elif frame.seq > self._sent_seq:
            self._waiting[frame.seq] = frame
            self._send_in_order()

    def catch_up(self) -> None:
        """Deliver what the database has after the last number the client has, without waiting for the next event."""
        self._catch_up_soon(0)

    async def on_gap(self) -> None:
        """Copies may have been lost: the database has them."""
        if not self._is_held():
            self.catch_up()

    def _is_held(self) -> bool:
        return self._numbered_topic in self._held

    def _send_in_order(self) -> None:
        self._write_next()
        if self._waiting:
            self._catch_up_soon(PATIENCE_SECONDS)

    def _write_next(self) -> None:
        while (frame := self._waiting.pop(self._sent_seq + 1, None)) is not None:
            self._sent_seq += 1
            super().deliver(frame)

    def _catch_up_soon(self, delay_seconds: float) -> None:
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.get_running_loop().create_task(self._catch_up(delay_seconds))

    async def _catch_up(self, delay_seconds: float) -> None:
        await asyncio.sleep(delay_seconds)
        if delay_seconds and not self._waiting:
            return
        while not self._is_closing:
            frames = await self._shared_read(self._sent_seq)
            for frame in frames:
                if frame.seq is not None and frame.seq > self._sent_seq:
                    self._waiting[frame.seq] = frame
            self._write_next()
            if len(frames) < READ_EVENTS_MAX and not self._waiting:
                return
            # A number that is neither here nor there yet: its transaction is about to commit.
            await asyncio.sleep(PATIENCE_SECONDS)

    async def _shared_read(self, after_seq: int) -> list[Frame]:
        """One read for all sockets of this process that wait at the same place."""
        key = (self._numbered_topic, after_seq)
        task = self._reads.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(database_sync_to_async(self.read_frames)(*key))
            self._reads[key] = task
            task.add_done_callback(lambda _: self._reads.pop(key, None))
        return await asyncio.shield(task)

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        """Run the socket; what it was catching up with ends with it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._catching_up is not None:
                self._catching_up.cancel()
