from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from core.db import clock
from core.db.clock import RESAMPLE_SECONDS, DatabaseClock


def database_time():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_it_is_the_databases_time_in_utc():
    before = database_time()
    read = DatabaseClock().now()
    after = database_time()
    # The middle of the round trip is taken: half of one on either side is its error.
    assert before - timedelta(milliseconds=50) <= read <= after + timedelta(milliseconds=50)
    assert read.tzinfo is UTC


@pytest.mark.django_db
def test_a_host_clock_that_leaps_moves_nothing():
    database_clock = DatabaseClock()
    first = database_clock.now()
    with time_machine.travel(datetime(2001, 1, 1, tzinfo=UTC)):
        assert timedelta(0) <= database_clock.now() - first < timedelta(seconds=5)


@pytest.mark.django_db
def test_clock_samples_the_database_once_per_period(django_assert_num_queries, monkeypatch):
    database_clock = DatabaseClock()
    with django_assert_num_queries(1):
        readings = [database_clock.now() for _ in range(100)]
    assert readings == sorted(readings)
    with django_assert_num_queries(1):
        assert database_clock._sampled_at is not None
        database_clock._sampled_at -= RESAMPLE_SECONDS + 1
        database_clock.now()


def test_with_the_hosts_clock_time_machine_moves_it(settings):
    settings.CLOCK_SOURCE = "host"
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with time_machine.travel(moment, tick=False):
        assert clock.now() == moment
