"""Endpoints and deliveries as their owners get them."""

from datetime import datetime
from typing import Any

from core.wire.fields import iso_ms
from webhooks.endpoints import Issued
from webhooks.models import Delivery, Endpoint


def endpoint(row: Endpoint) -> dict[str, Any]:
    """An endpoint, without what signs."""
    return {
        "id": str(row.public_id),
        "name": row.name,
        "url": row.url,
        "types": row.types,
        "enabled": row.disabled_at is None,
        "disabled_at": _time(row.disabled_at),
        "disabled_reason": row.disabled_reason,
        "failing_since": _time(row.failing_since),
        "old_secret_ends_at": _time(row.old_secret_ends_at),
        "created_at": iso_ms(row.created_at),
    }


def issued(new: Issued) -> dict[str, Any]:
    """An endpoint with its secret, this once."""
    return {**endpoint(new.endpoint), "secret": new.secret}


def delivery(row: Delivery) -> dict[str, Any]:
    """A delivery; ``next_attempt_at`` is ``None`` when there is none to come, or one is under way."""
    waits = row.state == Delivery.State.PENDING and row.claim is None
    return {
        "id": row.pk,
        "message_id": row.event.public_id,
        "type": row.event.type,
        "state": row.state,
        "attempts": row.attempts,
        "next_attempt_at": iso_ms(row.next_attempt_at) if waits else None,
        "last_status": row.last_status,
        "last_error": row.last_error,
        "created_at": iso_ms(row.created_at),
        "finished_at": _time(row.finished_at),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso_ms(moment)
