"""What an operator sees of the webhooks, and is not alarmed by."""

from datetime import timedelta

import pytest

from accounts.models import ApiClient, User
from core.db import clock
from webhooks import endpoints, metrics
from webhooks.models import Delivery, Endpoint
from webhooks.tests.conftest import everything, tell

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def seen(now) -> dict[str, dict[str, float]]:
    return {
        reading.name.removeprefix("gameplatform_webhook"): dict(reading.values) for reading in metrics.readings(now)
    }


def test_what_is_on_its_way_what_is_dead_and_who_is_disabled_are_counted(listen):
    now = clock.now()
    assert seen(now) == {
        "s": {"pending": 0, "dead": 0},
        "_overdue_seconds": {"": 0.0},
        "_endpoints_disabled": {"": 0},
    }
    first, second = listen().endpoint, listen().endpoint
    tell(now=now)
    tell(now=now + HOUR)
    endpoints.disable(endpoint_id=second.pk, among=everything(), actor=None, reason="off", now=now)
    assert seen(now + HOUR) == {
        "s": {"pending": 2, "dead": 2},
        "_overdue_seconds": {"": 3600.0},
        "_endpoints_disabled": {"": 1},
    }
    Delivery.objects.filter(endpoint=first).update(state="delivered", finished_at=now)
    endpoints.delete(endpoint_id=second.pk, among=everything(), actor=None, now=now)
    assert seen(now + HOUR) == {
        "s": {"pending": 0, "dead": 2},
        "_overdue_seconds": {"": 0.0},
        "_endpoints_disabled": {"": 0},
    }


def test_what_waits_for_its_owner_or_a_failing_receiver_is_not_late(listen, game, master):
    now = clock.now()
    client = ApiClient.objects.create(name="server", game=game)
    owned = [listen("session.ended", client=client).endpoint, listen("session.ended", user=master).endpoint]
    for endpoint in owned:
        endpoints.send_test(endpoint_id=endpoint.pk, among=everything(), actor=None, now=now)
    assert seen(now + HOUR)["_overdue_seconds"] == {"": 3600.0}
    ApiClient.objects.update(is_active=False)
    assert seen(now + HOUR)["_overdue_seconds"] == {"": 3600.0}
    for mark in ("is_active", "is_master"):
        User.objects.filter(pk=master.pk).update(**{mark: False})
        assert seen(now + HOUR)["_overdue_seconds"] == {"": 0.0}
        User.objects.filter(pk=master.pk).update(**{mark: True})
    Endpoint.objects.update(failing_since=now)
    assert seen(now + HOUR) == {
        "s": {"pending": 2, "dead": 0},
        "_overdue_seconds": {"": 0.0},
        "_endpoints_disabled": {"": 0},
    }
