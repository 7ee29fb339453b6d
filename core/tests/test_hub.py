import asyncio
import logging

import orjson
import pytest
import pytest_asyncio
import redis.asyncio

from core.errors import Unavailable
from core.realtime import hub as hub_module
from core.realtime.hub import Hub, get_hub
from core.realtime.publishing import channel_of

pytestmark = [pytest.mark.faults, pytest.mark.asyncio]


def decode(topic, data):
    return orjson.loads(data)


def raw(topic, data):
    return data


class Listener:
    def __init__(self):
        self.got = []
        self.gaps = 0

    def deliver(self, frame):
        self.got.append(frame)

    async def on_gap(self):
        self.gaps += 1


@pytest_asyncio.fixture
async def hub(valkey):
    hub = Hub(valkey.url)
    yield hub
    await hub.close()


async def publish(url, topic, *numbers):
    async with redis.asyncio.Redis.from_url(url) as client:
        for number in numbers:
            await client.publish(channel_of(topic), orjson.dumps(number))


async def subscriptions(url):
    async with redis.asyncio.Redis.from_url(url) as client:
        return sorted(await client.pubsub_channels())


async def until(condition, seconds=10):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_what_is_published_after_subscribing_arrives_in_order(hub, valkey):
    listener = Listener()
    await hub.subscribe("t", listener, encode=decode)
    await publish(valkey.url, "t", *range(100))
    await publish(valkey.url, "other", 1)
    await until(lambda: len(listener.got) >= 100)
    assert listener.got == list(range(100))


async def test_a_hundred_that_subscribe_at_once_lose_nothing(hub, valkey):
    listeners = [Listener() for _ in range(100)]

    async def subscribe(listener):
        await hub.subscribe("t", listener, encode=decode)
        listener.got.clear()

    counter = 0
    enough = asyncio.Event()

    async def keep_publishing():
        nonlocal counter
        async with redis.asyncio.Redis.from_url(valkey.url) as client:
            while not enough.is_set():
                counter += 1
                await client.publish(channel_of("t"), counter)

    publisher = asyncio.create_task(keep_publishing())
    await asyncio.gather(*map(subscribe, listeners))
    until_counter = counter + 200
    await until(lambda: counter > until_counter)
    enough.set()
    await publisher
    await publish(valkey.url, "t", -1)
    await until(lambda: all(listener.got and listener.got[-1] == -1 for listener in listeners))
    for listener in listeners:
        *numbers, _end = listener.got
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert numbers[-1] == counter


async def test_an_event_is_encoded_once_per_encoder_and_not_once_per_subscriber(hub, valkey):
    calls = []

    def upper(topic, data):
        calls.append("upper")
        return data.upper()

    def plain(topic, data):
        calls.append("plain")
        return data

    listeners = [Listener() for _ in range(10)]
    for position, listener in enumerate(listeners):
        await hub.subscribe("t", listener, encode=upper if position % 2 else plain)
    await publish(valkey.url, "t", {"a": 1})
    await until(lambda: all(listener.got for listener in listeners))
    assert sorted(calls) == ["plain", "upper"]
    assert [listener.got for listener in listeners] == [[b'{"a":1}'], [b'{"A":1}']] * 5


async def test_topics_are_counted_and_the_last_one_out_ends_the_subscription(hub, valkey):
    listeners = [Listener() for _ in range(3)]
    topics = [f"t{number}" for number in range(50)]
    await asyncio.gather(*(hub.subscribe(topic, listener, encode=decode) for topic in topics for listener in listeners))
    assert hub.topics == dict.fromkeys(topics, 3)
    assert len(await subscriptions(valkey.url)) == 50
    for listener in listeners:
        for topic in topics:
            hub.unsubscribe(topic, listener)
            hub.unsubscribe(topic, listener)
    assert hub.topics == {}
    async with asyncio.timeout(5):
        while await subscriptions(valkey.url):
            await asyncio.sleep(0.01)


async def test_leaving_and_coming_back_at_once_loses_nothing(hub, valkey):
    listener = Listener()
    for number in range(50):
        await hub.subscribe("t", listener, encode=decode)
        await publish(valkey.url, "t", number)
        await until(lambda number=number: listener.got and listener.got[-1] == number)
        hub.unsubscribe("t", listener)
        if number % 2:
            await asyncio.sleep(0)
    assert listener.got == list(range(50))


async def test_a_subscriber_that_fails_is_dropped_and_the_others_go_on(hub, valkey, caplog):
    class Broken(Listener):
        def deliver(self, frame):
            raise ZeroDivisionError

    broken, healthy = Broken(), Listener()
    await hub.subscribe("t", broken, encode=decode)
    await hub.subscribe("t", healthy, encode=decode)
    await publish(valkey.url, "t", 1, 2)
    await until(lambda: healthy.got == [1, 2])
    assert hub.topics == {"t": 1}
    assert [record.getMessage() for record in caplog.records] == ["A subscriber of t failed and is dropped"]


