"""A real Celery worker is killed with a webhook on its lips: another delivers it, under the same id."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import transaction

from core.db import clock
from tests.support.receiver import Receiver, Reply
from tests.support.servers import database_url
from webhooks import courier, deliveries, endpoints, outbox, tasks
from webhooks.catalogue import EventType
from webhooks.models import Delivery
from webhooks.outbox import Audience

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def worker():
    environment = {**os.environ, "DATABASE_URL": database_url(), "REDIS_URL": settings.REDIS_URL, "DEBUG": "true"}
    environment["WEBHOOKS_ALLOW_PRIVATE"] = "true"
    command = ["-m", "celery", "-A", "gameplatform", "worker", "-P", "threads", "-c", "1", "-l", "warning"]
    process = subprocess.Popen([sys.executable, *command, "--without-gossip", "--without-mingle"], env=environment)
    yield process
    process.kill()
    process.wait(timeout=10)


@pytest.fixture
def receiver():
    server = Receiver()
    yield server
    server.close()


def test_a_worker_killed_while_it_delivers(worker, receiver, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    now = clock.now()
    issued = endpoints.create(
        name="killed", url=receiver.url(), types=[EventType.SESSION_ENDED], client=None, user=None, actor=None, now=now
    )
    with transaction.atomic():
        outbox.record(type=EventType.SESSION_ENDED, data={"session_id": 1}, audience=Audience(), now=now)
    receiver.reply = lambda got: Reply(after_seconds=4)
    tasks.advance.delay()
    receiver.wait_for(1, seconds=60)
    worker.kill()
    worker.wait(timeout=10)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("pending", 1)
    assert delivery.claim is not None

    receiver.reply = lambda got: Reply()
    # While the dead worker's claim lasts nobody touches it.
    assert courier.advance(now=clock.now()) == 0
    assert courier.advance(now=clock.now() + timedelta(seconds=deliveries.CLAIM_SECONDS)) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("delivered", 2)
    assert delivery.claim is None
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    assert second.verified(issued.secret)["data"] == {"session_id": 1}
