import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import redis
from django.core.exceptions import ImproperlyConfigured

from core.errors import Unavailable
from core.redis import ratelimit
from core.redis.ratelimit import Bucket, bucket, check

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _limited(settings):
    settings.RATE_LIMITS_ENABLED = True


@pytest.fixture(params=["redis", "this process, while redis is away"])
def counted(request, settings):
    """Both places that count keep the same rule."""
    if request.param != "redis":
        settings.REDIS_URL = "redis://127.0.0.1:1/0"


def of(limit=10, window_seconds=60, *, scope="test", identity=None):
    return Bucket(scope, identity or uuid4().hex, limit, window_seconds)


def take(*buckets, after=0.0):
    return check(*buckets, fail_open=True, now=NOW + timedelta(seconds=after))


@pytest.mark.usefixtures("counted")
def test_a_full_bucket_gives_exactly_its_limit_and_then_refuses():
    ten = of(10, 60)
    decisions = [take(ten) for _ in range(11)]
    assert [decision.allowed for decision in decisions] == [True] * 10 + [False]
    assert [decision.remaining for decision in decisions] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert decisions[0].reset_seconds == 6
    assert (decisions[10].limit, decisions[10].retry_after_seconds, decisions[10].reset_seconds) == (10, 6, 60)


@pytest.mark.usefixtures("counted")
def test_it_passes_again_just_when_it_said():
    ten = of(10, 60)
    for _ in range(10):
        take(ten)
    assert take(ten, after=5.999).allowed is False
    assert take(ten, after=6).allowed is True
    assert take(ten, after=6).allowed is False
    assert take(ten, after=66).remaining == 9


@pytest.mark.usefixtures("counted")
def test_around_the_edge_of_a_window_there_is_no_double_portion():
    ten = of(10, 60)
    assert sum(take(ten, after=59.9).allowed for _ in range(20)) == 10
    assert sum(take(ten, after=60.1).allowed for _ in range(20)) == 0


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(("limit", "window_seconds"), [(7, 1), (999_999, 1), (3, 86_400), (1, 60), (13, 60)])
def test_a_limit_that_does_not_divide_its_window_is_still_exact(limit, window_seconds):
    uneven = of(limit, window_seconds)
    tries = min(limit, 30)
    assert all(take(uneven).allowed for _ in range(tries))
    if tries == limit:
        assert take(uneven).allowed is False


@pytest.mark.usefixtures("counted")
def test_what_one_bucket_refuses_is_taken_from_none():
    small, large = of(1), of(10)
    assert take(small, large).allowed is True
    refused = take(small, large)
    assert (refused.allowed, refused.limit, refused.retry_after_seconds) == (False, 1, 60)
    assert take(large).remaining == 8


@pytest.mark.usefixtures("counted")
def test_the_tightest_bucket_is_the_one_told_of():
    assert take(of(10), of(3)).limit == 3
    assert take(of(3), of(10)).limit == 3


@pytest.mark.usefixtures("counted")
def test_scopes_and_identities_have_buckets_of_their_own():
    name = uuid4().hex
    assert take(of(1, identity=name)).allowed
    assert take(of(1, identity=name, scope="other")).allowed
    assert take(of(1, identity=name + "x")).allowed
    assert not take(of(1, identity=name)).allowed


@pytest.mark.usefixtures("counted")
def test_a_clock_that_was_set_back_locks_nobody_out():
    ten = of(10, 60)
    for _ in range(10):
        take(ten, after=36_000)
    assert take(ten).remaining == 9


def test_buckets_vanish_from_redis_when_they_are_full_again(settings):
    ten = of(10, 60)
    check(ten, fail_open=False)
    client = redis.Redis.from_url(settings.REDIS_URL)
    assert 5_000 < client.pttl(ten.key) <= 6_000
    assert ten.identity not in ten.key


def test_without_a_time_redis_counts_by_its_own_clock():
    ten = of(2, 3600)
    assert [check(ten, fail_open=False).allowed for _ in range(3)] == [True, True, False]
    assert 1795 < check(ten, fail_open=False).retry_after_seconds <= 1800


def test_of_many_threads_exactly_the_limit_pass():
    hundred = of(100, 3600)
    barrier = threading.Barrier(8)

    def burst(_):
        barrier.wait(10)
        return sum(check(hundred, fail_open=False).allowed for _ in range(25))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(burst, range(8))) == 100


def test_money_fails_closed_and_reads_fail_open_when_redis_is_away(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    one = of(1)
    with pytest.raises(Unavailable):
        check(one, fail_open=False, now=NOW)
    assert take(one).allowed is True
    assert take(one).allowed is False


def test_the_local_buckets_are_bounded(settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(ratelimit, "LOCAL_BUCKETS_MAX", 5)
    first = of(1)
    assert take(first).allowed
    for _ in range(5):
        take(of(1))
    assert take(first).allowed, "the oldest bucket was forgotten"
    assert len(ratelimit._local._full_at) == 5


def test_switched_off_everything_passes_and_nothing_is_counted(settings):
    settings.RATE_LIMITS_ENABLED = False
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    one = of(1)
    assert [check(one, fail_open=False).allowed for _ in range(3)] == [True] * 3


def test_rates_are_read_from_the_settings(settings):
    settings.RATE_LIMITS = {"a": "600/m", "b": "1/s", "c": "5/h", "d": "9/d"}
    assert [(b.limit, b.window_seconds) for b in (bucket(scope, "x") for scope in "abcd")] == [
        (600, 60),
        (1, 1),
        (5, 3600),
        (9, 86_400),
    ]


@pytest.mark.parametrize("rate", ["", "10", "0/m", "10/minute", "-1/m", "1.5/s", "1000000/s", "１０/m"])
def test_a_rate_that_is_none_is_a_configuration_error(settings, rate):
    settings.RATE_LIMITS = {"a": rate}
    with pytest.raises(ImproperlyConfigured, match="must look like 60/m"):
        bucket("a", "x")
