"""What every WebSocket of the platform has: topics from the hub, bounded queues both ways, limits, a clean end."""

import asyncio
import logging
from collections.abc import Hashable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer

from core.errors import Unavailable
from core.json_text import MalformedJSON, loads_strict
from core.observability import metrics
from core.observability.failures import describe
from core.realtime.census import get_census
from core.realtime.hub import get_hub
from core.realtime.revocation import StillGood, get_watch
from core.realtime.socket_writer import SocketWriter

logger = logging.getLogger(__name__)

# RFC 6455 and the registry beside it.
CLOSE_GOING_AWAY = 1001
CLOSE_INVALID_DATA = 1007
CLOSE_TOO_LARGE = 1009
CLOSE_FAILED = 1011
CLOSE_TRY_AGAIN_LATER = 1013
# The contracts' own.
CLOSE_UNAUTHORIZED = 4001
CLOSE_TOO_FAST = 4004

# A peer that does not read gets this long to take what was sent and the close frame; then its connection is cut.
CLOSE_GRACE_SECONDS = 5.0
HELD_FRAMES_MAX = 1_000


class Frame(NamedTuple):
    """An event as it goes to the client, and its place in its topic's numbering when it has one."""

    topic: str
    seq: int | None
    text: str


class HubConsumer(AsyncWebsocketConsumer):
    """A consumer whose outgoing side never waits and whose incoming side is limited.

    Override ``connect`` (look who it is, ``await self.accept()``, ``self.stand_on(…)``, ``await self.join(topic)``),
    ``received`` for the client's frames, ``encode_event`` for the shape of events, and ``disconnect`` for what the
    consumer itself must tidy up; topics, queues and timers are tidied up here, however the socket ends. ``Unavailable``
    raised by ``connect`` closes with 1013. Origins are checked before a consumer sees the socket
    (``gameplatform.bridge``).
    """

    incoming_bytes_max: ClassVar[int] = 16 * 1024
    incoming_per_second: ClassVar[float] = 5.0
    incoming_burst: ClassVar[float] = 40.0
    rate_limit_code: ClassVar[int] = CLOSE_TOO_FAST
    # A socket whose client sends nothing, not even a ping, for this long is closed. Clients that never speak are
    # watched by the server's own WebSocket pings, so None is safe.
    idle_seconds: ClassVar[float | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._writer = SocketWriter(self._send_text, self._overflowed)
        self._topics: set[str] = set()
        self._held: dict[str, list[Frame]] = {}
        self._known_seq: dict[str, int] = {}
        self._is_closing = False
        self._closing_task: asyncio.Task[None] | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._allowance = self.incoming_burst
        self._allowance_at = 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run the socket from handshake to end."""
        # Never with its query string, which holds a token.
        logger.info("socket %r begins", scope["path"])
        try:
            with metrics.SOCKETS.track_inprogress(), get_census().counted():
                await super().__call__(scope, receive, send)
        except Exception as error:
            # Logged here and not by the server, which knows no request.
            metrics.FAILURES.labels(type(self).__name__).inc()
            logger.error("socket %r failed: %s", scope["path"], describe(error))
            with suppress(OSError, RuntimeError):  # it is closed already
                await send({"type": "websocket.close", "code": CLOSE_FAILED})
        finally:
            get_watch().remove(self)
            self._leave_all()
            self._writer.close()
            if self._idle_timer is not None:
                self._idle_timer.cancel()
            logger.info("socket %r ended", scope["path"])

    # --- For the consumer -----------------------------------------------------------------------------------------

    async def received(self, frame: dict[str, Any]) -> None:
        """A frame from the client: a JSON object, read strictly, that is no ping."""

    async def malformed(self, error: MalformedJSON) -> None:
        """A frame that is no JSON object. Closes with 1007 unless the contract has an answer for it."""
        await self.close(CLOSE_INVALID_DATA)

    def pong(self, frame: dict[str, Any]) -> Mapping[str, Any]:
        """The answer to the client's ``{"type": "ping"}``."""
        return {"type": "pong"}

    @classmethod
    def encode_event(cls, event: dict[str, Any]) -> str:
        """The text that clients get for an event; made once per process and event, so it sees no consumer."""
        return orjson.dumps(event).decode()

    async def on_gap(self) -> None:
        """Events may have been lost: tells the client to resync."""
        self.reply({"type": "resync"})

    def stand_on(self, standing: Hashable, *, still_good: StillGood) -> None:
        """Close with 4001 when what the client signed in with has ended; called before anything is delivered."""
        get_watch().add(self, standing, still_good=still_good)

    def revoked(self) -> None:
        """What the client signed in with has ended."""
        self._close_soon(CLOSE_UNAUTHORIZED)

    async def join(self, topic: str) -> None:
        """Deliver the events of ``topic`` from now on. Raises ``Unavailable`` when Redis is away."""
        self._topics.add(topic)
        await get_hub().subscribe(topic, self, encode=self._encode)

    def leave(self, topic: str) -> None:
        """Deliver no more of ``topic``."""
        self._topics.discard(topic)
        get_hub().unsubscribe(topic, self)

    def hold(self, topic: str) -> None:
        """Keep back the events of ``topic`` while the client is sent what it missed: called before ``join``."""
        self._held[topic] = []

    def release(self, topic: str, *, after_seq: int) -> None:
        """Deliver the events kept back, and all later ones, but none numbered up to ``after_seq``.

        Those the client has been sent; one may still come, because events are published after their commit.
        """
        self._known_seq[topic] = after_seq
        for frame in self._held.pop(topic, []):
            self.deliver(frame)

    def reply(self, message: Mapping[str, Any]) -> None:
        """Send one message to this client, in order with the events."""
        self._writer.write(orjson.dumps(message).decode())

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close once what was written is sent; a peer that takes none of it within five seconds is cut off."""
        self._leave_all()
        if self._is_closing:
            return
        self._is_closing = True
        try:
            async with asyncio.timeout(CLOSE_GRACE_SECONDS):
                await self._writer.flush()
                self._writer.close()
                await super().close(code, reason)
        except TimeoutError:
            self._abort()
        except OSError:
            return  # the peer was faster

    # --- For the hub ----------------------------------------------------------------------------------------------

    def deliver(self, frame: Frame) -> None:
        """Take an event from the hub."""
        held = self._held.get(frame.topic)
        if held is None:
            known_seq = self._known_seq.get(frame.topic)
            if known_seq is None or frame.seq is None or frame.seq > known_seq:
                self._writer.write(frame.text)
        elif len(held) < HELD_FRAMES_MAX:
            held.append(frame)
        else:
            self._overflowed()

    @classmethod
    def _encode(cls, topic: str, data: bytes) -> Frame:
        event = orjson.loads(data)
        return Frame(topic, event.get("seq"), cls.encode_event(event))

    # --- For Channels ---------------------------------------------------------------------------------------------

    async def websocket_connect(self, message: Any) -> None:
        """The handshake."""
        self._watch_idleness()
        try:
            await super().websocket_connect(message)
        except Unavailable:
            await self.close(CLOSE_TRY_AGAIN_LATER)

    async def websocket_receive(self, message: Any) -> None:
        """A frame, checked before anything looks into it."""
        if self._is_closing:
            return
        self._watch_idleness()
        raw = message["bytes"] if message.get("text") is None else message["text"].encode()
        if len(raw) > self.incoming_bytes_max:
            await self.close(CLOSE_TOO_LARGE)
        elif not self._may_send_now():
            await self.close(self.rate_limit_code)
        else:
            await self._understand(raw)

    async def _understand(self, raw: bytes) -> None:
        try:
            frame = loads_strict(raw)
            if not isinstance(frame, dict):
                raise MalformedJSON("A frame must be a JSON object")
        except MalformedJSON as error:
            await self.malformed(error)
            return
        if frame.get("type") == "ping":
            self.reply(self.pong(frame))
        else:
            await self.received(frame)

    def _may_send_now(self) -> bool:
        now = asyncio.get_running_loop().time()
        refill = (now - self._allowance_at) * self.incoming_per_second
        self._allowance = min(self.incoming_burst, self._allowance + refill)
        self._allowance_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def _watch_idleness(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self.idle_seconds is not None:
            loop = asyncio.get_running_loop()
            self._idle_timer = loop.call_later(self.idle_seconds, self._close_soon, CLOSE_GOING_AWAY)

    # --- The end --------------------------------------------------------------------------------------------------

    async def _send_text(self, text: str) -> None:
        await self.base_send({"type": "websocket.send", "text": text})

    def _overflowed(self) -> None:
        """The client reads too slowly. What waits for it is dropped: it will read that from the database."""
        metrics.SLOW_SOCKETS.inc()
        self._writer.close()
        self._close_soon(CLOSE_TRY_AGAIN_LATER)

    def _close_soon(self, code: int) -> None:
        self._leave_all()
        if not self._is_closing:
            # Kept, because the loop itself holds its tasks only weakly.
            self._closing_task = asyncio.get_running_loop().create_task(self.close(code))

    def _leave_all(self) -> None:
        for topic in tuple(self._topics):
            self.leave(topic)

    def _abort(self) -> None:
        """ASGI cannot cut a connection and a close frame needs a peer that reads: uvicorn's transport can."""
        self._writer.close()
        transport = getattr(getattr(self.base_send, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()
