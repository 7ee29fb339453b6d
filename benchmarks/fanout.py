"""How fast one event reaches every socket of a room: the hub against three plainer ways, in one run.

    REDIS_URL=redis://localhost:6379/0 python -m benchmarks.fanout

One uvicorn process per way, this process as the client of up to 1,000 sockets; events are published in Redis and
reach each server by the same subscription, so only the last step differs:

    hub       HubConsumer: sent at once, a queue and a task only for a socket that does not take it
    tasks     a queue and a writer task per socket, always
    gather    ``asyncio.gather`` of ``send`` over all sockets, awaited before the next event
    layer     Channels' in-memory channel layer and ``group_send``

The ways take two turns at each load, one after the other; the better turn counts, because other work on the machine
only ever slows. Client, server and Redis share it: read the ratios, not the figures. Takes less than a minute.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import quantiles

import orjson
import redis.asyncio
import uvicorn
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.conf import settings

from core.realtime.hub import get_hub
from core.realtime.publishing import channel_of
from core.realtime.sockets import HubConsumer

WAYS = ("hub", "tasks", "gather", "layer")
# (sockets, events per second): 10,000 and 100,000 deliveries a second are asked for.
LOADS = ((100, 100), (1000, 100))
TURNS = 2
SENDING_SECONDS = 1.5
DRAIN_SECONDS = 1.0
PADDING = "x" * 60


# --- The server -------------------------------------------------------------------------------------------------------


def as_text(_topic: str, data: bytes) -> str:
    return data.decode()


class ByHub(HubConsumer):
    async def connect(self) -> None:
        await self.accept()
        await self.join(sys.argv[3])


class Shared:
    """Hands each event of the topic to one coroutine of the way under test, one event after the other."""

    def __init__(self, handle) -> None:
        self._events: asyncio.Queue[str] = asyncio.Queue()
        self._handle = handle
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        await get_hub().subscribe(sys.argv[3], self, encode=as_text)
        while True:
            await self._handle(await self._events.get())

    def deliver(self, frame: str) -> None:
        self._events.put_nowait(frame)

    async def on_gap(self) -> None:
        raise SystemExit("Redis went away during the benchmark")


class ByGather(AsyncWebsocketConsumer):
    sockets: set["ByGather"] = set()
    shared: Shared | None = None

    async def connect(self) -> None:
        await self.accept()
        self.sockets.add(self)
        ByGather.shared = ByGather.shared or Shared(self.send_to_all)

    async def disconnect(self, code: int) -> None:
        self.sockets.discard(self)

    @classmethod
    async def send_to_all(cls, text: str) -> None:
        await asyncio.gather(*(each.send(text_data=text) for each in cls.sockets), return_exceptions=True)


class ByTasks(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.accept()
        self.queue: asyncio.Queue[str] = asyncio.Queue(1000)
        self.writer = asyncio.get_running_loop().create_task(self.write())
        await get_hub().subscribe(sys.argv[3], self, encode=as_text)

    async def write(self) -> None:
        while True:
            await self.send(text_data=await self.queue.get())

    def deliver(self, frame: str) -> None:
        self.queue.put_nowait(frame)

    async def on_gap(self) -> None:
        raise SystemExit("Redis went away during the benchmark")

    async def disconnect(self, code: int) -> None:
        get_hub().unsubscribe(sys.argv[3], self)
        self.writer.cancel()


class ByLayer(AsyncWebsocketConsumer):
    groups = ["benchmark"]
    shared: Shared | None = None

    async def connect(self) -> None:
        await self.accept()
        ByLayer.shared = ByLayer.shared or Shared(self.send_to_group)

    @staticmethod
    async def send_to_group(text: str) -> None:
        await get_channel_layer().group_send("benchmark", {"type": "event", "text": text})

    async def event(self, message: dict[str, str]) -> None:
        await self.send(text_data=message["text"])


def serve(way: str, port: int) -> None:
    if way == "layer":
        layer = {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}
        settings.CHANNEL_LAYERS = {"default": layer}
    consumer = {"hub": ByHub, "tasks": ByTasks, "gather": ByGather, "layer": ByLayer}[way]
    uvicorn.run(
        consumer.as_asgi(),
        port=port,
        lifespan="off",
        log_level="critical",
        ws_per_message_deflate=False,
        backlog=2048,
    )


# --- The client -------------------------------------------------------------------------------------------------------


def event_at(moment: float) -> bytes:
    """An event of about 100 bytes, always of one length, that says when it was published."""
    return orjson.dumps({"at": f"{moment:020.6f}", "text": PADDING})


EVENT_BYTES = len(event_at(0))
FRAME_BYTES = EVENT_BYTES + 2  # a text frame of fewer than 126 bytes has a header of two
MOMENT = slice(2 + len('{"at":"'), 2 + len('{"at":"') + 20)


class Client(asyncio.Protocol):
    """One socket: reads frames of the one length there is and notes how old each was."""

    def __init__(self, ages: list[float]) -> None:
        self._ages = ages
        self._rest = b""
        self.is_open = asyncio.Event()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self.is_open.is_set():
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self.is_open.set()
        now = time.monotonic()
        whole = len(data) - len(data) % FRAME_BYTES
        for start in range(0, whole, FRAME_BYTES):
            self._ages.append(now - float(data[start + MOMENT.start : start + MOMENT.stop]))
        self._rest = data[whole:]


async def measure(port: int, topic: str, sockets: int, rate: int) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    ages: list[float] = []
    clients = []
    for start in range(0, sockets, 50):
        batch = [
            loop.create_connection(lambda: Client(ages), "127.0.0.1", port) for _ in range(min(50, sockets - start))
        ]
        clients += [client for _, client in await asyncio.gather(*batch)]
        await asyncio.gather(*(client.is_open.wait() for client in clients[start:]))
    await asyncio.sleep(0.5)  # until the last one has joined
    events = int(rate * SENDING_SECONDS)
    async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as publisher:
        started = time.monotonic()
        for number in range(events):
            await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
            await publisher.publish(channel_of(topic), event_at(time.monotonic()))
        deadline = started + SENDING_SECONDS + DRAIN_SECONDS
        while len(ages) < events * sockets and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        took = time.monotonic() - started
    for client in clients:
        client.transport.abort()
    milliseconds = quantiles((age * 1000 for age in ages), n=100) if len(ages) > 1 else [float("nan")] * 99
    return {
        "got": len(ages) / (events * sockets),
        "rate": len(ages) / took,
        "p50": milliseconds[49],
        "p99": milliseconds[98],
    }


@asynccontextmanager
async def server_of(way: str):
    """A server process for ``way``: its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.fanout", "--serve", way, topic_of(way), str(port)])
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"the server for {way} did not start") from None
                await asyncio.sleep(0.05)
        yield port
    finally:
        server.kill()
        server.wait()


