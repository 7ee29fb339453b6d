import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from core.idempotency import (
    Fresh,
    IdempotencyInFlight,
    IdempotencyKeyReused,
    InvalidIdempotencyKey,
    Replay,
    abandon,
    begin,
    finish,
    prune,
)
from core.models import IdempotencyRecord

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = b"a" * 32
OTHER_BODY = b"b" * 32


def start(key="k-1", *, caller="user:1", endpoint="POST /join", request_hash=BODY, now=NOW):
    return begin(caller=caller, endpoint=endpoint, key=key, request_hash=request_hash, now=now)


def rows():
    return list(IdempotencyRecord.objects.order_by("id").values_list("state", "response_status", "locked_at"))


@pytest.mark.django_db
def test_a_fresh_key_costs_two_statements_and_a_replay_two(django_assert_num_queries):
    with django_assert_num_queries(1):
        claim = start()
    with django_assert_num_queries(1):
        assert finish(claim, status=201, body=b'{"a":1}')
    with django_assert_num_queries(2):
        assert start() == Replay(status=201, body=b'{"a":1}')


@pytest.mark.django_db
def test_an_answer_is_replayed_for_ever_the_same():
    finish(start(), status=409, body=b'{"message": "no"}')
    for minutes in (0, 1, 600):
        assert start(now=NOW + timedelta(minutes=minutes)) == Replay(status=409, body=b'{"message": "no"}')
    assert rows() == [("done", 409, NOW)]


@pytest.mark.django_db
def test_the_key_with_another_body_is_refused_before_and_after_the_answer():
    claim = start()
    with pytest.raises(IdempotencyKeyReused) as caught:
        start(request_hash=OTHER_BODY)
    assert caught.value.code == "IDEMPOTENCY_KEY_REUSED"
    finish(claim, status=200, body=b"{}")
    with pytest.raises(IdempotencyKeyReused):
        start(request_hash=OTHER_BODY, now=NOW + timedelta(hours=1))
    assert rows() == [("done", 200, NOW)]


@pytest.mark.django_db
def test_callers_and_endpoints_do_not_share_keys():
    claims = [start(), start(caller="user:2"), start(endpoint="POST /leave")]
    assert [type(claim) for claim in claims] == [Fresh, Fresh, Fresh]
    assert len({claim.record_id for claim in claims}) == 3


@pytest.mark.django_db
def test_a_run_that_died_is_taken_over_after_30_seconds_and_not_before():
    start()
    with pytest.raises(IdempotencyInFlight) as caught:
        start(now=NOW + timedelta(seconds=29, milliseconds=999))
    assert caught.value.code == "IDEMPOTENCY_IN_FLIGHT"
    later = NOW + timedelta(seconds=30)
    assert isinstance(start(now=later), Fresh)
    assert rows() == [("in_flight", None, later)]
    with pytest.raises(IdempotencyInFlight):
        start(now=later + timedelta(seconds=1))


@pytest.mark.django_db
def test_a_dead_run_is_not_taken_over_by_another_body():
    start()
    with pytest.raises(IdempotencyKeyReused):
        start(request_hash=OTHER_BODY, now=NOW + timedelta(hours=1))
    assert rows() == [("in_flight", None, NOW)]


@pytest.mark.django_db
def test_a_slow_run_that_was_taken_over_changes_nothing_any_more():
    slow = start()
    quick = start(now=NOW + timedelta(seconds=31))
    assert finish(slow, status=200, body=b"slow") is False
    abandon(slow)
    assert finish(quick, status=201, body=b"quick") is True
    assert start(now=NOW + timedelta(seconds=32)) == Replay(status=201, body=b"quick")


@pytest.mark.django_db
def test_an_abandoned_key_is_fresh_again_and_a_finished_one_cannot_be_abandoned():
    claim = start()
    abandon(claim)
    assert rows() == []
    claim = start()
    finish(claim, status=200, body=b"{}")
    abandon(claim)
    assert rows() == [("done", 200, NOW)]


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "k" * 256, "ключ", "a\nb", "a\x7f", "a\n"])
def test_a_key_that_is_not_printable_ascii_of_1_to_255_characters_is_refused(key):
    with pytest.raises(InvalidIdempotencyKey):
        start(key)
    assert rows() == []


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["k", "k" * 255, "a b~!"])
def test_other_keys_pass(key):
    assert isinstance(start(key), Fresh)


@pytest.mark.django_db
def test_pruning_takes_the_old_in_batches_and_leaves_the_young(monkeypatch):
    monkeypatch.setattr("core.db.batches.BATCH_ROWS", 3)
    for number in range(7):
        start(f"old-{number}", now=NOW - timedelta(days=2))
    start("young", now=NOW - timedelta(days=1))
    assert prune(older_than=timedelta(days=1), now=NOW) == 7
    assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == ["young"]
    assert prune(older_than=timedelta(days=1), now=NOW) == 0


@pytest.mark.django_db
def test_the_database_refuses_an_answer_without_its_parts():
    with pytest.raises(IntegrityError), transaction.atomic():
        IdempotencyRecord.objects.create(
            caller="c", endpoint="e", key="k", request_hash=BODY, state="done", created_at=NOW, locked_at=NOW
        )


def race(function, threads=8):
    """The results, errors included, of ``function`` run by all threads at once."""
    barrier = threading.Barrier(threads)

    def run(_):
        try:
            barrier.wait(10)
            return function()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_of_eight_twins_exactly_one_runs():
    results = race(start)
    assert sorted(type(result).__name__ for result in results) == ["Fresh"] + ["IdempotencyInFlight"] * 7
    assert IdempotencyRecord.objects.count() == 1


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_of_eight_that_take_over_a_dead_run_exactly_one_wins():
    start()
    results = race(lambda: start(now=NOW + timedelta(seconds=31)))
    assert sorted(type(result).__name__ for result in results) == ["Fresh"] + ["IdempotencyInFlight"] * 7


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_negative_control_looking_first_lets_several_twins_run():
    all_looked = threading.Barrier(8)

    def look_then_run():
        known = IdempotencyRecord.objects.filter(key="k-1").exists()
        all_looked.wait(10)
        return "refused" if known else "ran"

    assert race(look_then_run) == ["ran"] * 8
