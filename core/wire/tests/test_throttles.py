from uuid import uuid4

import pytest
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView, exception_handler

from core.errors import Unavailable
from core.wire.throttles import rate_limit_headers, throttle_for


def errors(error, context):
    return Response(status=503) if isinstance(error, Unavailable) else exception_handler(error, context)


class Desk(APIView):
    permission_classes = [AllowAny]

    def get_exception_handler(self):
        return errors

    def post(self, request):
        return Response(rate_limit_headers(request))


class Reads(Desk):
    throttle_classes = [throttle_for("reads")]


class Joins(Desk):
    throttle_classes = [throttle_for("joins", fail_open=False)]


class Login(Desk):
    throttle_classes = [throttle_for("auth", identity=lambda request: request.data.get("username"))]


class Player:
    is_authenticated = True

    def __init__(self):
        self.pk = uuid4().hex


@pytest.fixture(autouse=True)
def _limited(settings):
    # Addresses of these tests alone: the buckets live in a Redis that other tests share.
    scopes = {"reads": "3/m", "joins": "3/m", "auth": "2/m", "reads_ip": "5/m", "joins_ip": "5/m", "auth_ip": "5/m"}
    settings.RATE_LIMITS_ENABLED = True
    settings.RATE_LIMITS = scopes
    settings.TRUSTED_PROXY_COUNT = 1


@pytest.fixture
def address():
    return f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1"


def post(view, address, user=None, **data):
    request = APIRequestFactory().post("/", data, format="json", headers={"X-Forwarded-For": address})
    if user is not None:
        force_authenticate(request, user)
    return view.as_view()(request)


def statuses(count, *args, **kwargs):
    return [post(*args, **kwargs).status_code for _ in range(count)]


def test_a_user_has_a_limit_and_is_told_when_to_come_again(address):
    player = Player()
    first = post(Reads, address, player)
    assert first.data == {"X-RateLimit-Limit": "3", "X-RateLimit-Remaining": "2", "X-RateLimit-Reset": "20"}
    assert statuses(2, Reads, address, player) == [200, 200]
    refused = post(Reads, address, player)
    assert refused.status_code == 429
    assert 19 <= int(refused["Retry-After"]) <= 20


def test_users_of_one_address_have_limits_of_their_own_below_the_addresss(address):
    assert statuses(3, Reads, address, Player()) == [200] * 3
    assert statuses(3, Reads, address, Player()) == [200, 200, 429]


def test_a_user_is_limited_across_addresses(address):
    player = Player()
    assert statuses(3, Reads, address, player) == [200] * 3
    assert post(Reads, "198.51.100.77", player).status_code == 429


def test_scopes_do_not_share(address):
    player = Player()
    assert statuses(3, Reads, address, player) == [200] * 3
    assert post(Joins, address, player).status_code == 200


def test_who_is_not_signed_in_is_limited_by_address(address):
    assert statuses(6, Reads, address) == [200] * 5 + [429]


def test_tries_to_sign_in_count_per_name_and_address(address):
    assert statuses(3, Login, address, username="ann") == [200, 200, 429]
    assert statuses(2, Login, address, username="bob") == [200, 200]
    assert post(Login, "2001:db8:ffff::1", username="ann").status_code == 200


def test_without_redis_reads_are_counted_locally_and_money_is_refused(settings, address):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    player = Player()
    assert statuses(4, Reads, address, player) == [200, 200, 200, 429]
    assert post(Joins, address, player).status_code == 503


def test_a_view_without_throttle_has_no_headers(address):
    assert post(Desk, address).data == {}
