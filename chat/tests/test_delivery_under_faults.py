"""Every message exactly once and in one order at every socket, whatever is killed; and nobody waits for the slow."""

import asyncio
import json
import random
import socket as socket_module
import time

import pytest
import websockets

from chat import tenant_rooms
from chat.models import Conversation, Message
from chat.tests.live import receive
from core.db import clock

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

LISTENERS = 200
SENDERS = 20
MESSAGES_EACH = 15
CARELESS = 10
LOST = (websockets.ConnectionClosed, websockets.InvalidHandshake, OSError, TimeoutError)


class Client:
    """A client as the contract describes one: it reconnects, resumes after what it has, and repeats what was not
    acknowledged. A careless one reconnects without resuming."""

    def __init__(self, live, room_id, key, number, *, careless=False):
        self.live, self.room_id, self.key = live, room_id, key
        self.user_id, self.web = f"user{number}", live.webs[number % 2]
        self.careless = careless
        self.seen, self.connections = [], 0
        self.socket, self.acknowledged = None, asyncio.Event()

    async def run(self):
        while True:
            try:
                await self._listen()
            except LOST:
                self.socket = None
                await asyncio.sleep(random.uniform(0.1, 0.5))

    async def _listen(self):
        resume = {} if self.careless else {"since": self.seen[-1][0] if self.seen else 0}
        async with self.web.connect(self.room_id, token=self.key, user_id=self.user_id, **resume) as socket:
            self.connections += 1
            async for text in socket:
                frame = json.loads(text)
                match frame["type"]:
                    case "connection_status":
                        assert self.careless or frame["data"]["recovered"] is True
                        self.socket = socket
                    case "message":
                        self.seen.append((frame["data"]["seq"], frame["data"]["id"]))
                    case "ack":
                        self.acknowledged.set()

    async def speak(self):
        for number in range(MESSAGES_EACH):
            text = {"content": f"{self.user_id} {number}", "client_msg_id": f"{self.user_id}-{number}"}
            self.acknowledged.clear()
            while not self.acknowledged.is_set():
                try:
                    if self.socket is not None:
                        await self.socket.send(json.dumps({"type": "message", "data": text}))
                    await asyncio.wait_for(self.acknowledged.wait(), 3)
                except LOST:
                    await asyncio.sleep(0.2)
            await asyncio.sleep(random.uniform(0.4, 0.8))


@pytest.fixture
def crowd(tenant):
    now = clock.now()
    room = tenant_rooms.create_room(client=tenant.client, name="Stadium", description="", meta={}, now=now)
    for number in range(LISTENERS + CARELESS):
        tenant_rooms.join_room(
            client=tenant.client, room_id=room.pk, user_id=f"user{number}", user_name="U", meta={}, now=now
        )
    return room


def test_each_message_arrives_once_and_in_one_order_through_the_loss_of_a_process_and_of_redis(live, tenant, crowd):
    async def scenario():
        clients = [Client(live, crowd.pk, tenant.key_text, number) for number in range(LISTENERS)]
        careless = [
            Client(live, crowd.pk, tenant.key_text, LISTENERS + number, careless=True) for number in range(CARELESS)
        ]
        running = [asyncio.create_task(client.run()) for client in [*clients, *careless]]
        async with asyncio.timeout(60):
            while not all(client.socket for client in [*clients, *careless]):
                await asyncio.sleep(0.1)
        speaking = asyncio.gather(*(client.speak() for client in clients[:SENDERS]))
        await asyncio.sleep(2)
        await asyncio.to_thread(live.webs[1].kill)
        await asyncio.sleep(1)
        await asyncio.to_thread(live.webs[1].start)
        await asyncio.sleep(1)
        await asyncio.to_thread(live.valkey.stop)
        await asyncio.sleep(1)
        await asyncio.to_thread(live.valkey.start)
        await asyncio.wait_for(speaking, 90)
        async with asyncio.timeout(30):
            while not all(len(client.seen) >= SENDERS * MESSAGES_EACH for client in clients):
                await asyncio.sleep(0.1)
        # Whatever would come twice has time to come.
        await asyncio.sleep(4)
        for task in running:
            task.cancel()
        return clients, careless

    clients, careless = asyncio.run(scenario())
    total = SENDERS * MESSAGES_EACH
    truth = list(Message.objects.filter(conversation_id=crowd.pk).order_by("seq").values_list("seq", "id"))
    assert [seq for seq, _ in truth] == list(range(1, total + 1))
    expected = [(seq, str(message_id)) for seq, message_id in truth]
    assert [client.user_id for client in clients if client.seen != expected] == []
    assert Conversation.objects.get(pk=crowd.pk).message_count == total
    # The faults were felt: half of the sockets were lost, and who does not resume has holes.
    assert sum(client.connections > 1 for client in clients) >= LISTENERS // 2
    assert any(client.seen != expected for client in careless)


