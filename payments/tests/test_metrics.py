"""What `/metrics` says of the books and of the jobs of pots."""

import uuid
from datetime import timedelta

import pytest

from accounts.models import ApiClient
from core.db import clock
from core.observability import metrics
from payments import freezing, jobs
from payments import metrics as payments_metrics
from payments.models import Job, Transfer
from payments.pot_rows import Order

pytestmark = pytest.mark.django_db


def values(now) -> dict[str, float]:
    return {
        reading.name.removeprefix("gameplatform_"): reading.values[""] for reading in payments_metrics.readings(now)
    }


@pytest.fixture
def ask(server, game):
    """``ask(at)``: a job that makes a pot, asked for at ``at``; ``pot_number`` names one to end instead."""

    def make(at, pot_number=None) -> Job:
        return jobs.submit(
            client=ApiClient.objects.get(game=game),
            kind=Job.Kind.CREATE if pot_number is None else Job.Kind.END,
            order=Order(pot_number=pot_number),
            memo={},
            request_digest=uuid.uuid4().bytes,
            now=at,
        )

    return make


@pytest.fixture
def counted():
    """``counted()``: how often each outcome was counted since the test began."""
    outcomes = ("done", "refused", "fault")
    before = {outcome: metrics.JOBS.labels(outcome)._value.get() for outcome in outcomes}
    return lambda: {outcome: metrics.JOBS.labels(outcome)._value.get() - before[outcome] for outcome in outcomes}


def test_transfers_are_read_from_the_ledgers_sequence(fund, player):
    fund(player, 5_000)
    assert values(clock.now())["transfers"] == Transfer.objects.latest("pk").pk


def test_waiting_jobs_are_counted_and_the_oldest_is_timed(ask, monkeypatch):
    now = clock.now()
    assert (values(now)["jobs_pending"], values(now)["job_waiting_seconds"]) == (0, 0)
    old = ask(now - timedelta(seconds=9))
    for _ in range(2):
        ask(now)
    assert (values(now)["jobs_pending"], values(now)["job_waiting_seconds"]) == (3, 9)
    assert jobs.run(public_id=old.public_id, now=now)
    assert (values(now)["jobs_pending"], values(now)["job_waiting_seconds"]) == (2, 0)
    monkeypatch.setattr(payments_metrics, "PENDING_COUNTED_MAX", 1)
    assert values(now)["jobs_pending"] == 1


def test_a_job_is_counted_once_by_how_it_ended(ask, counted, monkeypatch):
    now = clock.now()
    done, refused, broken = ask(now), ask(now, pot_number=999), ask(now)
    assert jobs.run(public_id=done.public_id, now=now)
    assert not jobs.run(public_id=done.public_id, now=now)
    assert jobs.run(public_id=refused.public_id, now=now)
    monkeypatch.setitem(jobs._WORK, Job.Kind.CREATE, lambda *_: 1 / 0)
    assert not jobs.run(public_id=broken.public_id, now=now)
    assert counted() == {"done": 1, "refused": 1, "fault": 1}


def test_a_frozen_token_shows(gold):
    assert values(clock.now())["tokens_frozen"] == 0
    freezing.freeze(token_id=gold.pk, now=clock.now(), reason="the books are wrong")
    assert values(clock.now())["tokens_frozen"] == 1
