"""Two workers at the same deliveries, and an endpoint that changes while it is told of something."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from core.db import clock
from tests.support.receiver import Receiver, Reply
from tests.support.threads import kinds, together
from webhooks import courier, deliveries, endpoints, outbox
from webhooks.catalogue import EventType
from webhooks.models import Delivery, Endpoint
from webhooks.outbox import Audience

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

ROUNDS = 10


@pytest.fixture(autouse=True)
def _private(settings):
    settings.WEBHOOKS_ALLOW_PRIVATE = True


@pytest.fixture
def receiver():
    server = Receiver()
    yield server
    server.close()


def listen(receiver, path="/hooks"):
    return endpoints.create(
        name="race", url=receiver.url(path), types=[EventType.SESSION_ENDED], client=None, user=None, actor=None,
        now=clock.now(),
    ).endpoint  # fmt: skip


def tell(count):
    with transaction.atomic():
        outbox.record_all(events=[(EventType.SESSION_ENDED, {})] * count, audience=Audience(), now=clock.now())
    assert Delivery.objects.filter(state="pending", attempts=0).count() == count * Endpoint.objects.count()


def claim():
    return deliveries.claim_due(limit=32, now=clock.now())


def test_of_two_workers_one_gets_each_delivery(receiver):
    listen(receiver)
    for _ in range(ROUNDS):
        Delivery.objects.all().delete()
        tell(4)
        found = together([claim, claim, claim])
        taken = [one.delivery_id for claimed in found for one in claimed]
        assert len(taken) == len(set(taken)) == 4


def look_then_claim():
    """The negative control: what two workers do without the locks."""
    due = Delivery.objects.filter(state="pending", claim=None, next_attempt_at__lte=clock.now())
    found = list(due.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.05)")
    Delivery.objects.filter(pk__in=found).update(next_attempt_at=clock.now() + timedelta(seconds=60))
    return found


def test_without_the_locks_both_would_have_it(receiver):
    listen(receiver)
    tell(4)
    taken = [pk for found in together([look_then_claim, look_then_claim]) for pk in found]
    assert len(taken) == 8


def test_all_workers_together_keep_to_an_endpoints_share(receiver):
    listen(receiver)
    for _ in range(ROUNDS):
        Delivery.objects.all().delete()
        tell(40)
        assert sum(len(claimed) for claimed in together([claim] * 4)) <= deliveries.UNDER_WAY_EACH
        assert Delivery.objects.filter(claim__isnull=False).count() <= deliveries.UNDER_WAY_EACH


def test_two_couriers_send_each_message_once(receiver, monkeypatch):
    listen(receiver, "/a")
    listen(receiver, "/b")
    tell(12)
    receiver.reply = lambda got: Reply(after_seconds=0.05)

    class NoLock:
        """Two processes have a lock each."""

        def acquire(self, blocking):
            return True

        def release(self):
            pass

    monkeypatch.setattr(courier, "_one_at_a_time", NoLock())
    attempts = together([lambda: courier.advance(now=clock.now())] * 2)
    assert sum(attempts) == 24
    sent = sorted((got.path, got.id) for got in receiver.got)
    assert len(sent) == len(set(sent)) == 24
    assert Delivery.objects.filter(state="delivered", attempts=1).count() == 24


def test_telling_never_fails_for_an_endpoint_that_is_disabled_changed_or_deleted_meanwhile(receiver):
    for _ in range(ROUNDS):
        endpoint = listen(receiver)
        common: dict[str, Any] = {
            "endpoint_id": endpoint.pk,
            "among": endpoints.existing(),
            "actor": None,
            "now": clock.now(),
        }
        results = together(
            [
                tell_any,
                partial(endpoints.delete, **common),
                tell_any,
                partial(endpoints.rotate_secret, old_ends_at=clock.now(), **common),
            ]
        )
        assert set(kinds(results)) <= {"int", "NoneType", "Issued", "EndpointNotFound"}
        assert kinds(results)["int"] == 2
        assert Endpoint.objects.filter(deleted_at__isnull=True).count() == 0


def tell_any() -> int:
    with transaction.atomic():
        return outbox.record(type=EventType.SESSION_ENDED, data={}, audience=Audience(), now=clock.now())


def test_an_owner_that_makes_many_at_once_gets_no_more_than_its_number(receiver, master, monkeypatch):
    monkeypatch.setattr(endpoints, "ENDPOINTS_EACH_MAX", 3)

    def make():
        return endpoints.create(
            name="many", url=receiver.url(), types=[EventType.SESSION_ENDED], client=None, user=master, actor=None,
            now=clock.now(),
        )  # fmt: skip

    assert kinds(together([make] * 6)) == {"Issued": 3, "TooManyEndpoints": 3}
