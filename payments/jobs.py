"""Jobs: each change of a pot is requested once and done once (use cases).

A job's effect and its result are one transaction, and the row's lock is the claim. So a job delivered ten times acts
once, and a worker that is killed, frozen or cut off leaves nothing behind: its transaction is undone, the lock is free,
and the next ``sweep`` finds the job still pending. The queue in front of the workers carries hints only.
"""

import hashlib
import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.db.models import F, QuerySet
from django.utils.translation import gettext_noop

from accounts import roles
from accounts.models import ApiClient, User
from core import trail
from core.db.batches import delete_in_batches
from core.db.transactions import use_case
from core.errors import DomainError, Forbidden
from core.observability import metrics
from payments import outgoing, pots
from payments.errors import JobNotFailed
from payments.models import Job, Pot
from payments.pot_rows import Order, Row

logger = logging.getLogger(__name__)

# The first seconds belong to the worker that was told; then the sweep takes the job over.
RETRY = "payments.change_job"
HINT_SECONDS = 2
SWEEP_MAX = 500
FAULTS_MAX = 5
FAULT_CODE = "INTERNAL"
KEEP = timedelta(days=7)

# A claim must not outlive its worker: PostgreSQL ends the transaction of one that is frozen or unreachable, and looks
# for a closed connection while it waits for a lock.
_DEADMAN = (
    "SELECT set_config('idle_in_transaction_session_timeout', '3s', true),"
    " set_config('client_connection_check_interval', '1s', true)"
)


@use_case
def submit(
    *, client: ApiClient, kind: Job.Kind, order: Order, memo: dict[str, Any], request_digest: bytes, now: datetime
) -> Job:
    """The job of this request: a new pending one, or the one that the same request made before.

    ``memo`` is kept as it is, for the answer. Raises ``Forbidden`` when the client acts for no game.
    """
    if client.game_id is None:
        raise Forbidden(gettext_noop("The client acts for no game"))
    job = Job(
        public_id=uuid.uuid4(),
        client=client,
        game_id=client.game_id,
        request_digest=request_digest,
        kind=kind,
        arguments=order.to_json(),
        memo=memo,
        due_at=now + timedelta(seconds=HINT_SECONDS),
        created_at=now,
    )
    Job.objects.bulk_create([job], ignore_conflicts=True)
    return Job.objects.get(client=client, request_digest=request_digest)


def run(*, public_id: uuid.UUID, now: datetime) -> bool:
    """Do the job unless it is finished or claimed. Returns whether this call finished it.

    A refusal of the rules finishes it as failed. Anything else that goes wrong leaves it pending, to be tried again
    later and later, and failed after ``FAULTS_MAX`` times.
    """
    try:
        is_finished, outcome = _perform(public_id=public_id, now=now), "done"
    except DomainError as refusal:
        is_finished = _fail(public_id=public_id, code=refusal.code, message=refusal.message, now=now)
        outcome = "refused"
    except Exception as error:
        logger.exception("job %s could not be done", public_id)
        metrics.JOBS.labels("fault").inc()
        if isinstance(error, OperationalError | InterfaceError):
            # The fault is noted on a new connection when this one is what broke.
            connection.close_if_unusable_or_obsolete()
        return _record_fault(public_id=public_id, now=now)
    if is_finished:
        logger.info("job %s is %s", public_id, outcome)
        metrics.JOBS.labels(outcome).inc()
    return is_finished


def sweep(*, now: datetime) -> int:
    """Do the pending jobs that no worker has finished in time, oldest first; how many were finished."""
    due = Job.objects.filter(status=Job.Status.PENDING, due_at__lte=now).order_by("due_at", "id")
    found = list(due.values_list("public_id", flat=True)[:SWEEP_MAX])
    return sum(run(public_id=public_id, now=now) for public_id in found)


@use_case
def retry_failed(*, public_id: uuid.UUID, actor: User, now: datetime, reason: str = "") -> Job:
    """Make a failed job pending again, for the next sweep. Raises ``NotPermitted``, ``JobNotFailed``.

    For staff: the game's server was told of the failure and may have sent a new request already.
    """
    roles.require(actor, RETRY)
    failed = Job.objects.select_for_update(no_key=True).filter(public_id=public_id, status=Job.Status.FAILED)
    job = failed.first()
    if job is None:
        raise JobNotFailed()
    before = {"status": job.status, "error_code": job.error_code, "attempts": job.attempts}
    job.status, job.finished_at, job.due_at = Job.Status.PENDING, None, now
    job.error_code = job.error_message = ""
    job.attempts, job.retried_by = 0, actor
    job.save(update_fields=["status", "finished_at", "due_at", "error_code", "error_message", "attempts", "retried_by"])
    after = {"status": job.status, "error_code": "", "attempts": 0}
    trail.record(
        actor=actor, action=gettext_noop("job retried"), target=job, reason=reason, before=before, after=after, now=now
    )
    return job


