"""A captured pots request serves once: no other spelling, route or method uses its signature again."""

import json

import pytest

from core.redis import connection as redis_connection
from core.redis.connection import RedisAway
from payments.models import Job, PlayerProfile, Pot, Transfer
from tests.contracts.plyr_client import sign
from tests.support.pots import send_by_django

pytestmark = pytest.mark.django_db


def books() -> tuple[int, int, int, int]:
    return Transfer.objects.count(), Job.objects.count(), Pot.objects.count(), PlayerProfile.objects.count()


def replay(server, path: str, body: bytes, captured: dict[str, str], method: str = "POST"):
    """Send ``body`` with the captured headers: the attacker has no secret."""
    return send_by_django(method, f"/api{path}", body, captured)


def captured(server, body: bytes) -> dict[str, str]:
    moment = server.timestamp()
    return {"apikey": server.key, "timestamp": moment, "signature": sign(server.secret, moment, body)}


@pytest.fixture
def earning(server, seated) -> tuple[bytes, dict[str, str]]:
    """A captured ``/game/earn`` that paid 5 of the 50 in the pot."""
    ada = seated("ada-lake")
    pot = server.post(
        "/game/createJoinPay", {"sessionJwts": [ada.jwt], "tokens": ["gold"], "amounts": [50], "sync": True}
    )
    order = {"roomId": pot["roomId"], "plyrIds": ["ada-lake"], "tokens": ["gold"], "amounts": [5], "sync": True}
    body = json.dumps(order, separators=(",", ":")).encode()
    headers = captured(server, body)
    assert replay(server, "/game/earn", body, headers)["status"] == "SUCCESS"
    return body, headers


@pytest.mark.parametrize(
    "respell",
    [
        lambda body: body + b" ",
        lambda body: body + b"  ",
        lambda body: body.replace(b"roomId", b"r\\u006fomId"),
        lambda body: body.replace(b":[5]", b":[5.0]"),
    ],
)
def test_respelled_body_does_not_pay_again(server, earning, respell):
    body, headers = earning
    before = books()
    answer = replay(server, "/game/earn", respell(body), headers)
    assert (answer.status, answer["code"]) == (401, "SIGNATURE_USED")
    assert books() == before


@pytest.mark.parametrize("path", ["/game/earnLeave", "/game/earnLeaveEnd", "/game/create", "/user/session/verify"])
def test_signature_serves_no_other_route(server, earning, path):
    body, headers = earning
    before = books()
    answer = replay(server, path, body, headers)
    assert (answer.status, answer["code"]) == (401, "SIGNATURE_USED")
    assert books() == before


@pytest.mark.parametrize("path", ["/game/create", "/instantPlayPass/register"])
def test_signature_of_a_get_serves_no_post(server, path):
    headers = captured(server, b"{}")
    assert replay(server, "/now", b"", headers, "GET").status == 200
    before = books()
    for body in (b"", b"{}"):
        answer = replay(server, path, body, headers)
        assert (answer.status, answer["code"]) == (401, "SIGNATURE_USED")
    assert books() == before


def test_gets_are_served_under_a_used_signature(server):
    headers = captured(server, b"{}")
    made = replay(server, "/game/create", b"", headers)
    for _ in range(2):
        polled = replay(server, f"/task/status/{made['task']['id']}", b"", headers, "GET")
        assert (polled.status, polled["status"]) == (200, "PENDING")


def test_identical_retry_gets_the_first_answer(server, earning):
    body, headers = earning
    before = books()
    again = replay(server, "/game/earn", body, headers)
    assert (again.status, again["status"]) == (200, "SUCCESS")
    guest = captured(server, b"{}")
    first = replay(server, "/instantPlayPass/register", b"", guest)
    assert replay(server, "/instantPlayPass/register", b"", guest).body == first.body
    assert books() == (*before[:3], before[3] + 1)


def test_job_outlives_redis_memory_of_its_signature(server, earning):
    body, headers = earning
    redis_connection.run(lambda client: client.flushdb())
    before = books()
    assert replay(server, "/game/earn", body + b" ", headers)["status"] == "SUCCESS"
    redis_connection.run(lambda client: client.flushdb())
    assert replay(server, "/game/earnLeave", body, headers)["code"] == "SIGNATURE_USED"
    assert books() == before


def test_stored_answer_outlives_redis_memory_of_its_signature(server, person):
    ada = person("ada-lake")
    body = json.dumps({"plyrId": "ada-lake", "otp": ada.code(), "gameId": "slot", "tokens": ["gold"], "amounts": [5]})
    headers = captured(server, body.encode())
    first = replay(server, "/user/login", body.encode(), headers)
    redis_connection.run(lambda client: client.flushdb())
    before = books()
    assert replay(server, "/instantPlayPass/register", body.encode(), headers)["code"] == "SIGNATURE_USED"
    assert first.status == 200
    assert books() == before


def test_signed_requests_fail_closed_without_redis(server, monkeypatch):
    def away(command):
        raise RedisAway

    monkeypatch.setattr(redis_connection, "run", away)
    before = books()
    for method, path in (("POST", "/game/create"), ("GET", "/now")):
        answer = replay(server, path, b"", captured(server, b"{}"), method)
        assert (answer.status, answer["code"]) == (503, "UNAVAILABLE")
    assert books() == before
