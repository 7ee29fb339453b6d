"""Endpoints and deliveries that no receiver stands behind."""

from datetime import datetime
from typing import Any

from webhooks import endpoints
from webhooks.models import Delivery, Endpoint

ADDRESS = "https://8.8.8.8/hooks"


def an_endpoint(*, now: datetime, **given: Any) -> Endpoint:
    """``an_endpoint(now=now, user=master)``: it asks for the end of sessions."""
    terms = {"name": "books", "url": ADDRESS, "types": ["session.ended"], "client": None, "user": None, **given}
    return endpoints.create(actor=None, now=now, **terms).endpoint


def deliveries_of(endpoint: Endpoint, *, now: datetime) -> tuple[Delivery, Delivery]:
    """One that was given up, and one on its way."""
    sent: dict[str, Any] = {"endpoint_id": endpoint.pk, "among": endpoints.existing(), "actor": None, "now": now}
    dead, pending = (endpoints.send_test(**sent) for _ in range(2))
    Delivery.objects.filter(pk=dead.pk).update(state="dead", finished_at=now, attempts=10, last_error="It is gone")
    return dead, pending
