import json
from datetime import timedelta

import pytest
import redis
from django.db import connection
from django.test import RequestFactory

from core.db import clock
from core.observability.health import (
    BEAT_KEY,
    HEARTBEAT_KEY,
    WORKER_KEY,
    beat_heartbeat,
    livez,
    readyz,
    show_life,
)

pytestmark = pytest.mark.faults


def ask(view, method="get"):
    return view(getattr(RequestFactory(), method)("/"))


def state():
    answer = ask(readyz)
    body = json.loads(answer.content)
    return answer.status_code, body["status"], body["parts"]


def test_alive_is_told_without_database_or_redis(settings):
    # No database access is marked on this test: a query would fail it.
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = ask(livez)
    assert (answer.status_code, answer.content) == (200, b'{"status": "ok"}')
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("view", [livez, readyz])
def test_the_probes_only_read(view):
    assert ask(view, "post").status_code == 405


@pytest.mark.django_db
def test_ready_when_all_parts_answer_and_the_tick_ran_just_now(valkey):
    beat_heartbeat(clock.now())
    assert state() == (200, "ok", {"database": "ok", "redis": "ok", "worker": "ok", "beat": "ok"})
    assert 0 < redis.Redis.from_url(valkey.url).ttl(HEARTBEAT_KEY) <= 24 * 3600


@pytest.mark.django_db
def test_other_functions_are_named_and_stay_ready(valkey):
    beat_heartbeat(clock.now())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_sqlfile SET digest = 'old' WHERE name = 'payments/ledger_post'")
    answer = ask(readyz)
    body = json.loads(answer.content)
    assert (answer.status_code, body["status"]) == (200, "ok")
    assert body["other_functions"] == ["payments/ledger_post"]


@pytest.mark.django_db
def test_a_tick_of_nine_seconds_ago_is_fresh_and_one_of_eleven_is_stale(valkey):
    beat_heartbeat(clock.now() - timedelta(seconds=9))
    assert state()[0] == 200
    beat_heartbeat(clock.now() - timedelta(seconds=11))
    silent = "no sign of life"
    assert state() == (503, "unavailable", {"database": "ok", "redis": "ok", "worker": silent, "beat": silent})


@pytest.mark.django_db
@pytest.mark.parametrize(("key", "silent"), [(WORKER_KEY, "beat"), (BEAT_KEY, "worker")])
def test_without_a_tick_the_one_that_is_silent_is_named(valkey, key, silent):
    other = {"beat": "worker", "worker": "beat"}[silent]
    show_life(key)
    assert state() == (503, "unavailable", {"database": "ok", "redis": "ok", silent: "no sign of life", other: "ok"})


@pytest.mark.django_db
def test_a_sign_of_life_is_as_old_as_redis_says(valkey):
    kept = 24 * 3600
    client = redis.Redis.from_url(valkey.url)
    client.set(WORKER_KEY, "alive", ex=kept - 8)
    client.set(BEAT_KEY, "alive", px=(kept - 13) * 1000 - 400)
    parts = {"database": "ok", "redis": "ok", "worker": "ok", "beat": "no sign of life for 13 s"}
    assert state() == (503, "unavailable", parts)


@pytest.mark.django_db
def test_a_worker_that_lives_and_takes_no_ticks_is_named(valkey):
    show_life(WORKER_KEY)
    show_life(BEAT_KEY)
    assert state()[2] == {"database": "ok", "redis": "ok", "worker": "takes no ticks", "beat": "ok"}
    beat_heartbeat(clock.now() - timedelta(seconds=20))
    assert state()[2]["worker"] == "has taken no tick for 20 s"


@pytest.mark.django_db
def test_without_redis_it_is_named_and_the_heartbeat_raises_nothing(valkey):
    valkey.stop()
    beat_heartbeat(clock.now())
    show_life(WORKER_KEY)
    parts = {"database": "ok", "redis": "no answer", "worker": "unknown", "beat": "unknown"}
    assert state() == (503, "unavailable", parts)


@pytest.mark.django_db(transaction=True)
def test_without_the_database_it_is_named(valkey, monkeypatch):
    beat_heartbeat(clock.now())
    show_life(WORKER_KEY)
    show_life(BEAT_KEY)
    connection.close()
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "PORT", "1")
        assert state() == (503, "unavailable", {"database": "no answer", "redis": "ok", "worker": "ok", "beat": "ok"})
    assert state()[0] == 200
