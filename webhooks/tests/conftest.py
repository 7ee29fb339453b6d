"""A receiver on this machine, and endpoints that lead to it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction

from core.db import clock
from tests.support.receiver import Receiver
from webhooks import endpoints, outbox
from webhooks.catalogue import EventType
from webhooks.models import Delivery, Endpoint
from webhooks.outbox import Audience


@pytest.fixture(autouse=True)
def _private(settings):
    """Receivers of tests are on this machine."""
    settings.WEBHOOKS_ALLOW_PRIVATE = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()


@pytest.fixture
def listen(db, receiver) -> Callable[..., endpoints.Issued]:
    """``listen("session.ended")``: the platform's endpoint at the receiver; ``client=``, ``user=``: theirs."""

    def make(*types: str, **given: Any) -> endpoints.Issued:
        terms = {
            "name": "test",
            "url": receiver.url(),
            "types": types or [EventType.WALLET_DEPOSITED],
            "client": None,
            "user": None,
            "actor": None,
            "now": clock.now(),
        }
        return endpoints.create(**{**terms, **given})

    return make


def tell(
    type: EventType = EventType.WALLET_DEPOSITED,
    *,
    now: datetime | None = None,
    audience: Audience | None = None,
    **data,
) -> int:
    """Tell of an event in a transaction of its own; how many deliveries there will be."""
    with transaction.atomic():
        return outbox.record(type=type, data=data, audience=audience or Audience(), now=now or clock.now())


def only() -> Delivery:
    """The one delivery there is, read anew."""
    return Delivery.objects.select_related("event", "endpoint").get()


def everything() -> Any:
    return Endpoint.objects.all()
