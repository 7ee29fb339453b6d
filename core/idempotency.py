"""Idempotency keys: the same request twice has one effect and one answer.

A request that is one use case is one transaction with its answer: ``claim`` → the use case → ``keep``. Locks that end
with the transaction keep its twin out, and a process that dies leaves nothing.

A request of several transactions goes ``begin`` → … → ``finish`` or ``abandon``, each one statement outside any
transaction. A process that dies in between leaves the record in flight; after ``TAKEOVER_SECONDS`` the next try takes
it over and runs again, which is safe because every use case is idempotent by its business key (``session:42:entry:7``).
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from core.db import sql
from core.db.batches import delete_in_batches
from core.db.transactions import require_atomic
from core.errors import Conflict, Invalid
from core.models import IdempotencyRecord

TAKEOVER_SECONDS = 30

_KEY = re.compile(r"[!-~ ]{1,255}", re.ASCII)
# A record that vanishes between INSERT and SELECT was abandoned: the next INSERT may win.
_ROUNDS = 5

_KEEP = """
    INSERT INTO core_idempotencyrecord
        (caller, endpoint, key, request_hash, state, response_status, response_body, created_at, locked_at)
    VALUES (%s, %s, %s, %s, 'done', %s, %s, %s, %s)
    ON CONFLICT (caller, endpoint, key) DO UPDATE
        SET state = 'done', response_status = excluded.response_status, response_body = excluded.response_body
        WHERE core_idempotencyrecord.state = 'in_flight'
"""

_TABLE = IdempotencyRecord._meta.db_table
_CLAIM = f"""
    INSERT INTO {_TABLE} (caller, endpoint, key, request_hash, state, created_at, locked_at)
    VALUES (%(caller)s, %(endpoint)s, %(key)s, %(request_hash)s, 'in_flight', %(now)s, %(now)s)
    ON CONFLICT (caller, endpoint, key) DO UPDATE SET locked_at = excluded.locked_at
        WHERE {_TABLE}.state = 'in_flight' AND {_TABLE}.locked_at <= %(dead_since)s
            AND {_TABLE}.request_hash = excluded.request_hash
    RETURNING id
"""


class InvalidIdempotencyKey(Invalid):
    """The key is empty, too long or holds something other than printable ASCII."""

    code = "INVALID_IDEMPOTENCY_KEY"
    default_message = gettext_noop("Idempotency-Key must be 1 to 255 printable ASCII characters")


class IdempotencyKeyReused(Invalid):
    """The key was used before, for another request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    default_message = gettext_noop("This Idempotency-Key was already used with a different request")


class IdempotencyInFlight(Conflict):
    """The first request with this key has not been answered yet."""

    code = "IDEMPOTENCY_IN_FLIGHT"
    default_message = gettext_noop("A request with this Idempotency-Key is still being processed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request with its key; ``request_hash`` is its SHA-256."""

    caller: str
    endpoint: str
    key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Fresh:
    """The caller runs the request and then calls ``finish`` or ``abandon`` with this claim."""

    record_id: int
    locked_at: datetime


@dataclass(frozen=True, slots=True)
class Replay:
    """The request was answered before, with this."""

    status: int
    body: bytes


def claim(request: Request, *, now: datetime) -> Replay | None:
    """Hold the key until the transaction ends, or find the answer; ``None``: run the request and ``keep`` its answer.

    One statement, which never waits. Raises as ``begin``.
    """
    require_atomic()
    if _KEY.fullmatch(request.key) is None:
        raise InvalidIdempotencyKey
    dead_since = now - timedelta(seconds=TAKEOVER_SECONDS)
    found = sql.call(
        "idempotency_claim", request.caller, request.endpoint, request.key, request.request_hash, dead_since
    )
    match found["result"]:
        case "reused":
            raise IdempotencyKeyReused
        case "in_flight":
            raise IdempotencyInFlight
        case "replayed":
            return Replay(status=found["status"], body=bytes(found["body"]))
    return None


def keep(request: Request, *, status: int, body: bytes, now: datetime) -> None:
    """Store the answer of the claimed request, in its own transaction; one statement."""
    require_atomic()
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP, [request.caller, request.endpoint, request.key, request.request_hash, status, body, now, now]
        )


def begin(*, caller: str, endpoint: str, key: str, request_hash: bytes, now: datetime) -> Fresh | Replay:
    """Claim (caller, endpoint, key) for the request whose SHA-256 is ``request_hash``, or find its answer.

    One statement for a fresh key, two for a known one. Raises ``InvalidIdempotencyKey``; ``IdempotencyKeyReused``
    when the key came with another request; ``IdempotencyInFlight`` while that request is running, for at most
    ``TAKEOVER_SECONDS``.
    """
    if _KEY.fullmatch(key) is None:
        raise InvalidIdempotencyKey
    for _ in range(_ROUNDS):
        with connection.cursor() as cursor:
            cursor.execute(
                _CLAIM,
                {
                    "caller": caller,
                    "endpoint": endpoint,
                    "key": key,
                    "request_hash": request_hash,
                    "now": now,
                    "dead_since": now - timedelta(seconds=TAKEOVER_SECONDS),
                },
            )
            claimed = cursor.fetchone()
        if claimed is not None:
            return Fresh(record_id=claimed[0], locked_at=now)
        known = IdempotencyRecord.objects.filter(caller=caller, endpoint=endpoint, key=key).first()
        if known is not None:
            return _answer_of(known, request_hash)
    raise IdempotencyInFlight


def _answer_of(known: IdempotencyRecord, request_hash: bytes) -> Replay:
    if bytes(known.request_hash) != request_hash:
        raise IdempotencyKeyReused
    if known.response_status is None or known.response_body is None:
        raise IdempotencyInFlight
    return Replay(status=known.response_status, body=bytes(known.response_body))


def finish(claim: Fresh, *, status: int, body: bytes) -> bool:
    """Store the answer, by one statement. False when another run took the record over meanwhile: its answer stands."""
    return bool(_held(claim).update(state=IdempotencyRecord.State.DONE, response_status=status, response_body=body))


def abandon(claim: Fresh) -> None:
    """Forget the key: the request failed on our side (5xx), and its next try is to run again."""
    _held(claim).delete()


def prunable(*, older_than: timedelta, now: datetime) -> QuerySet[IdempotencyRecord]:
    """The records made before ``now - older_than``, oldest first: their answers are not given again."""
    return IdempotencyRecord.objects.filter(created_at__lt=now - older_than).order_by("created_at")


def prune(*, older_than: timedelta, now: datetime) -> int:
    """Delete what is ``prunable``; returns how many there were."""
    return delete_in_batches(prunable(older_than=older_than, now=now))


def _held(claim: Fresh) -> QuerySet[IdempotencyRecord]:
    return IdempotencyRecord.objects.filter(
        pk=claim.record_id, state=IdempotencyRecord.State.IN_FLIGHT, locked_at=claim.locked_at
    )
