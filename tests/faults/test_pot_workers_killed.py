"""A real Celery worker is stopped, killed or frozen in the middle of a combined payment: nothing lost or doubled."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from payments import tasks
from payments.models import Job, Pot
from tests.support.books import balance
from tests.support.pots import pot_findings
from tests.support.servers import database_url

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

# "a job whose worker was killed is found by the tick and finished within 5 s".
FOUND_SECONDS = 5.0


def start_worker() -> subprocess.Popen:
    """A Celery worker beside this process, on the same database and broker."""
    environment = {**os.environ, "DATABASE_URL": database_url(), "REDIS_URL": settings.REDIS_URL, "DEBUG": "true"}
    command = ["-m", "celery", "-A", "gameplatform", "worker", "-P", "threads", "-c", "1", "-l", "warning"]
    return subprocess.Popen([sys.executable, *command, "--without-gossip", "--without-mingle"], env=environment)


@pytest.fixture
def worker() -> Iterator[subprocess.Popen]:
    process = start_worker()
    yield process
    process.kill()
    process.wait(timeout=10)


@contextmanager
def purse_held(user_id: int) -> Iterator[None]:
    """While open, whoever pays from this user's wallet waits: the middle of a payment, made long."""
    given = connection.settings_dict
    with psycopg.connect(
        host=given["HOST"], port=given["PORT"], user=given["USER"], dbname=given["NAME"], password=given["PASSWORD"]
    ) as other:
        other.execute("SELECT 1 FROM payments_account WHERE owner_id = %s FOR UPDATE", [user_id])
        yield
        other.rollback()


def wait_for(what: Callable[[], bool], *, seconds: float) -> float:
    """The seconds until ``what`` holds; fails when it does not in time."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, "it took too long"
        time.sleep(0.05)
    return time.monotonic() - began


def payers_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%pot_pay%%'"
            " AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


def tick_until_done(job: Job) -> float:
    """Tick as beat does, each second; the seconds until the job is finished."""

    def ticked() -> bool:
        tasks.advance()
        job.refresh_from_db()
        return job.finished_at is not None or bool(time.sleep(0.95))

    return wait_for(ticked, seconds=30)


def ask(server, *people) -> Job:
    answer = server.post(
        "/game/createJoinPay",
        {
            "sessionJwts": [one.jwt for one in people],
            "tokens": ["gold"] * len(people),
            "amounts": [10] * len(people),
        },
    )
    return Job.objects.get(public_id=answer["task"]["id"])


def assert_done_once(job: Job, *people) -> None:
    assert (job.status, job.result["pot_number"]) == ("success", 1)
    assert Pot.objects.count() == 1
    assert [balance(one.profile.user) for one in people] == [9_000] * len(people)
    assert pot_findings() == []


def test_a_worker_killed_in_the_middle_of_create_join_pay_leaves_nothing_and_the_tick_finishes_it(
    worker, server, seated
):
    ada, ben = seated("ada-lake"), seated("ben-7-hill")
    with purse_held(ben.profile.user_id):
        job = ask(server, ada, ben)
        wait_for(payers_waiting, seconds=40)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(timeout=10)
        # Its half-done work is undone even while what it waited for is still held.
        wait_for(lambda: not payers_waiting(), seconds=FOUND_SECONDS)
    killed_at = time.monotonic()
    job.refresh_from_db()
    assert (job.status, Pot.objects.count(), balance(ada.profile.user)) == ("pending", 0, 10_000)
    tick_until_done(job)
    assert time.monotonic() - killed_at < FOUND_SECONDS
    assert_done_once(job, ada, ben)
    for _ in range(10):
        tasks.run_job(str(job.public_id))
    assert_done_once(job, ada, ben)


def test_a_worker_frozen_in_the_middle_loses_its_claim_and_does_no_harm_when_it_wakes(worker, server, seated):
    ada, ben = seated("ada-lake"), seated("ben-7-hill")
    with purse_held(ben.profile.user_id):
        job = ask(server, ada, ben)
        wait_for(payers_waiting, seconds=40)
        os.kill(worker.pid, signal.SIGSTOP)
    assert tick_until_done(job) < FOUND_SECONDS + 2
    assert_done_once(job, ada, ben)
    os.kill(worker.pid, signal.SIGCONT)
    # The woken worker can still work: it meets its broken connection, and takes the next job.
    following = ask(server, ada)
    wait_for(lambda: Job.objects.get(pk=following.pk).finished_at is not None, seconds=30)
    assert balance(ada.profile.user) == 8_000
    assert Pot.objects.count() == 2
    assert pot_findings() == []


def test_a_worker_that_is_asked_to_stop_ends_its_task_and_hands_the_next_one_back(worker, server, seated):
    ada, ben = seated("ada-lake"), seated("ben-7-hill")
    with purse_held(ben.profile.user_id):
        begun = ask(server, ada, ben)
        wait_for(payers_waiting, seconds=40)
        # Its one thread is taken: this one it can only hold on to.
        waiting = ask(server, ada)
        time.sleep(0.5)
        worker.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert worker.poll() is None
        begun.refresh_from_db()
        assert begun.status == "pending"
    assert worker.wait(timeout=20) == 0
    begun.refresh_from_db()
    waiting.refresh_from_db()
    assert_done_once(begun, ada, ben)
    assert waiting.status == "pending"
    another = start_worker()
    try:
        # No tick: what was handed back is in the queue.
        wait_for(lambda: Job.objects.get(pk=waiting.pk).finished_at is not None, seconds=40)
    finally:
        another.kill()
        another.wait()
    tasks.run_job(str(begun.public_id))
    tasks.advance()
    assert [balance(one.profile.user) for one in (ada, ben)] == [8_000, 9_000]
    assert Pot.objects.count() == 2
    assert pot_findings() == []
