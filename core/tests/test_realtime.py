import logging
import time
from contextlib import contextmanager
from decimal import Decimal

import orjson
import pytest
import redis
from django.db import transaction

from core.db.transactions import use_case
from core.realtime.publishing import channel_of, publish_now, publish_on_commit
from core.redis import connection as redis_connection
from core.tests.servers import Valkey

pytestmark = pytest.mark.faults


@contextmanager
def listening(url, *topics):
    """A list that is filled, on leaving, with what arrived: (topic, event)."""
    client = redis.Redis.from_url(url, decode_responses=True)
    arrived = []
    with client.pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.subscribe(*map(channel_of, topics))
        for _ in topics:
            subscription.get_message(timeout=5)
        yield arrived
        while message := subscription.get_message(timeout=0.2):
            arrived.append((message["channel"].removeprefix("topic:"), orjson.loads(message["data"])))


def events(*numbers, topic="t"):
    return [(topic, {"n": number}) for number in numbers]


@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix socket"])
def test_an_event_arrives_over_tcp_and_over_a_unix_socket(tmp_path, settings, unix):
    server = Valkey(tmp_path, unix=unix)
    server.start()
    settings.REDIS_URL = server.url
    try:
        with listening(server.url, "t") as arrived:
            publish_now("t", {"n": 1})
    finally:
        server.stop()
    assert arrived == events(1)


@pytest.mark.django_db(transaction=True)
def test_events_leave_in_order_after_the_commit_and_not_before(valkey):
    @use_case
    def act():
        for number in range(50):
            publish_on_commit("t" if number % 2 else "u", {"n": number})
        with listening(valkey.url, "t", "u") as before:
            pass
        assert before == []

    with listening(valkey.url, "t", "u") as arrived:
        act()
    assert arrived == [("t" if number % 2 else "u", {"n": number}) for number in range(50)]


@pytest.mark.django_db(transaction=True)
def test_the_events_of_a_transaction_are_one_round_trip(valkey):
    client = redis.Redis.from_url(valkey.url)
    publish_now("t", {})

    def act(count):
        before = client.info("stats")["total_reads_processed"]
        with transaction.atomic():
            for number in range(count):
                publish_on_commit("t", {"n": number})
        return client.info("stats")["total_reads_processed"] - before

    assert act(20) == act(1)


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_rolls_back_publishes_nothing(valkey):
    with listening(valkey.url, "t") as arrived, transaction.atomic():
        publish_on_commit("t", {"n": 1})
        transaction.set_rollback(True)
    assert arrived == []


@pytest.mark.django_db(transaction=True)
def test_a_savepoint_that_rolls_back_takes_its_own_events_along_and_no_others(valkey):
    with listening(valkey.url, "t") as arrived, transaction.atomic():
        publish_on_commit("t", {"n": 1})
        with transaction.atomic():
            publish_on_commit("t", {"n": 2})
            transaction.set_rollback(True)
        publish_on_commit("t", {"n": 3})
        with transaction.atomic():
            publish_on_commit("t", {"n": 4})
        publish_on_commit("t", {"n": 5})
    assert arrived == events(1, 3, 4, 5)


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_a_programming_error(valkey):
    with pytest.raises(RuntimeError, match="inside a use case"):
        publish_on_commit("t", {"n": 1})


@pytest.mark.django_db(transaction=True)
def test_an_event_that_is_not_json_fails_in_the_transaction_that_made_it(valkey):
    @use_case
    def act():
        publish_on_commit("t", {"n": 1})
        publish_on_commit("t", {"amount": Decimal("1.5")})

    with listening(valkey.url, "t") as arrived:
        with pytest.raises(TypeError):
            act()
    assert arrived == []


@pytest.mark.django_db(transaction=True)
def test_redis_away_is_no_error_and_is_logged_once_per_outage(valkey, caplog):
    caplog.set_level(logging.WARNING, redis_connection.logger.name)
    publish_now("t", {})
    for _ in range(2):
        valkey.stop()
        for number in range(20):
            with transaction.atomic():
                publish_on_commit("t", {"n": number})
        valkey.start()
        time.sleep(redis_connection.PAUSE_SECONDS)
        with listening(valkey.url, "t") as arrived:
            publish_now("t", {"n": 7})
        assert arrived == events(7)
    messages = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert messages == ["Redis is away", "Redis is back"] * 2


@pytest.mark.django_db(transaction=True)
def test_a_frozen_redis_costs_its_callers_one_timeout_and_not_one_each(valkey):
    publish_now("t", {})
    valkey.freeze()
    try:
        started = time.monotonic()
        for number in range(20):
            publish_now("t", {"n": number})
        assert time.monotonic() - started < redis_connection.TIMEOUT_SECONDS + 0.4
    finally:
        valkey.thaw()


def test_a_restarted_redis_is_found_again_at_once_by_a_process_that_met_no_failure(valkey):
    publish_now("t", {"n": 1})
    valkey.stop()
    valkey.start()
    with listening(valkey.url, "t") as arrived:
        publish_now("t", {"n": 2})
    assert arrived == events(2)