def topic_of(way: str) -> str:
    return f"benchmark-{os.getpid()}-{way}"


async def run_load(sockets: int, rate: int) -> None:
    turns: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    async with AsyncExitStack() as stack:
        ports = {way: await stack.enter_async_context(server_of(way)) for way in WAYS}
        for turn in range(TURNS):
            for way in WAYS:
                # The layer works off what it could not send long after its clients left, which would slow the
                # others: it goes last and once.
                if way != "layer" or turn == TURNS - 1:
                    turns[way].append(await measure(ports[way], topic_of(way), sockets, rate))
    report(sockets, rate, {way: max(rows, key=lambda row: row["rate"]) for way, rows in turns.items()})


async def run_all() -> None:
    for sockets, rate in LOADS:
        await run_load(sockets, rate)


def report(sockets: int, rate: int, rows: dict[str, dict[str, float]]) -> None:
    print(f"\n{sockets} sockets, {rate} events/s = {sockets * rate:,} deliveries/s asked for")
    print(f"{'':8}{'got':>7}{'deliveries/s':>14}{'p50 ms':>10}{'p99 ms':>10}   hub against it")
    hub = rows["hub"]
    for way, row in rows.items():
        ratios = f"{hub['rate'] / row['rate']:5.1f}x as many, {row['p50'] / hub['p50']:5.1f}x as soon"
        print(
            f"{way:8}{row['got']:>7.0%}{row['rate']:>14,.0f}{row['p50']:>10.1f}{row['p99']:>10.1f}"
            + ("" if way == "hub" else f"   {ratios}")
        )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gameplatform.settings")
    os.environ.setdefault("DEBUG", "true")
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], int(sys.argv[4]))
    else:
        asyncio.run(run_all())