def failed_since(since: datetime, *, limit: int) -> list[Job]:
    """The newest jobs that failed since then and were not tried again, their games loaded."""
    failed = Job.objects.filter(status=Job.Status.FAILED, finished_at__gte=since).select_related("game")
    return list(failed.order_by("-finished_at")[:limit])


def prunable(*, now: datetime) -> QuerySet[Job]:
    """The jobs that finished more than 7 days ago."""
    return Job.objects.filter(finished_at__lt=now - KEEP).order_by("finished_at")


def prune(*, now: datetime) -> int:
    """Delete what is ``prunable``, in batches; how many there were."""
    return delete_in_batches(prunable(now=now))


def find(*, game_id: int, public_id: uuid.UUID) -> Job | None:
    """The game's job of this id; ``None`` for another game's."""
    return Job.objects.filter(game_id=game_id, public_id=public_id).first()


def find_request(*, client_id: int, request_digest: bytes) -> Job | None:
    """The job that this very request made before."""
    return Job.objects.filter(client_id=client_id, request_digest=request_digest).first()


@use_case
def _perform(*, public_id: uuid.UUID, now: datetime) -> bool:
    also = outgoing.listening()
    with connection.cursor() as cursor:
        cursor.execute(f"{_DEADMAN}, {also.expression}", also.arguments)
        (*_, is_heard) = cursor.fetchone()
    claim = Job.objects.select_for_update(skip_locked=True, no_key=True)
    job = claim.filter(public_id=public_id, status=Job.Status.PENDING).first()
    if job is None:
        return False
    result = _WORK[job.kind](job, Order.from_json(job.arguments), now)
    job.status, job.result, job.finished_at = Job.Status.SUCCESS, result, now
    job.receipt_hash = _receipt(job)
    job.attempts += 1
    job.save(update_fields=["status", "result", "receipt_hash", "attempts", "finished_at"])
    if is_heard:
        outgoing.tell_success(job, now=now)
    return True


@use_case
def _fail(*, public_id: uuid.UUID, code: str, message: str, now: datetime) -> bool:
    # Its own transaction, because the refused work was undone. Another worker may have finished the job meanwhile.
    pending = Job.objects.filter(public_id=public_id, status=Job.Status.PENDING)
    is_ours = pending.update(
        status=Job.Status.FAILED,
        error_code=code,
        error_message=message[:2000],
        attempts=F("attempts") + 1,
        finished_at=now,
    )
    if is_ours:
        outgoing.tell_failure(Job.objects.get(public_id=public_id), now=now)
    return bool(is_ours)


@use_case
def _record_fault(*, public_id: uuid.UUID, now: datetime) -> bool:
    job = Job.objects.select_for_update(no_key=True).filter(public_id=public_id, status=Job.Status.PENDING).first()
    if job is None:
        return False
    job.attempts += 1
    job.due_at = now + timedelta(seconds=2**job.attempts)
    if job.attempts >= FAULTS_MAX:
        job.status, job.finished_at = Job.Status.FAILED, now
        job.error_code, job.error_message = FAULT_CODE, "Internal error"
    job.save(update_fields=["status", "attempts", "due_at", "finished_at", "error_code", "error_message"])
    if job.status == Job.Status.FAILED:
        outgoing.tell_failure(job, now=now)
    return job.status == Job.Status.FAILED


def _receipt(job: Job) -> str:
    """SHA-256 over what was done: the same job with the same result has the same hash."""
    outcome = json.dumps(job.result, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"gameplatform-job-v1|{job.public_id}|{job.kind}|{outcome}".encode()).hexdigest()


# --- The work of each kind: the steps of its route, in one transaction -------------------------------------------


def _create(job: Job, order: Order, now: datetime) -> dict[str, Any]:
    pot = pots.create(game_id=job.game_id, lifetime_seconds=order.lifetime_seconds, capacity=order.capacity, now=now)
    return _pot_of(pot)


