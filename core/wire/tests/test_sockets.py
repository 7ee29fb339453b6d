"""HubConsumer behind a real uvicorn and a real Valkey."""

import asyncio
import contextlib
import json
import socket
import threading

import pytest
import uvicorn
from channels.routing import URLRouter
from django.urls import path
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from core.realtime import census, sockets
from core.realtime import hub as hub_module
from core.realtime.census import get_census
from core.realtime.hub import get_hub
from core.realtime.publishing import publish_now
from core.realtime.sockets import HubConsumer
from core.redis import connection as redis_connection
from core.tests.conftest import valkey  # noqa: F401 - the fixture, for this folder too

pytestmark = [pytest.mark.faults, pytest.mark.asyncio]

# What a busy machine may need for what a quiet one does in an instant.
PATIENCE_SECONDS = 30


class Room(HubConsumer):
    encoded = 0
    disconnected: list[int] = []

    async def connect(self):
        await self.accept()
        await self.join(self.scope["url_route"]["kwargs"]["topic"])
        self.reply({"type": "welcome"})

    async def received(self, frame):
        if frame.get("do") == "crash":
            raise ZeroDivisionError
        if frame.get("do") == "leave":
            self.reply({"type": "bye"})
            await self.close(4003)
        else:
            self.reply({"type": "echo", "frame": frame})

    @classmethod
    def encode_event(cls, event):
        Room.encoded += 1
        return json.dumps({"type": "event", **event})

    async def disconnect(self, code):
        self.disconnected.append(code)


class Slow(Room):
    incoming_per_second = 0.1
    incoming_burst = 3


class Idle(Room):
    idle_seconds = 0.3


class Resuming(Room):
    async def connect(self):
        await self.accept()
        self.hold("resumed")
        await self.join("resumed")
        self.reply({"type": "welcome"})

    async def received(self, frame):
        self.reply({"type": "history", "seq": 2})
        self.release("resumed", after_seq=2)


class Server:
    """uvicorn with these consumers, on a loop and thread of its own."""

    def __init__(self):
        routes = [path(f"{kind.__name__.lower()}/<topic>", kind.as_asgi()) for kind in (Room, Slow, Idle, Resuming)]
        config = uvicorn.Config(URLRouter(routes), lifespan="off", log_level="error", ws_ping_interval=None)
        self._server = uvicorn.Server(config)
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self):
        await self._server.serve(sockets=[self._socket])
        await get_hub().close()
        await get_census().close()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._loop.close()

    def url(self, kind="room", topic="t"):
        return f"ws://127.0.0.1:{self.port}/{kind}/{topic}"

    def topics(self):
        async def look():
            return dict(get_hub().topics)

        return asyncio.run_coroutine_threadsafe(look(), self._loop).result(5)


@pytest.fixture
def server(valkey, monkeypatch):  # noqa: F811
    monkeypatch.setattr(hub_module, "SETTLE_SECONDS", 0.1)
    # A publisher gives up on a slow Redis and drops its event, by design: on a busy machine not in these tests.
    monkeypatch.setattr(redis_connection, "TIMEOUT_SECONDS", 10.0)
    Room.encoded = 0
    Room.disconnected.clear()
    with Server() as server:
        yield server


async def receive(client):
    async with asyncio.timeout(PATIENCE_SECONDS):
        return json.loads(await client.recv())


@contextlib.asynccontextmanager
async def client_of(url):
    async with connect(url, compression=None) as client:
        assert await receive(client) == {"type": "welcome"}
        yield client


async def close_code(client):
    async with asyncio.timeout(PATIENCE_SECONDS):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await client.recv()
    return client.close_code


async def until(condition):
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


async def publish(topic, *numbers):
    for number in numbers:
        await asyncio.to_thread(publish_now, topic, {"seq": number})


async def test_a_hundred_that_connect_at_once_get_every_event_in_order_encoded_once(server):
    async with contextlib.AsyncExitStack() as stack:
        clients = await asyncio.gather(*(stack.enter_async_context(client_of(server.url())) for _ in range(100)))
        await publish("t", *range(20))
        for client in clients:
            assert [await receive(client) for _ in range(20)] == [
                {"type": "event", "seq": number} for number in range(20)
            ]
        assert server.topics() == {"t": 100}
        assert Room.encoded == 20
    await until(lambda: server.topics() == {})


