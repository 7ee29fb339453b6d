"""What becomes of a delivery: claimed, delivered, tried again later, given up, replayed (use cases).

Locks are taken in the order endpoint → delivery. A claim is a worker's until its time is over; who comes back later
finds another claim on the row, and leaves it alone: the receiver may get a message twice, never not at all.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import orjson
from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from accounts.models import User
from core import trail
from core.db.transactions import require_atomic, use_case
from core.security.secrets import decrypt
from webhooks import policies
from webhooks.errors import DeliveryNotFound, DeliveryPending, EndpointDisabled, EndpointNotFound
from webhooks.models import ERROR_LENGTH_MAX, REASON_LENGTH_MAX, Delivery, Endpoint, Event
from webhooks.outbox import time_text
from webhooks.sending import Outcome

State = Delivery.State

# How long after the first attempt the next, and so on: the schedule of the Standard Webhooks specification.
PAUSES_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
ATTEMPTS_MAX = len(PAUSES_SECONDS) + 1
# So that all that failed together does not come back together.
JITTER = 0.1
RETRY_AFTER_SECONDS_MAX = 86_400
# An attempt takes five seconds; a worker that is gone this long is dead.
CLAIM_SECONDS = 60
UNDER_WAY_EACH = 4
# Longer than all attempts of one delivery: an endpoint is given up when it has been let down by that many in a row.
FAILING_MAX = timedelta(days=5)
KEPT = timedelta(days=30)
GONE = gettext_noop("It answered 410 Gone")
ALL_FAILED = gettext_noop("Every attempt of %(days)s days has failed")


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A delivery that this worker is to attempt, with all that it takes."""

    delivery_id: int
    claim: Any
    attempt: int
    endpoint_id: int
    message_id: str
    url: str
    body: bytes
    secrets: tuple[str, ...]


