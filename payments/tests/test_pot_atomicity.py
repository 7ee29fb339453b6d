"""The combined calls do all or nothing, wherever they break (contract payments, "one transaction")."""

import itertools
import uuid

import pytest
from django.db import connection

from accounts.models import ApiClient
from core.db import clock
from payments import jobs
from payments.models import Account, Allowance, Job, Pot
from payments.pot_rows import Order, Row, Seat
from tests.support.pots import no_pot_moves, pot_findings, pot_state

pytestmark = pytest.mark.django_db


class Break(Exception):
    """What goes wrong."""


class BreakAt:
    """A database wrapper that fails at the given statement of a job, before it is sent."""

    def __init__(self, position: int) -> None:
        self.left, self.broke = position, False

    def __call__(self, execute, sql, params, many, context):
        if not self.broke:
            self.left -= 1
            if self.left == 0:
                self.broke = True
                raise Break
        return execute(sql, params, many, context)


@pytest.fixture
def three(seated):
    return [seated(name) for name in ("ada-lake", "ben-7-hill", "cleo-sea")]


@pytest.fixture
def ordered(server, game, gold):
    """``ordered(kind, people, amounts)``: a pending job of that kind over those rows."""

    def make(kind: Job.Kind, people, amounts, pot_number=None) -> Job:
        seats = tuple(Seat(player_id=one.profile.pk, plyr_id=one.plyr_id) for one in people)
        rows = tuple(
            Row(
                player_id=seat.player_id,
                plyr_id=seat.plyr_id,
                token_id=gold.pk,
                symbol=gold.symbol,
                decimals=gold.decimals,
                amount_minor=amount,
            )
            for seat, amount in zip(seats, amounts, strict=True)
        )
        return jobs.submit(
            client=ApiClient.objects.get(game=game),
            kind=kind,
            order=Order(pot_number=pot_number, seats=seats, rows=rows),
            memo={"gameId": "slot"},
            request_digest=uuid.uuid4().bytes,
            now=clock.now(),
        )

    return make


def run(job: Job) -> Job:
    jobs.run(public_id=job.public_id, now=clock.now())
    job.refresh_from_db()
    return job


COMBINED = [Job.Kind.CREATE_JOIN_PAY, Job.Kind.JOIN_PAY, Job.Kind.EARN_LEAVE, Job.Kind.EARN_LEAVE_END]


# With real commits: inside a test's own transaction the last statement of a job is not its commit.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", COMBINED)
def test_failed_statement_undoes_the_whole_job(three, ordered, kind):
    number = run(ordered(Job.Kind.CREATE_JOIN_PAY, three[:2], [100, 200])).result["pot_number"]
    earning = kind in (Job.Kind.EARN_LEAVE, Job.Kind.EARN_LEAVE_END)
    people, amounts = (three[:2], [50, 250]) if earning else (three, [100, 0, 300])
    before = pot_state()
    broken_at = 0
    for position in itertools.count(1):
        job = ordered(kind, people, amounts, pot_number=number)
        breaker = BreakAt(position)
        with connection.execute_wrapper(breaker):
            jobs.run(public_id=job.public_id, now=clock.now())
        job.refresh_from_db()
        if not breaker.broke:
            break
        broken_at = position
        assert (job.status, job.attempts, job.result) == ("pending", 1, None), position
        assert pot_state() == before, position
    assert broken_at >= 5
    assert job.status == "success"
    assert pot_state() != before
    Job.objects.filter(status="pending").delete()
    assert pot_findings() == []


@pytest.mark.parametrize("short", [0, 1, 2])
@pytest.mark.parametrize("lacks", ["funds", "allowance"])
@pytest.mark.parametrize("kind", [Job.Kind.CREATE_JOIN_PAY, Job.Kind.JOIN_PAY])
def test_one_player_who_cannot_pay_stops_all(three, ordered, kind, lacks, short):
    number = run(ordered(Job.Kind.CREATE, [], [])).result["pot_number"]
    poor = three[short]
    if lacks == "funds":
        Account.objects.filter(owner=poor.profile.user).update(balance_minor=99)
    else:
        Allowance.objects.filter(player=poor.profile).update(amount_minor=99)
    with no_pot_moves():
        job = run(ordered(kind, three, [100, 100, 100], pot_number=number))
    assert job.status == "failed"
    assert job.error_message == f"Insufficient {'balance' if lacks == 'funds' else 'allowance'}: {poor.plyr_id}"


@pytest.mark.parametrize("stranger", [0, 1, 2])
@pytest.mark.parametrize("kind", [Job.Kind.PAY, Job.Kind.EARN, Job.Kind.EARN_LEAVE, Job.Kind.EARN_LEAVE_END])
def test_one_outsider_stops_the_whole_payment(three, ordered, kind, stranger):
    inside = [one for position, one in enumerate(three) if position != stranger]
    number = run(ordered(Job.Kind.CREATE_JOIN_PAY, inside, [150, 150])).result["pot_number"]
    with no_pot_moves():
        job = run(ordered(kind, three, [100, 100, 100], pot_number=number))
    assert (job.status, job.error_message) == ("failed", f"Player is not joined: {three[stranger].plyr_id}")


def test_breaking_job_backs_off_and_gives_up(three, ordered, monkeypatch):
    job = ordered(Job.Kind.CREATE, [], [])

    def fail(*args):
        raise Break

    monkeypatch.setitem(jobs._WORK, Job.Kind.CREATE, fail)
    waits = []
    for _ in range(jobs.FAULTS_MAX):
        now = clock.now()
        jobs.run(public_id=job.public_id, now=now)
        job.refresh_from_db()
        waits.append(round((job.due_at - now).total_seconds()))
    assert waits[:4] == [2, 4, 8, 16]
    assert (job.status, job.error_code, job.error_message) == ("failed", "INTERNAL", "Internal error")
    assert not Pot.objects.exists()


def test_finished_job_is_never_repeated(three, ordered):
    job = run(ordered(Job.Kind.CREATE_JOIN_PAY, three, [100, 100, 100]))
    with no_pot_moves():
        assert not any(jobs.run(public_id=job.public_id, now=clock.now()) for _ in range(10))
    assert Job.objects.get().attempts == 1


def test_sums_that_no_transfer_can_hold_are_refused(three, ordered):
    with no_pot_moves():
        job = run(ordered(Job.Kind.CREATE_JOIN_PAY, [three[0]] * 2, [9 * 10**16, 1]))
    assert (job.status, job.error_code) == ("failed", "INVALID_AMOUNT")


@pytest.mark.parametrize(("rows", "most"), [(1, 14), (100, 14)])
def test_combined_payment_costs_constant_statements(seated, ordered, django_assert_max_num_queries, rows, most):
    ada = seated("ada-lake")
    job = ordered(Job.Kind.CREATE_JOIN_PAY, [ada] * rows, [1] * rows)
    with django_assert_max_num_queries(most):
        assert jobs.run(public_id=job.public_id, now=clock.now())
