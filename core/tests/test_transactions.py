import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, transaction

from core.db import transactions
from core.db.clock import now
from core.db.transactions import one_transaction, require_atomic, use_case
from core.models import IdempotencyRecord


def record(key):
    return IdempotencyRecord.objects.create(
        caller="c", endpoint="e", key=key, request_hash=b"", state="in_flight", created_at=now(), locked_at=now()
    )


@pytest.mark.django_db(transaction=True)
def test_use_case_commits_and_returns_its_result():
    @use_case
    def act(*, key):
        require_atomic()
        return record(key).key

    assert act(key="a") == "a"
    assert IdempotencyRecord.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_use_case_that_raises_leaves_nothing():
    @use_case
    def act():
        record("a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()
    assert IdempotencyRecord.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_use_case_inside_a_transaction_raises():
    @use_case
    def inner():
        record("a")

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        inner()
    assert IdempotencyRecord.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_use_case_joins_the_edges_transaction():
    @use_case
    def act(key):
        record(key)
        if key == "refused":
            raise ZeroDivisionError

    with one_transaction():
        record("edge")
        act("done")
        with pytest.raises(ZeroDivisionError):
            act("refused")
    assert set(IdempotencyRecord.objects.values_list("key", flat=True)) == {"edge", "done"}
    with one_transaction():
        act("lost")
        transaction.set_rollback(True)
    assert IdempotencyRecord.objects.count() == 2
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        act("after")


@pytest.mark.django_db(transaction=True)
def test_building_block_outside_a_transaction_raises():
    with pytest.raises(RuntimeError, match="inside a use case"):
        require_atomic()


def deadlock(wrap):
    """Two threads lock two rows in opposite order; the errors they ended with, and how often each ran."""
    first, second = record("first"), record("second")
    both_locked_one = threading.Barrier(2)
    runs = []

    def lock_in_order(order):
        def body():
            runs.append(order)
            for position, row in enumerate(order):
                IdempotencyRecord.objects.select_for_update().get(pk=row)
                if position == 0 and runs.count(order) == 1:
                    both_locked_one.wait(10)

        try:
            wrap(body)()
        except OperationalError as error:
            return error
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(2) as pool:
        orders = [(first.pk, second.pk), (second.pk, first.pk)]
        return [error for error in pool.map(lock_in_order, orders) if error], len(runs)


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_the_victim_of_a_deadlock_runs_again():
    assert deadlock(use_case) == ([], 3)


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_a_deadlock_inside_the_edges_transaction_runs_again():
    def joined(body):
        def act():
            with one_transaction():
                use_case(body)()
                record(str(threading.get_ident()))

        return act

    assert deadlock(joined) == ([], 3)
    assert IdempotencyRecord.objects.count() == 4


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_control_without_use_case_a_deadlock_raises():
    errors, runs = deadlock(transaction.atomic)
    assert (len(errors), runs) == (1, 2)
    assert "deadlock detected" in str(errors[0])


@pytest.mark.django_db(transaction=True)
def test_serialisation_failure_is_tried_four_times(monkeypatch):
    monkeypatch.setattr(transactions, "BACKOFF_SECONDS", 0.001)
    runs = []

    @use_case
    def act():
        runs.append(record(f"k{len(runs)}").key)
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")

    with pytest.raises(OperationalError, match="again"):
        act()
    assert runs == ["k0", "k1", "k2", "k3"]
    assert IdempotencyRecord.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_another_operational_error_is_not_tried_again():
    runs = []

    @use_case
    def act():
        runs.append(1)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 20")
            cursor.execute("SELECT pg_sleep(5)")

    with pytest.raises(OperationalError, match="statement timeout"):
        act()
    assert runs == [1]