@use_case
def claim_due(*, limit: int, now: datetime) -> list[Claimed]:
    """Take at most ``limit`` deliveries that are due, at most a few of each endpoint; they are ours for 60 s."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT delivery_id, claimed_as, attempt FROM webhook_claim(%s, %s, %s, %s)",
            [limit, UNDER_WAY_EACH, now, now + timedelta(seconds=CLAIM_SECONDS)],
        )
        taken = cursor.fetchall()
    found = Delivery.objects.select_related("event", "endpoint").prefetch_related("endpoint__older_secrets")
    rows = found.in_bulk([row[0] for row in taken])
    return [_claimed(rows[pk], claim, attempt, now) for pk, claim, attempt in taken]


def _claimed(delivery: Delivery, claim: Any, attempt: int, now: datetime) -> Claimed:
    return Claimed(
        delivery_id=delivery.pk,
        claim=claim,
        attempt=attempt,
        endpoint_id=delivery.endpoint_id,
        message_id=delivery.event.public_id,
        url=delivery.endpoint.url,
        body=body_of(delivery.event),
        secrets=live_secrets(delivery.endpoint, now=now),
    )


def body_of(event: Event) -> bytes:
    """The body that is signed and sent, the same at every attempt."""
    return orjson.dumps({"type": event.type, "timestamp": time_text(event.occurred_at), "data": event.data})


def live_secrets(endpoint: Endpoint, *, now: datetime) -> tuple[str, ...]:
    """The secrets that sign at ``now``, the newest first."""
    sealed = [endpoint.secret_encrypted]
    old, ends_at = endpoint.old_secret_encrypted, endpoint.old_secret_ends_at
    if old is not None and ends_at is not None and now < ends_at:
        sealed.append(old)
    sealed += [older.secret_encrypted for older in endpoint.older_secrets.all() if now < older.ends_at]
    return tuple(decrypt(bytes(secret)).decode() for secret in sealed)


@use_case
def settle(*, claimed: Claimed, outcome: Outcome, now: datetime) -> str | None:
    """Note how an attempt ended; the state the delivery has by it, ``None`` when it is no longer ours.

    Nothing to retry is left after ten attempts, or when the endpoint answers 410 Gone, which disables it; so does a row
    of failures of five days.
    """
    endpoint = Endpoint.objects.select_for_update(no_key=True).get(pk=claimed.endpoint_id)
    delivery = Delivery.objects.select_for_update(no_key=True).filter(pk=claimed.delivery_id).first()
    if delivery is None or delivery.claim != claimed.claim:
        return None
    delivery.claim = None
    delivery.last_status, delivery.last_error = outcome.status, outcome.error[:ERROR_LENGTH_MAX]
    if outcome.is_delivered:
        delivery.state, delivery.finished_at = State.DELIVERED, now
    elif outcome.status == HTTPStatus.GONE or delivery.attempts >= ATTEMPTS_MAX:
        delivery.state, delivery.finished_at = State.DEAD, now
    else:
        delivery.next_attempt_at = now + next_pause(claimed, outcome)
    delivery.save(
        update_fields=["claim", "last_status", "last_error", "state", "finished_at", "next_attempt_at"],
    )
    _note_health(endpoint, outcome, now)
    return delivery.state


def next_pause(claimed: Claimed, outcome: Outcome) -> timedelta:
    """How long to wait after a failed attempt: by the schedule, later if the receiver asks for it, up to a day."""
    seconds = float(PAUSES_SECONDS[claimed.attempt - 1])
    # By chance, but the same for the same attempt.
    chance = zlib.crc32(f"{claimed.delivery_id}:{claimed.attempt}".encode()) / 2**32
    asked = min(outcome.retry_after_seconds or 0.0, RETRY_AFTER_SECONDS_MAX)
    return timedelta(seconds=max(seconds * (1 + JITTER * chance), asked))


def _note_health(endpoint: Endpoint, outcome: Outcome, now: datetime) -> None:
    if outcome.is_delivered:
        if endpoint.failing_since is not None:
            endpoint.failing_since = None
            endpoint.save(update_fields=["failing_since"])
        return
    if outcome.status == HTTPStatus.GONE:
        disable(endpoint=endpoint, reason=GONE, now=now)
    elif endpoint.failing_since is None:
        endpoint.failing_since = now
        endpoint.save(update_fields=["failing_since"])
    elif now - endpoint.failing_since >= FAILING_MAX:
        disable(endpoint=endpoint, reason=ALL_FAILED % {"days": FAILING_MAX.days}, now=now)


def disable(*, endpoint: Endpoint, reason: str, now: datetime) -> bool:
    """Send nothing more to a locked endpoint (building block); what was on its way is dead, and can be replayed.

    False when it is disabled already.
    """
    require_atomic()
    if endpoint.disabled_at is not None:
        return False
    endpoint.disabled_at, endpoint.disabled_reason = now, reason[:REASON_LENGTH_MAX]
    endpoint.save(update_fields=["disabled_at", "disabled_reason"])
    Delivery.objects.filter(endpoint=endpoint, state=State.PENDING).update(
        state=State.DEAD, finished_at=now, claim=None, last_error=gettext_noop("The endpoint was disabled")
    )
    return True


@use_case
def replay(*, delivery_id: int, actor: User | None, reason: str, now: datetime, among: QuerySet[Endpoint]) -> Delivery:
    """Deliver once more, under the same ``webhook-id``, with all attempts anew; the delivery, its event loaded.

    Raises ``DeliveryNotFound`` for those of endpoints not ``among`` the caller's, ``EndpointDisabled``,
    ``DeliveryPending``, ``NotPermitted``.
    """
    endpoint_id = Delivery.objects.filter(pk=delivery_id, endpoint__in=among).values_list("endpoint_id", flat=True)
    endpoint = Endpoint.objects.select_for_update(no_key=True).filter(pk__in=list(endpoint_id)).first()
    if endpoint is None:
        raise DeliveryNotFound()
    policies.require(actor, policies.REPLAY, endpoint)
    if endpoint.disabled_at is not None:
        raise EndpointDisabled()
    delivery = Delivery.objects.filter(pk=delivery_id).select_related("event").get()
    if not _revive(Delivery.objects.filter(pk=delivery_id).exclude(state=State.PENDING), now):
        raise DeliveryPending()
    before = {"state": delivery.state, "attempts": delivery.attempts}
    after = {"state": State.PENDING, "message": delivery.event.public_id}
    trail.record(
        actor=actor,
        action=gettext_noop("webhook replayed"),
        target=delivery,
        reason=reason,
        before=before,
        after=after,
        now=now,
        by_platform=actor is None,
    )
    return Delivery.objects.select_related("event").get(pk=delivery_id)


@use_case
def replay_dead(*, endpoint_id: int, actor: User | None, reason: str, now: datetime, among: QuerySet[Endpoint]) -> int:
    """Deliver all that was given up of an endpoint; how many there are. Raises ``EndpointNotFound``,
    ``EndpointDisabled``, ``NotPermitted``.
    """
    endpoint = among.select_for_update(no_key=True, of=("self",)).filter(pk=endpoint_id).first()
    if endpoint is None:
        raise EndpointNotFound()
    policies.require(actor, policies.REPLAY, endpoint)
    if endpoint.disabled_at is not None:
        raise EndpointDisabled()
    count = _revive(Delivery.objects.filter(endpoint=endpoint, state=State.DEAD), now)
    trail.record(
        actor=actor,
        action=gettext_noop("dead webhooks replayed"),
        target=endpoint,
        reason=reason,
        after={"count": count},
        now=now,
        by_platform=actor is None,
    )
    return count


def _revive(deliveries: QuerySet[Delivery], now: datetime) -> int:
    return deliveries.update(state=State.PENDING, attempts=0, next_attempt_at=now, finished_at=None, claim=None)


def prunable(*, now: datetime) -> QuerySet[Event]:
    """Events older than 30 days that nothing is owed of any more; their deliveries go with them."""
    old = Event.objects.filter(occurred_at__lt=now - KEPT).order_by("occurred_at")
    return old.exclude(deliveries__state=State.PENDING)


def newest(endpoint: Endpoint, *, limit: int, state: str | None = None, before_id: int | None = None) -> list[Delivery]:
    """An endpoint's deliveries, the newest first, their events without the data; those older than ``before_id``."""
    rows = Delivery.objects.filter(endpoint=endpoint).select_related("event").defer("event__data").order_by("-id")
    rows = rows if state is None else rows.filter(state=state)
    rows = rows if before_id is None else rows.filter(id__lt=before_id)
    return list(rows[:limit])