async def test_an_event_that_cannot_be_encoded_is_logged_and_the_next_one_arrives(hub, valkey, caplog):
    listener = Listener()
    await hub.subscribe("t", listener, encode=lambda topic, data: 1 // int(data))
    await publish(valkey.url, "t", 0, 1)
    await until(lambda: listener.got == [1])
    assert [record.getMessage() for record in caplog.records] == ["An event of t could not be encoded"]


@pytest.fixture
def settling_quickly(monkeypatch):
    monkeypatch.setattr(hub_module, "SETTLE_SECONDS", 0.1)


async def test_after_a_restart_of_redis_it_is_subscribed_again_and_everybody_is_told_of_the_gap(
    hub, valkey, caplog, settling_quickly
):
    caplog.set_level(logging.WARNING, hub_module.logger.name)
    listeners = [Listener() for _ in range(20)]
    for position, listener in enumerate(listeners):
        await hub.subscribe(f"t{position % 4}", listener, encode=decode)
    for outage in (1, 2):
        await asyncio.to_thread(valkey.stop)
        await asyncio.to_thread(valkey.start)
        await until(lambda outage=outage: all(listener.gaps == outage for listener in listeners))
        for topic in range(4):
            await publish(valkey.url, f"t{topic}", outage)
        await until(lambda outage=outage: all(listener.got[-1:] == [outage] for listener in listeners))
    assert [listener.got for listener in listeners] == [[1, 2]] * 20
    messages = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert messages == ["The hub lost Redis", "The hub is connected to Redis again"] * 2


async def test_who_left_or_came_during_the_outage_is_not_told_of_a_gap(hub, valkey, settling_quickly):
    stays, leaves, comes = Listener(), Listener(), Listener()
    await hub.subscribe("t", stays, encode=decode)
    await hub.subscribe("t", leaves, encode=decode)
    await asyncio.to_thread(valkey.stop)
    await until(lambda: hub._missed)
    hub.unsubscribe("t", leaves)
    coming = asyncio.create_task(hub.subscribe("u", comes, encode=decode))
    await asyncio.to_thread(valkey.start)
    await coming
    await until(lambda: stays.gaps)
    await asyncio.sleep(0.1)
    assert (stays.gaps, leaves.gaps, comes.gaps) == (1, 0, 0)


async def test_a_connection_that_is_silent_is_given_up(hub, valkey, monkeypatch, settling_quickly):
    monkeypatch.setattr(hub_module, "PING_SECONDS", 0.2)
    listener = Listener()
    await hub.subscribe("t", listener, encode=decode)
    valkey.freeze()
    await until(lambda: hub._missed)
    valkey.thaw()
    await until(lambda: listener.gaps == 1)
    await publish(valkey.url, "t", 7)
    await until(lambda: listener.got == [7])


async def test_a_quiet_connection_that_answers_is_kept(hub, valkey, monkeypatch):
    monkeypatch.setattr(hub_module, "PING_SECONDS", 0.1)
    listener = Listener()
    await hub.subscribe("t", listener, encode=decode)
    await asyncio.sleep(0.6)
    await publish(valkey.url, "t", 7)
    await until(lambda: listener.got == [7])
    assert listener.gaps == 0


async def test_without_redis_subscribing_is_refused_and_leaves_nothing_behind(hub, valkey, monkeypatch):
    monkeypatch.setattr(hub_module, "SUBSCRIBE_TIMEOUT_SECONDS", 0.3)
    valkey.stop()
    with pytest.raises(Unavailable):
        await hub.subscribe("t", Listener(), encode=decode)
    assert hub.topics == {}


async def test_a_flood_of_events_does_not_starve_the_loop(hub, valkey):
    listeners = [Listener() for _ in range(200)]
    for listener in listeners:
        await hub.subscribe("t", listener, encode=raw)
    longest = 0.0
    publishing = asyncio.create_task(publish(valkey.url, "t", *range(3000)))
    while len(listeners[-1].got) < 3000:
        before = asyncio.get_running_loop().time()
        await asyncio.sleep(0)
        longest = max(longest, asyncio.get_running_loop().time() - before)
    await publishing
    assert longest < 0.25


async def test_a_hub_that_is_closed_at_any_moment_ends_and_leaves_no_task(valkey):
    for moment in range(60):
        hub = Hub(valkey.url)
        tasks = asyncio.all_tasks()
        subscribing = asyncio.create_task(hub.subscribe(f"t{moment}", Listener(), encode=raw))
        for _ in range(moment):
            await asyncio.sleep(0)
        async with asyncio.timeout(2):
            await hub.close()
        subscribing.cancel()
        await asyncio.wait({subscribing})
        assert asyncio.all_tasks() == tasks


async def test_every_loop_has_one_hub(valkey):
    assert get_hub() is get_hub()
    await get_hub().close()
