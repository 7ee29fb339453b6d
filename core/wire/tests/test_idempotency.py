import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, cast

import pytest
from django.db import connection
from django.test import override_settings
from django.urls import path
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView, exception_handler

from core import idempotency
from core.db import clock
from core.errors import Conflict, DomainError, Unavailable
from core.models import IdempotencyRecord
from core.wire.idempotency import idempotent

STATUS = {
    "CONFLICT": 409,
    "UNAVAILABLE": 503,
    "IDEMPOTENCY_KEY_REUSED": 422,
    "IDEMPOTENCY_IN_FLIGHT": 409,
    "INVALID_IDEMPOTENCY_KEY": 400,
}


def errors(error, context):
    if isinstance(error, DomainError):
        return Response({"code": error.code}, status=STATUS[error.code])
    return exception_handler(error, context)


class Till(APIView):
    """Counts how often it really ran, and does what the body says."""

    permission_classes = [AllowAny]
    runs: list[int] = []
    gate = threading.Event()
    inside = threading.Event()

    def get_exception_handler(self):
        return errors

    @idempotent
    def post(self, request, pk):
        self.runs.append(pk)
        do = request.data.get("do")
        if do == "refuse":
            raise Conflict
        if do == "unavailable":
            raise Unavailable
        if do == "crash":
            raise ZeroDivisionError
        if do == "bad gateway":
            raise APIException("no")
        if do == "wait":
            self.inside.set()
            assert self.gate.wait(10)
        return Response({"run": len(self.runs), "pk": pk}, status=201)


urlpatterns = [path("till/<int:pk>", Till.as_view()), path("till/<int:pk>/", Till.as_view())]


class Player:
    is_authenticated = True

    def __init__(self, pk):
        self.pk = pk


@pytest.fixture(autouse=True)
def till():
    Till.runs.clear()
    Till.gate.clear()
    Till.inside.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield


def post(body=None, *, key="k-1", user=1, url="/till/7"):
    client = APIClient(raise_request_exception=False)
    if user:
        client.force_authenticate(cast(Any, Player(user)))
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post(url, body or {}, format="json", headers=headers)


@pytest.mark.django_db
def test_the_same_request_runs_once_and_is_answered_alike():
    first, second = post({"a": 1}), post({"a": 1})
    assert (first.status_code, first.json()) == (201, {"run": 1, "pk": 7})
    assert (second.status_code, second.content) == (201, first.content)
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert second["Content-Type"] == "application/json"
    assert Till.runs == [7]


@pytest.mark.django_db
def test_without_the_header_and_without_a_caller_every_request_runs():
    assert [post(key=None).json()["run"], post(key=None).json()["run"]] == [1, 2]
    assert [post(user=None).json()["run"], post(user=None).json()["run"]] == [3, 4]
    assert IdempotencyRecord.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("body", "url"), [({"a": 2}, "/till/7"), ({"a": 1}, "/till/8"), ({"a": 1}, "/till/7?x=1")])
def test_the_key_with_another_request_is_a_422_and_runs_nothing(body, url):
    post({"a": 1})
    answer = post(body, url=url)
    assert (answer.status_code, answer.json()) == (422, {"code": "IDEMPOTENCY_KEY_REUSED"})
    assert Till.runs == [7]


@pytest.mark.django_db
def test_keys_belong_to_their_caller():
    assert post(user=1).json()["run"] == 1
    assert post(user=2).json()["run"] == 2


@pytest.mark.django_db
def test_a_refusal_is_an_answer_too():
    first, second = post({"do": "refuse"}), post({"do": "refuse"})
    assert (first.status_code, first.json()) == (409, {"code": "CONFLICT"})
    assert (second.status_code, second.content) == (409, first.content)
    assert second["Idempotency-Replayed"] == "true"
    assert Till.runs == [7]


@pytest.mark.django_db
@pytest.mark.parametrize("body", [{"do": "unavailable"}, {"do": "crash"}, {"do": "bad gateway"}])
def test_after_a_failure_of_ours_the_key_is_free(body):
    assert post(body).status_code >= 500
    assert IdempotencyRecord.objects.count() == 0
    assert post(body).status_code >= 500
    assert Till.runs == [7, 7]


@pytest.mark.django_db
def test_a_wrong_key_is_a_400_and_runs_nothing():
    assert post(key="k" * 256).json() == {"code": "INVALID_IDEMPOTENCY_KEY"}
    assert Till.runs == []


@pytest.mark.django_db
def test_malformed_json_is_answered_and_remembered():
    client = APIClient()
    client.force_authenticate(cast(Any, Player(1)))
    for _ in range(2):
        answer = client.post(
            "/till/7", data="[" * 60_000, content_type="application/json", headers={"Idempotency-Key": "k"}
        )
        assert answer.status_code == 400
    assert answer["Idempotency-Replayed"] == "true"
    assert Till.runs == [7]


@pytest.mark.django_db
def test_a_run_that_died_between_is_in_flight_until_it_is_taken_over():
    post({"a": 1})
    record = IdempotencyRecord.objects.get()
    locked_at = clock.now() - timedelta(seconds=idempotency.TAKEOVER_SECONDS - 5)
    IdempotencyRecord.objects.update(state="in_flight", response_status=None, response_body=None, locked_at=locked_at)
    answer = post({"a": 1})
    assert (answer.status_code, answer.json()) == (409, {"code": "IDEMPOTENCY_IN_FLIGHT"})
    assert Till.runs == [7]
    IdempotencyRecord.objects.update(locked_at=locked_at - timedelta(seconds=5))
    assert post({"a": 1}).json() == {"run": 2, "pk": 7}
    assert post({"a": 1}).json() == {"run": 2, "pk": 7}
    assert IdempotencyRecord.objects.get().pk == record.pk


def in_background(body):
    try:
        return post(body)
    finally:
        connection.close()


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_a_request_whose_connection_is_lost_leaves_nothing():
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(in_background, {"do": "wait"})
        assert Till.inside.wait(10)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state = 'idle in transaction'"
            )
            assert cursor.fetchall() == [(True,)]
        Till.gate.set()
        assert running.result(10).status_code >= 500
    assert IdempotencyRecord.objects.count() == 0
    assert post({"do": "wait"}).json() == {"run": 2, "pk": 7}


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_while_one_twin_runs_the_other_is_a_409():
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(in_background, {"do": "wait"})
        assert Till.inside.wait(10)
        twin = post({"do": "wait"})
        other = post({"do": "wait", "a": 1})
        Till.gate.set()
        answer = running.result(10)
    assert (twin.status_code, twin.json()) == (409, {"code": "IDEMPOTENCY_IN_FLIGHT"})
    assert (other.status_code, other.json()) == (422, {"code": "IDEMPOTENCY_KEY_REUSED"})
    assert (answer.status_code, answer.json()) == (201, {"run": 1, "pk": 7})
    assert post({"do": "wait"})["Idempotency-Replayed"] == "true"
    assert Till.runs == [7]
