"""Telling: an event and what is owed of it, written in the transaction of what happened (building blocks).

The courier (`webhooks.courier`) sends what has committed. Where nobody listens nothing is written, and ``listening``
finds that out along with a statement that is sent anyway.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import connection

from core.db.sql import Also
from core.db.transactions import require_atomic
from webhooks.catalogue import EventType
from webhooks.models import Delivery, Endpoint, Event

IS_HEARD = "is_heard"


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Whose business an event is: a client's, that of all clients which act for a game, a master's, the platform's."""

    client_id: int | None = None
    game_id: int | None = None
    user_id: int | None = None
    platform: bool = True


def listening(*types: EventType) -> Also:
    """For ``core.sql.call``: whether anybody listens to one of these at all, answered as ``is_heard``."""
    expression = " OR ".join(["webhook_heard(%s)"] * len(types))
    return Also(expression=f"({expression})", arguments=[type.value for type in types], name=IS_HEARD)


def tenant_listening(type: EventType, *, client_id: int | None) -> Also:
    """As ``listening``, but of this client's endpoints alone; ``None``: of the platform's own."""
    return Also(expression="webhook_heard_by(%s, %s)", arguments=[type.value, client_id], name=IS_HEARD)


def record(*, type: EventType, data: Mapping[str, Any], audience: Audience, now: datetime) -> int:
    """Tell of one event; how many endpoints will be told. ``data`` is JSON: amounts as text, times by ``time_text``."""
    return record_all(events=[(type, data)], audience=audience, now=now)


def record_all(*, events: Sequence[tuple[EventType, Mapping[str, Any]]], audience: Audience, now: datetime) -> int:
    """Tell of several events of one transaction, in one statement; how many deliveries there will be."""
    require_atomic()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT webhook_record(%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                [_new_id() for _ in events],
                [type.value for type, _ in events],
                [orjson.dumps(data).decode() for _, data in events],
                audience.client_id,
                audience.game_id,
                audience.user_id,
                audience.platform,
                now,
            ],
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def record_for(*, endpoint: Endpoint, type: str, data: Mapping[str, Any], now: datetime) -> Delivery:
    """Tell one endpoint alone, whatever it listens to."""
    require_atomic()
    event = Event.objects.create(public_id=_new_id(), type=type, data=dict(data), occurred_at=now)
    return event.deliveries.create(endpoint=endpoint, next_attempt_at=now, created_at=now)


def time_text(moment: datetime) -> str:
    """A time as the payloads have it: UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _new_id() -> str:
    return f"msg_{uuid.uuid4().hex}"