def _join(job: Job, order: Order, now: datetime) -> dict[str, Any]:
    pot = _lock(job, order)
    pots.join(pot=pot, seats=order.seats, now=now)
    return {**_pot_of(pot), "plyr_ids": _plyr_ids(order)}


def _pay(job: Job, order: Order, now: datetime) -> dict[str, Any]:
    return _paid(_lock(job, order), job, order, now)


def _create_join_pay(job: Job, order: Order, now: datetime) -> dict[str, Any]:
    pot = pots.create(game_id=job.game_id, lifetime_seconds=order.lifetime_seconds, capacity=order.capacity, now=now)
    pots.join(pot=pot, seats=order.seats, now=now)
    return _paid(pot, job, order, now)


def _join_pay(job: Job, order: Order, now: datetime) -> dict[str, Any]:
    pot = _lock(job, order)
    pots.join(pot=pot, seats=order.seats, now=now)
    return _paid(pot, job, order, now)


def _earn(job: Job, order: Order, now: datetime) -> dict[str, Any]:
    return _earned(_lock(job, order), job, order, now)


def _earn_leave(job: Job, order: Order, now: datetime) -> dict[str, Any]:
    pot = _lock(job, order)
    result = _earned(pot, job, order, now)
    pots.leave(pot=pot, seats=order.seats, now=now)
    return result


def _earn_leave_end(job: Job, order: Order, now: datetime) -> dict[str, Any]:
    pot = _lock(job, order)
    result = _earned(pot, job, order, now)
    pots.leave(pot=pot, seats=order.seats, now=now)
    pots.end(pot=pot, now=now)
    return result


def _leave(job: Job, order: Order, now: datetime) -> dict[str, Any]:
    pot = _lock(job, order)
    pots.leave(pot=pot, seats=order.seats, now=now)
    return {**_pot_of(pot), "plyr_ids": _plyr_ids(order)}


def _end(job: Job, order: Order, now: datetime) -> dict[str, Any]:
    pot = _lock(job, order)
    pots.end(pot=pot, now=now)
    return _pot_of(pot)


def _close(job: Job, order: Order, now: datetime) -> dict[str, Any]:
    pot = _lock(job, order)
    rest = pots.close(pot=pot, key=_key(job), now=now)
    returned = [{"symbol": a.token.symbol, "decimals": a.token.decimals, "amount_minor": a.balance_minor} for a in rest]
    return {**_pot_of(pot), "returned": returned}


def _paid(pot: Pot, job: Job, order: Order, now: datetime) -> dict[str, Any]:
    booked = pots.pay(pot=pot, rows=order.rows, key=_key(job), now=now)
    return {**_pot_of(pot), "plyr_ids": _plyr_ids(order), "payments": [_row(row) for row in booked]}


def _earned(pot: Pot, job: Job, order: Order, now: datetime) -> dict[str, Any]:
    booked = pots.earn(pot=pot, rows=order.rows, key=_key(job), now=now)
    distributions = [{**_row(row), "fee_minor": fee} for row, fee in booked]
    return {**_pot_of(pot), "plyr_ids": _plyr_ids(order), "distributions": distributions}


def _lock(job: Job, order: Order) -> Pot:
    assert order.pot_number is not None
    return pots.lock(game_id=job.game_id, number=order.pot_number)


def _key(job: Job) -> str:
    return f"job:{job.public_id}"


def _pot_of(pot: Pot) -> dict[str, Any]:
    return {"pot_number": pot.number, "pot_address": pot.address}


def _plyr_ids(order: Order) -> list[str]:
    return list(dict.fromkeys(seat.plyr_id for seat in order.seats))


def _row(row: Row) -> dict[str, Any]:
    return asdict(row)


_WORK: dict[str, Callable[[Job, Order, datetime], dict[str, Any]]] = {
    Job.Kind.CREATE: _create,
    Job.Kind.JOIN: _join,
    Job.Kind.PAY: _pay,
    Job.Kind.EARN: _earn,
    Job.Kind.LEAVE: _leave,
    Job.Kind.END: _end,
    Job.Kind.CLOSE: _close,
    Job.Kind.CREATE_JOIN_PAY: _create_join_pay,
    Job.Kind.JOIN_PAY: _join_pay,
    Job.Kind.EARN_LEAVE: _earn_leave,
    Job.Kind.EARN_LEAVE_END: _earn_leave_end,
}
