"""One conversation's events, in order, for all sockets of this process.

Commits happen in the order of ``seq``, but their announcements may overtake each other on the way, and one may be lost
with Redis. So sockets do not listen to the hub: a feed does, once per process and conversation. It hands out message
n+1 after message n, and when one is missing for longer than a moment, reads it from the database, once for all its
sockets. A monitor compares every few seconds what was handed out with what the database has, which also covers an
announcement that nobody ever heard, and closes sockets whose right to be there has ended.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

import orjson
from django.db import Error as DatabaseError

from chat import events, presence, queries, seating
from chat.seating import Seat
from core.db import clock
from core.realtime.hub import get_hub
from core.realtime.offload import offload
from core.redis.connection import RedisAway

logger = logging.getLogger(__name__)

F = TypeVar("F")
G = TypeVar("G", contravariant=True)

# How long an announcement may be overtaken by later ones before it counts as lost.
PATIENCE_SECONDS = 0.05
FETCH_ROWS = 500
CHECK_SECONDS = 3.0


class Socket(Protocol[G]):
    """What a feed needs of a socket."""

    @property
    def seat(self) -> Seat: ...

    def hand(self, frame: G) -> None:
        """Take a frame; must neither wait nor fail."""

    def end(self, why: str) -> None:
        """Close soon: ``left``, ``kicked``, ``banned``, ``deactivated`` or ``deleted``."""


class Feed(Generic[F]):
    """Use ``enter`` and ``leave``. ``render`` makes the frame of an event, once for all sockets."""

    def __init__(self, conversation_id: uuid.UUID, render: Callable[[Mapping[str, Any]], F]) -> None:
        self.conversation_id = conversation_id
        self.sockets: dict[Socket[F], None] = {}
        self.delivered_seq = 0
        self.entering = 0
        self._render = render
        self._is_started = False
        # Numbered events whose turn has not come, and the number up to which there is something to hand out.
        self._early: dict[int, Mapping[str, Any]] = {}
        self._changes: dict[int, list[Mapping[str, Any]]] = {}
        self._wanted_seq = 0
        self._repair: asyncio.Task[None] | None = None
        self._wrongly_left: set[str] = set()
        self.started = asyncio.get_running_loop().create_task(self._start())

    async def _start(self) -> None:
        # Subscribed first: what commits after the look at the database is announced to us.
        await get_hub().subscribe(self._topic, self, encode=_decode)
        try:
            self.delivered_seq = await offload(queries.last_seq, self.conversation_id)
        except BaseException:
            self.stop()
            raise
        self._is_started = True
        self._hand_out_in_turn()
        self.want(self._wanted_seq)

    def stop(self) -> None:
        """Listen no more."""
        get_hub().unsubscribe(self._topic, self)
        if self._repair is not None:
            self._repair.cancel()

    @property
    def _topic(self) -> str:
        return events.conversation_topic(self.conversation_id)

    # --- From the hub ---------------------------------------------------------------------------------------------

    def deliver(self, event: Mapping[str, Any]) -> None:
        """Take an event from the hub, in whatever order it comes."""
        seq = event.get("seq")
        if event["type"] == events.CLOSE:
            self._close(event["data"])
        elif seq is None:
            self._note_presence(event)
            self._hand_out(event)
        elif seq <= self.delivered_seq and self._is_started:
            # A message that everybody has; a change of one is news.
            if event["type"] != events.MESSAGE:
                self._hand_out(event)
        else:
            if event["type"] == events.MESSAGE:
                self._early[seq] = event
            else:
                self._changes.setdefault(seq, []).append(event)
            if self._is_started:
                self._hand_out_in_turn()
            self.want(seq)

    async def on_gap(self) -> None:
        """Redis was away: read what was announced meanwhile."""
        await self._fetch()

    def want(self, seq: int) -> None:
        """The conversation has come to ``seq``: if it does not arrive by itself in a moment, fetch it."""
        self._wanted_seq = max(self._wanted_seq, seq)
        if self._is_started and self._wanted_seq > self.delivered_seq and self._repair is None:
            self._repair = asyncio.get_running_loop().create_task(self._fetch_what_is_missing())

    async def _fetch_what_is_missing(self) -> None:
        try:
            while self._wanted_seq > self.delivered_seq:
                before = self.delivered_seq
                await asyncio.sleep(PATIENCE_SECONDS)
                # As long as they arrive by themselves, there is nothing to repair.
                if self.delivered_seq == before:
                    await self._fetch()
                    if self.delivered_seq == before:
                        return
        except DatabaseError:
            logger.warning("A conversation's missing messages cannot be read now; the next check tries again")
        finally:
            self._repair = None

    async def _fetch(self) -> None:
        """Hand out what the database has beyond what was handed out."""
        while True:
            rows = await offload(queries.messages_after, self.conversation_id, self.delivered_seq, FETCH_ROWS)
            for row in rows:
                if row["seq"] > self.delivered_seq:
                    self._hand_out_message(events.message_event(row))
            self._hand_out_in_turn()
            if len(rows) < FETCH_ROWS:
                return

    # --- To the sockets -------------------------------------------------------------------------------------------

    def _hand_out_in_turn(self) -> None:
        for seq in [seq for seq in self._early if seq <= self.delivered_seq]:
            del self._early[seq]
        while (event := self._early.pop(self.delivered_seq + 1, None)) is not None:
            self._hand_out_message(event)
        for seq in sorted(seq for seq in self._changes if seq <= self.delivered_seq):
            for change in self._changes.pop(seq):
                self._hand_out(change)

    def _hand_out_message(self, event: Mapping[str, Any]) -> None:
        self.delivered_seq = event["seq"]
        self._hand_out(event)

    def _hand_out(self, event: Mapping[str, Any]) -> None:
        if not self.sockets:
            return
        frame = self._render(event)
        # Nobody is told that they themselves have come, or are typing.
        silent = event["data"]["user_id"] if event["type"] in (events.TYPING, events.USER_JOINED) else None
        for socket in tuple(self.sockets):
            if silent is None or socket.seat.user_id != silent:
                socket.hand(frame)

    def _close(self, data: Mapping[str, Any]) -> None:
        user_id = data.get("user_id")
        for socket in tuple(self.sockets):
            if user_id is None or socket.seat.user_id == user_id:
                socket.end(data["why"])

    # --- Presence -------------------------------------------------------------------------------------------------

    def leases(self) -> list[tuple[str, str]]:
        """User and socket of each lease that this process keeps up in the conversation."""
        seats = [socket.seat for socket in self.sockets]
        return [(seat.user_id, seat.socket_id) for seat in seats if seat.user_id is not None]

    def _note_presence(self, event: Mapping[str, Any]) -> None:
        """A process that stood still may find its users declared gone: they are announced again at the next renewal."""
        if event["type"] == events.USER_LEFT:
            user_id = event["data"]["user_id"]
            if any(socket.seat.user_id == user_id for socket in self.sockets):
                self._wrongly_left.add(user_id)

    def returned(self, came: Sequence[str]) -> list[Seat]:
        """Of the users whose lease a renewal began anew, a seat of each that others believe to be gone.

        The rest were never announced as gone: Redis had forgotten them.
        """
        back = self._wrongly_left.intersection(came)
        self._wrongly_left.clear()
        seats = {socket.seat.user_id: socket.seat for socket in self.sockets if socket.seat.user_id in back}
        return list(seats.values())


def _decode(topic: str, data: bytes) -> Mapping[str, Any]:
    event: Mapping[str, Any] = orjson.loads(data)
    return event


class Feeds(Generic[F]):
    """The feeds of one event loop, and the monitor that looks after them."""

    def __init__(self, render: Callable[[Mapping[str, Any]], F]) -> None:
        self._render = render
        self._feeds: dict[uuid.UUID, Feed[F]] = {}
        self._monitor: asyncio.Task[None] | None = None

    async def enter(self, socket: Socket[F]) -> int:
        """Hand every further event to the socket; the answer is the ``seq`` after which its messages begin.

        All messages up to it are in the database. Raises ``Unavailable`` when Redis is away.
        """
        conversation_id = socket.seat.conversation_id
        feed = self._feeds.get(conversation_id)
        if feed is None:
            feed = self._feeds[conversation_id] = Feed(conversation_id, self._render)
        if self._monitor is None:
            # It serves every room: what it logs belongs to no request.
            self._monitor = asyncio.get_running_loop().create_task(self._watch(), context=Context())
        feed.entering += 1
        try:
            # Several sockets wait for the one start; it must not die with the first that gives up.
            await asyncio.shield(feed.started)
            feed.sockets[socket] = None
            return feed.delivered_seq
        finally:
            feed.entering -= 1
            self._drop_if_empty(feed)

    def leave(self, socket: Socket[F]) -> None:
        """Hand it nothing any more. Repeatable."""
        feed = self._feeds.get(socket.seat.conversation_id)
        if feed is not None:
            feed.sockets.pop(socket, None)
            self._drop_if_empty(feed)

    def _drop_if_empty(self, feed: Feed[F]) -> None:
        if not feed.sockets and not feed.entering and self._feeds.get(feed.conversation_id) is feed:
            del self._feeds[feed.conversation_id]
            feed.stop()

    # --- The monitor ----------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        rounds_per_renewal = round(presence.RENEW_SECONDS / CHECK_SECONDS)
        for number in range(1, 2**62):
            await asyncio.sleep(CHECK_SECONDS)
            if not self._feeds:
                self._monitor = None
                return
            try:
                await self._check()
                if number % rounds_per_renewal == 0:
                    await self._renew()
                await self._sweep()
            except (DatabaseError, RedisAway):
                logger.warning("The check of the chat's sockets is put off: a server does not answer")
            except Exception:
                logger.exception("The check of the chat's sockets failed")

    async def _check(self) -> None:
        """Whatever no announcement said: messages, the end of a room or a membership."""
        # Who enters while the database is asked was looked at on entering.
        present = [(feed, socket) for feed in self._feeds.values() for socket in feed.sockets]
        rights = await offload(seating.look_up, list(self._feeds), [socket.seat for _, socket in present])
        for feed, socket in present:
            why = rights.why_not(socket.seat)
            if why is not None and socket in feed.sockets:
                socket.end(why)
        for conversation_id, found in rights.conversations.items():
            if conversation_id in self._feeds:
                self._feeds[conversation_id].want(found.last_seq)

    async def _renew(self) -> None:
        now = await offload(clock.now)
        for feed in list(self._feeds.values()):
            leases = feed.leases()
            if leases:
                came = await offload(presence.renew, feed.conversation_id, leases)
                for seat in feed.returned(came):
                    await offload(announce_arrival, seat, now)

    async def _sweep(self) -> None:
        """Announce those whose last socket vanished without a word, with its process perhaps."""
        gone = await offload(presence.expire, list(self._feeds))
        if gone:
            await offload(_announce_departures, gone)


def announce_arrival(seat: Seat, now: datetime) -> None:
    """Tell the conversation that the user came online."""
    data = {"user_id": seat.user_id, "user_name": seat.user_name, "joined_at": now, "meta": seat.meta}
    events.tell(events.USER_JOINED, conversation_id=seat.conversation_id, data=data, at=now)


def announce_departure(conversation_id: uuid.UUID, *, user_id: str, user_name: str, now: datetime) -> None:
    """Tell the conversation that the user went offline."""
    data = {"user_id": user_id, "user_name": user_name, "left_at": now}
    events.tell(events.USER_LEFT, conversation_id=conversation_id, data=data, at=now)


def _announce_departures(gone: Mapping[uuid.UUID, Sequence[str]]) -> None:
    now = clock.now()
    for conversation_id, user_ids in gone.items():
        names = queries.names_of(conversation_id, user_ids)
        for user_id in user_ids:
            announce_departure(conversation_id, user_id=user_id, user_name=names.get(user_id, user_id), now=now)


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, Feeds[Any]] = WeakKeyDictionary()


def get_feeds(render: Callable[[Mapping[str, Any]], F]) -> Feeds[F]:
    """The feeds of the running event loop."""
    loop = asyncio.get_running_loop()
    feeds = _feeds.get(loop)
    if feeds is None:
        feeds = _feeds[loop] = Feeds(render)
    return feeds