def test_a_reader_that_does_not_read_is_closed_and_the_others_keep_their_pace(live, tenant, crowd):
    room_id, key, web = crowd.pk, tenant.key_text, live.webs[0]
    big = "🎲" * 9_000

    def online():
        return web.call("GET", f"/api/v1/rooms/{room_id}/online", key=key)[1]["data"]["online_users"]

    async def scenario():
        arrivals: dict[int, list[float]] = {}
        fast = [await web.connect(room_id, token=key, user_id=f"user{number}") for number in range(20)]

        async def read(socket):
            async for text in socket:
                frame = json.loads(text)
                if frame["type"] == "message":
                    arrivals.setdefault(frame["data"]["seq"], []).append(time.monotonic())

        async def flood(count):
            starts = []
            for _ in range(count):
                starts.append(time.monotonic())
                body = {"sender_id": "user0", "content": big}
                status, answer = await asyncio.to_thread(
                    web.call, "POST", f"/api/v1/rooms/{room_id}/messages/", body, key=key
                )
                assert status == 201, answer
                posted[answer["data"]["seq"]] = starts[-1]
            return starts

        posted: dict[int, float] = {}
        for socket in fast:
            await receive(socket, "connection_status")
        reading = [asyncio.create_task(read(socket)) for socket in fast]
        await flood(40)
        # A small window of the system's own, or it would read megabytes on the client's behalf.
        window = socket_module.socket()
        window.setsockopt(socket_module.SOL_SOCKET, socket_module.SO_RCVBUF, 16_384)
        window.connect(("127.0.0.1", web.port))
        url = web.socket_url(room_id, token=key, user_id="user100")
        slow = await websockets.connect(url, sock=window, max_queue=1, compression=None)
        await receive(slow, "connection_status")
        await flood(220)
        async with asyncio.timeout(20):
            while "user100" in await asyncio.to_thread(online):
                await asyncio.sleep(0.2)
        await asyncio.sleep(1)
        for task in reading:
            task.cancel()
        for socket in [*fast, slow]:
            await socket.close()
        return {seq: max(times) - posted[seq] for seq, times in arrivals.items()}, arrivals

    latencies, arrivals = asyncio.run(scenario())
    assert sorted(arrivals) == list(range(1, 261))
    assert all(len(times) == 20 for times in arrivals.values())
    alone = sorted(latencies[seq] for seq in range(1, 41))
    beside_the_slow = sorted(latencies[seq] for seq in range(41, 261))
    assert beside_the_slow[int(len(beside_the_slow) * 0.95)] < max(0.25, 4 * alone[int(len(alone) * 0.95)])


def test_users_of_a_killed_process_are_offline_within_45_seconds_and_the_others_are_told(live, tenant, crowd):
    room_id, key = crowd.pk, tenant.key_text

    async def scenario():
        stays = await live.webs[0].connect(room_id, token=key, user_id="user0")
        # Before that it is connected, but not in the conversation yet.
        await receive(stays, "connection_status")
        vanishes = await live.webs[1].connect(room_id, token=key, user_id="user1")
        await receive(stays, "user_joined")
        await receive(vanishes, "connection_status")
        # Past the first renewals: the lease is as fresh as it gets.
        await asyncio.sleep(10)
        await asyncio.to_thread(live.webs[1].kill)
        killed_at = time.monotonic()
        left = await receive(stays, "user_left", seconds=45)
        assert left["user_id"] == "user1"
        assert time.monotonic() - killed_at < 45
        _, online = await asyncio.to_thread(live.webs[0].call, "GET", f"/api/v1/rooms/{room_id}/online", key=key)
        assert online["data"] == {"online_users": ["user0"], "total_online": 1}
        await stays.close()

    try:
        asyncio.run(scenario())
    finally:
        live.webs[1].kill()
        live.webs[1].start()