async def test_a_socket_that_does_not_read_is_cut_off_and_the_others_get_everything(server, monkeypatch):
    monkeypatch.setattr(sockets, "CLOSE_GRACE_SECONDS", 0.5)
    async with client_of(server.url()) as healthy:
        frozen = socket.create_connection(("127.0.0.1", server.port))
        frozen.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        frozen.sendall(
            b"GET /room/t HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        with frozen:
            await until(lambda: server.topics() == {"t": 2})
            padding = "x" * 60_000
            numbers = []
            while server.topics() != {"t": 1}:
                assert len(numbers) < 500, "the frozen socket was never given up"
                numbers.append(len(numbers))
                await asyncio.to_thread(publish_now, "t", {"seq": numbers[-1], "padding": padding})
                # Each arrives while the frozen one is still there: nobody waits for it.
                assert (await receive(healthy))["seq"] == numbers[-1]
            await publish("t", 1000)
            assert await receive(healthy) == {"type": "event", "seq": 1000}
            await until(lambda: len(Room.disconnected) == 1)


async def test_a_slow_reader_that_wakes_up_in_time_is_told_to_try_again_later(server):
    async with connect(server.url(), compression=None, max_queue=1) as lazy:
        await until(lambda: server.topics() == {"t": 1})
        padding = "x" * 60_000
        for number in range(500):
            await asyncio.to_thread(publish_now, "t", {"seq": number, "padding": padding})
            if server.topics() == {}:
                break
        assert await close_code(lazy) == 1013


async def test_after_a_restart_of_redis_clients_are_told_to_resync_and_get_events_again(server, valkey):  # noqa: F811
    async with client_of(server.url()) as first, client_of(server.url(topic="u")) as second:
        await asyncio.to_thread(valkey.stop)
        await asyncio.to_thread(valkey.start)
        assert await receive(first) == {"type": "resync"}
        assert await receive(second) == {"type": "resync"}
        await publish("t", 7)
        await publish("u", 8)
        assert await receive(first) == {"type": "event", "seq": 7}
        assert await receive(second) == {"type": "event", "seq": 8}


async def test_without_redis_a_socket_is_asked_to_try_again_later(server, valkey, monkeypatch):  # noqa: F811
    monkeypatch.setattr(hub_module, "SUBSCRIBE_TIMEOUT_SECONDS", 0.2)
    valkey.stop()
    async with connect(server.url()) as client:
        assert await close_code(client) == 1013
    assert server.topics() == {}


async def test_pings_are_answered_and_other_frames_reach_the_consumer(server):
    async with client_of(server.url()) as client:
        await client.send('{"type": "ping"}')
        assert await receive(client) == {"type": "pong"}
        await client.send('{"n": 1}')
        assert await receive(client) == {"type": "echo", "frame": {"n": 1}}


@pytest.mark.parametrize("frame", ["{", "[1]", '{"a":1,"a":2}', "[" * 10_000, "NaN", b"\xff"])
async def test_a_frame_that_is_no_json_object_closes_with_1007(server, frame):
    async with client_of(server.url()) as client:
        await client.send(frame)
        assert await close_code(client) == 1007


async def test_the_largest_frame_passes_and_one_byte_more_closes_with_1009(server):
    async with client_of(server.url()) as client:
        frame = '{"a":"' + "é" * 8188 + '"}'
        assert len(frame.encode()) == 16 * 1024
        await client.send(frame)
        assert (await receive(client))["type"] == "echo"
        await client.send(frame + " ")
        assert await close_code(client) == 1009


async def test_who_sends_too_fast_is_closed_with_4004(server):
    async with client_of(server.url("slow")) as client:
        for _ in range(4):
            await client.send('{"type": "ping"}')
        assert [await receive(client) for _ in range(3)] == [{"type": "pong"}] * 3
        assert await close_code(client) == 4004


async def test_who_says_nothing_is_closed_with_1001_and_who_pings_is_not(server):
    async with client_of(server.url("idle")) as silent, client_of(server.url("idle")) as pinging:
        for _ in range(8):
            await pinging.send('{"type": "ping"}')
            assert await receive(pinging) == {"type": "pong"}
            await asyncio.sleep(0.1)
        assert await close_code(silent) == 1001


async def test_what_was_said_before_closing_arrives_before_the_close(server):
    async with client_of(server.url()) as client:
        await client.send('{"do": "leave"}')
        assert await receive(client) == {"type": "bye"}
        assert await close_code(client) == 4003
    assert server.topics() == {}


@pytest.mark.parametrize("how", ["closes", "vanishes", "crashes its consumer"])
async def test_however_a_socket_ends_its_topics_are_left(server, how):
    async with client_of(server.url()) as client:
        assert server.topics() == {"t": 1}
        if how == "vanishes":
            client.transport.abort()
        elif how == "crashes its consumer":
            await client.send('{"do": "crash"}')
        else:
            await client.close()
        await until(lambda: server.topics() == {})


async def test_held_events_come_after_the_history_and_without_what_it_told(server):
    async with client_of(server.url("resuming")) as client:
        await publish("resumed", 1, 2, 3, 4)
        await client.send("{}")
        history = await receive(client)
        await publish("resumed", 2, 5)
        frames = [history] + [await receive(client) for _ in range(3)]
    assert [(frame["type"], frame["seq"]) for frame in frames] == [
        ("history", 2),
        ("event", 3),
        ("event", 4),
        ("event", 5),
    ]


async def test_open_sockets_are_counted_while_they_are_open_and_not_longer(server):
    def known():
        return int(redis_connection.run(census.read))

    assert known() == 0
    async with client_of(server.url()), client_of(server.url()):
        await until(lambda: known() >= 1)
        async with client_of(server.url()):
            await until(lambda: known() == 3)
    await until(lambda: known() == 0)


async def test_sockets_of_a_process_that_fell_silent_are_forgotten(server, monkeypatch):
    monkeypatch.setattr(census, "SILENT_MS", 200)
    monkeypatch.setattr(census, "SPEAK_SECONDS", 60.0)
    async with client_of(server.url()):
        await until(lambda: int(redis_connection.run(census.read)) == 1)
        await asyncio.sleep(0.3)
        assert int(redis_connection.run(census.read)) == 0
