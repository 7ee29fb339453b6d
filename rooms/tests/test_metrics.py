"""What `/metrics` says, to whom."""

from datetime import timedelta

import pytest
from django.test import Client

from core.observability.metrics import LATENESS_SECONDS, REFUSALS
from rooms import metrics, tick
from rooms.errors import SessionNotFound
from rooms.models import Session

pytestmark = pytest.mark.django_db(transaction=True)


def values(now) -> dict[str, dict[str, float]]:
    return {reading.name.removeprefix("gameplatform_"): dict(reading.values) for reading in metrics.readings(now)}


def test_live_sessions_are_counted_and_the_one_that_waits_longest_is_timed(make_room):
    first, second, third = make_room(), make_room(), make_room()
    starts_at = Session.objects.get(pk=first.current_session_id).starts_at
    Session.objects.filter(room=second).update(status="running", ends_at=starts_at + timedelta(seconds=3))
    Session.objects.filter(room=third).update(quarantined_at=starts_at)
    found = values(starts_at + timedelta(seconds=7))
    assert found["sessions_live"] == {"pending": 2, "running": 1}
    assert found["sessions_quarantined"] == {"": 1}
    assert found["session_overdue_seconds"] == {"start": 7, "settle": 4}


def test_metrics_are_for_the_holder_of_the_token_alone(settings):
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = "the token of prometheus"
    assert Client().get("/metrics").status_code == 404
    assert Client().get("/metrics", headers={"Authorization": "Bearer the token of Prometheus"}).status_code == 404
    answer = Client().get("/metrics", headers={"Authorization": "Bearer the token of prometheus"})
    assert answer.status_code == 200
    assert "gameplatform_database_up 1.0\n" in answer.content.decode()


def test_a_refusal_is_counted_under_its_view_and_code(make_room, player, api):
    counter = REFUSALS.labels("GameJoinRoomViewSet", SessionNotFound.code)
    before = counter._value.get()
    body = {"room_id": make_room().pk, "session_id": 987654321, "amount": 10}
    assert api(player).post("/api/v1/game-join-rooms", body).status_code == 404
    assert counter._value.get() == before + 1


def test_a_step_that_was_late_is_measured_from_its_deadline(make_room):
    session = Session.objects.get(pk=make_room().current_session_id)
    histogram = LATENESS_SECONDS.labels("start")
    before = histogram._sum.get()
    assert tick.advance(now=session.starts_at + timedelta(seconds=5)).started == [session.pk]
    assert histogram._sum.get() == pytest.approx(before + 5)
