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
    Request,
    abandon,
    begin,
    claim,
    finish,
    keep,
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
def test_fresh_key_and_replay_cost_two_statements_each(django_assert_num_queries):
    with django_assert_num_queries(1):
        run = start()
    with django_assert_num_queries(1):
        assert finish(run, status=201, body=b'{"a":1}')
    with django_assert_num_queries(2):
        assert start() == Replay(status=201, body=b'{"a":1}')


@pytest.mark.django_db
def test_an_answer_is_replayed_for_ever_the_same():
    finish(start(), status=409, body=b'{"message": "no"}')
    for minutes in (0, 1, 600):
        assert start(now=NOW + timedelta(minutes=minutes)) == Replay(status=409, body=b'{"message": "no"}')
    assert rows() == [("done", 409, NOW)]


@pytest.mark.django_db
def test_key_with_another_body_is_refused():
    run = start()
    with pytest.raises(IdempotencyKeyReused) as caught:
        start(request_hash=OTHER_BODY)
    assert caught.value.code == "IDEMPOTENCY_KEY_REUSED"
    finish(run, status=200, body=b"{}")
    with pytest.raises(IdempotencyKeyReused):
        start(request_hash=OTHER_BODY, now=NOW + timedelta(hours=1))
    assert rows() == [("done", 200, NOW)]


@pytest.mark.django_db
def test_callers_and_endpoints_do_not_share_keys():
    claims = [start(), start(caller="user:2"), start(endpoint="POST /leave")]
    assert [type(claim) for claim in claims] == [Fresh, Fresh, Fresh]
    assert len({claim.record_id for claim in claims}) == 3


@pytest.mark.django_db
def test_dead_run_is_taken_over_after_30_seconds():
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
def test_dead_run_refuses_another_body():
    start()
    with pytest.raises(IdempotencyKeyReused):
        start(request_hash=OTHER_BODY, now=NOW + timedelta(hours=1))
    assert rows() == [("in_flight", None, NOW)]


@pytest.mark.django_db
def test_overtaken_run_changes_nothing():
    slow = start()
    quick = start(now=NOW + timedelta(seconds=31))
    assert finish(slow, status=200, body=b"slow") is False
    abandon(slow)
    assert finish(quick, status=201, body=b"quick") is True
    assert start(now=NOW + timedelta(seconds=32)) == Replay(status=201, body=b"quick")


@pytest.mark.django_db
def test_abandoned_key_is_fresh_and_finished_one_stays():
    run = start()
    abandon(run)
    assert rows() == []
    run = start()
    finish(run, status=200, body=b"{}")
    abandon(run)
    assert rows() == [("done", 200, NOW)]


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "k" * 256, "ключ", "a\nb", "a\x7f", "a\n"])
def test_key_outside_printable_ascii_is_refused(key):
    with pytest.raises(InvalidIdempotencyKey):
        start(key)
    assert rows() == []


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["k", "k" * 255, "a b~!"])
def test_other_keys_pass(key):
    assert isinstance(start(key), Fresh)


@pytest.mark.django_db
def test_pruning_deletes_old_records_in_batches(monkeypatch):
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


# --- One transaction ------------------------------------------------------------------------------------------------


def request(key="k-1", *, caller="user:1", endpoint="POST /join", request_hash=BODY):
    return Request(caller=caller, endpoint=endpoint, key=key, request_hash=request_hash)


def run_once(asked, *, status=200, now=NOW):
    """The kept answer, or ``None`` after keeping this one."""
    with transaction.atomic():
        known = claim(asked, now=now)
        if known is None:
            keep(asked, status=status, body=b"{}", now=now)
        return known


@pytest.mark.django_db
def test_claimed_request_costs_two_statements_replay_one(django_assert_num_queries):
    with django_assert_num_queries(4):  # and a savepoint with its release
        assert run_once(request(), status=409) is None
    with django_assert_num_queries(3):
        assert run_once(request(), now=NOW + timedelta(hours=9)) == Replay(status=409, body=b"{}")
    assert rows() == [("done", 409, NOW)]


@pytest.mark.django_db(transaction=True)
def test_a_claimed_key_belongs_to_its_request():
    run_once(request())
    with pytest.raises(IdempotencyKeyReused):
        run_once(request(request_hash=OTHER_BODY))
    for other in (request("k-2"), request(caller="user:2"), request(endpoint="POST /leave")):
        assert run_once(other) is None
    with pytest.raises(InvalidIdempotencyKey):
        run_once(request("k" * 256))


@pytest.mark.django_db(transaction=True)
def test_a_claim_in_a_lost_transaction_leaves_nothing():
    with transaction.atomic():
        assert claim(request(), now=NOW) is None
        keep(request(), status=200, body=b"{}", now=NOW)
        transaction.set_rollback(True)
    assert run_once(request(), status=201) is None
    assert rows() == [("done", 201, NOW)]


@pytest.mark.django_db(transaction=True)
def test_claim_respects_a_live_record_in_flight():
    start()
    with pytest.raises(IdempotencyInFlight):
        run_once(request(), now=NOW + timedelta(seconds=29))
    with pytest.raises(IdempotencyKeyReused):
        run_once(request(request_hash=OTHER_BODY), now=NOW + timedelta(hours=1))
    assert run_once(request(), status=201, now=NOW + timedelta(seconds=30)) is None
    assert start(now=NOW + timedelta(seconds=31)) == Replay(status=201, body=b"{}")


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_twins_of_an_open_claim_are_refused_at_once():
    def other(asked):
        try:
            return run_once(asked)
        except Exception as error:
            return type(error)
        finally:
            connection.close()

    asked = [request(), request(request_hash=OTHER_BODY), request("k-2")]
    with ThreadPoolExecutor(3) as pool:
        with transaction.atomic():
            assert claim(request(), now=NOW) is None
            keep(request(), status=200, body=b"{}", now=NOW)
            answers = list(pool.map(other, asked, timeout=10))
        assert answers == [IdempotencyInFlight, IdempotencyKeyReused, None]
        assert list(pool.map(other, asked[:2])) == [Replay(status=200, body=b"{}"), IdempotencyKeyReused]


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_one_of_eight_claims_runs():
    for number in range(20):
        answers = race(lambda key=f"r-{number}": run_once(request(key)))
        assert answers.count(None) == 1
        others = [answer for answer in answers if answer is not None]
        assert all(isinstance(answer, IdempotencyInFlight | Replay) for answer in others)
    assert IdempotencyRecord.objects.count() == 20


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
def test_one_of_eight_takes_over_a_dead_run():
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
