"""That Redis is away, and that it is back, is said once, whoever asks when."""

import logging
import threading
import time

import pytest
import redis

from core.redis import connection as redis_connection
from core.redis.connection import RedisAway


class Slow(threading.Thread):
    """A command that was carried out long before its outcome is noted."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.is_carried_out, self.may_end = threading.Event(), threading.Event()
        self.outcome: object = None

    def run(self) -> None:
        try:
            self.outcome = redis_connection.run(self._ping)
        except RedisAway as error:
            self.outcome = error

    def _ping(self, client: redis.Redis) -> object:
        try:
            return client.ping()
        finally:
            self.is_carried_out.set()
            assert self.may_end.wait(20)

    def end(self) -> object:
        self.may_end.set()
        self.join(20)
        return self.outcome


def ping() -> object:
    return redis_connection.run(lambda client: client.ping())


def refused() -> None:
    with pytest.raises(RedisAway):
        ping()


def wait_until_back() -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            ping()
        except RedisAway:
            time.sleep(0.05)
        else:
            return
    pytest.fail("Redis is not back")


def said(caplog) -> list[str]:
    return [record.getMessage().split(":")[0] for record in caplog.records]


def test_an_outage_is_said_once_and_so_is_its_end(valkey, caplog):
    assert ping() is True
    valkey.stop()
    with caplog.at_level(logging.WARNING, redis_connection.__name__):
        for _ in range(3):
            refused()
            time.sleep(redis_connection.PAUSE_SECONDS + 0.05)
        valkey.start()
        wait_until_back()
        assert ping() is True
    assert said(caplog) == ["Redis is away", "Redis is back"]


def test_an_answer_from_before_the_outage_does_not_end_it(valkey, caplog):
    slow = Slow()
    slow.start()
    assert slow.is_carried_out.wait(20)
    valkey.stop()
    with caplog.at_level(logging.WARNING, redis_connection.__name__):
        refused()
        assert slow.end() is True
        refused()
    assert said(caplog) == ["Redis is away"]


def test_a_failure_from_before_the_return_is_no_new_outage(valkey, caplog):
    ping()
    valkey.stop()
    slow = Slow()
    slow.start()
    assert slow.is_carried_out.wait(20)
    with caplog.at_level(logging.WARNING, redis_connection.__name__):
        refused()
        valkey.start()
        wait_until_back()
        assert isinstance(slow.end(), RedisAway)
        assert ping() is True
    assert said(caplog) == ["Redis is away", "Redis is back"]
