"""A feed hands out messages by number, whatever order they are announced in and whichever announcement is lost."""

import asyncio
import random
import uuid
from types import SimpleNamespace

import pytest

from accounts.standing import Standing
from chat import events, messages, queries
from chat.access import Caller
from chat.feeds import Feeds
from chat.posting import Draft
from chat.seating import Seat
from core.db import clock
from core.realtime import offload
from core.realtime.hub import get_hub

pytestmark = pytest.mark.django_db(transaction=True)


class Listener:
    def __init__(self, conversation_id, caller, user_id):
        self.seat = Seat(
            conversation_id=conversation_id, user_id=user_id, user_name="", meta={}, caller=caller, standing=Standing()
        )
        self.got, self.ended = [], None

    def hand(self, frame):
        self.got.append(frame)

    def end(self, why):
        self.ended = why


@pytest.fixture
def stage(tenant, lounge):
    """Five listeners of the lounge's feed, and the events of messages that were posted, to be announced at will."""
    caller = Caller(client=tenant.client)

    async def run(scenario):
        feeds = Feeds(lambda event: (event["type"], event["seq"] if "seq" in event else event["data"]["user_id"]))
        listeners = [Listener(lounge.pk, caller, "lan") for _ in range(5)]
        starts = [await feeds.enter(listener) for listener in listeners]
        feed = feeds._feeds[lounge.pk]
        # Only what the test announces is heard.
        get_hub().unsubscribe(events.conversation_topic(lounge.pk), feed)
        try:
            await scenario(SimpleNamespace(feed=feed, feeds=feeds, listeners=listeners, starts=starts))
        finally:
            for listener in listeners:
                feeds.leave(listener)
            await get_hub().close()

    def post(count):
        rows = [
            messages.post_message(
                caller=caller,
                room_id=lounge.pk,
                draft=Draft(
                    sender_id="lan", sender_name=None, content="x", message_type="text", meta={}, client_msg_id=None
                ),
                now=clock.now(),
            ).row
            for _ in range(count)
        ]
        return [events.message_event(row) for row in rows]

    yield SimpleNamespace(run=lambda scenario: asyncio.run(run(scenario)), post=post, room=lounge)
    offload.close_connections()


def numbers(listener):
    return [seq for kind, seq in listener.got if kind == events.MESSAGE]


@pytest.mark.parametrize("seed", range(5))
def test_announcements_that_overtake_each_other_are_handed_out_by_number(stage, seed, monkeypatch):
    fetches = []
    monkeypatch.setattr(queries, "messages_after", lambda *given: fetches.append(given) or [])

    async def scenario(on):
        announced = await offload.offload(stage.post, 40)
        # Each one is overtaken by a few, as by a few processes that publish at once.
        order = sorted(range(40), key=lambda place: place + random.Random(seed * 100 + place).uniform(0, 6))
        assert order != sorted(order)
        for place in order:
            on.feed.deliver(announced[place])
        for listener in on.listeners:
            assert numbers(listener) == list(range(1, 41))

    stage.run(scenario)
    assert fetches == []


def test_a_lost_announcement_is_read_from_the_database_once_for_all_sockets(stage, monkeypatch):
    fetches = []
    read = queries.messages_after
    monkeypatch.setattr(queries, "messages_after", lambda *given: fetches.append(given) or read(*given))

    async def scenario(on):
        announced = await offload.offload(stage.post, 4)
        on.feed.deliver(announced[0])
        on.feed.deliver(announced[3])
        # Control: until the gap is repaired nothing is handed out past it.
        assert [numbers(listener) for listener in on.listeners] == [[1]] * 5
        await asyncio.sleep(0.4)
        assert [numbers(listener) for listener in on.listeners] == [[1, 2, 3, 4]] * 5
        on.feed.deliver(announced[1])
        assert [numbers(listener) for listener in on.listeners] == [[1, 2, 3, 4]] * 5

    stage.run(scenario)
    assert len(fetches) == 1


def test_an_announcement_that_nobody_heard_is_found_by_the_monitor(stage):
    async def scenario(on):
        await offload.offload(stage.post, 3)
        await on.feeds._check()
        await asyncio.sleep(0.4)
        assert numbers(on.listeners[0]) == [1, 2, 3]

    stage.run(scenario)


def test_who_enters_late_begins_after_what_the_others_have(stage):
    async def scenario(on):
        announced = await offload.offload(stage.post, 3)
        on.feed.deliver(announced[0])
        late = Listener(stage.room.pk, on.listeners[0].seat.caller, "minh")
        assert await on.feeds.enter(late) == 1
        on.feed.deliver(announced[2])
        on.feed.deliver(announced[1])
        assert (numbers(late), numbers(on.listeners[0])) == ([2, 3], [1, 2, 3])
        on.feeds.leave(late)

    stage.run(scenario)


def test_a_change_waits_for_the_message_it_changes(stage):
    async def scenario(on):
        first, second = await offload.offload(stage.post, 2)
        edited = {**second, "type": events.MESSAGE_UPDATED}
        on.feed.deliver(edited)
        on.feed.deliver(second)
        on.feed.deliver(first)
        kinds = [(events.MESSAGE, 1), (events.MESSAGE, 2), (events.MESSAGE_UPDATED, 2)]
        assert on.listeners[0].got == kinds

    stage.run(scenario)


def test_the_monitor_ends_sockets_without_a_right_that_no_announcement_spoke_of(stage):
    async def scenario(on):
        stranger = Listener(stage.room.pk, on.listeners[0].seat.caller, "stranger")
        await on.feeds.enter(stranger)
        await on.feeds._check()
        assert (stranger.ended, on.listeners[0].ended) == ("left", None)
        on.feeds.leave(stranger)

    stage.run(scenario)


def test_the_feed_of_an_unknown_conversation_ends_its_sockets(stage):
    async def scenario(on):
        lost = Listener(uuid.uuid4(), on.listeners[0].seat.caller, "lan")
        assert await on.feeds.enter(lost) == 0
        await on.feeds._check()
        assert lost.ended == "deleted"
        on.feeds.leave(lost)

    stage.run(scenario)
