from decimal import Decimal

import pytest
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView


class Echo(APIView):
    permission_classes = [AllowAny]

    def post(self, request):
        return Response({"type": type(request.data["amount"]).__name__, "amount": str(request.data["amount"])})


def post(body: bytes, content_type: str = "application/json"):
    request = APIRequestFactory().post("/", data=body, content_type=content_type)
    return Echo.as_view()(request)


def test_an_api_reads_fractions_as_decimals():
    assert post(b'{"amount": 30.50}').data == {"type": Decimal.__name__, "amount": "30.50"}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        b'{"amount":1,"amount":2}',
        b'{"amount":1e400}',
        b'{"amount":"\\ud800"}',
        b'{"amount":"' + b"a" * 70_000 + b'"}',
    ],
)
def test_hostile_json_is_a_400_with_its_code(body):
    answer = post(body)
    assert answer.status_code == 400
    assert answer.data["detail"].code == "MALFORMED_JSON"


def test_a_charset_parameter_cannot_make_the_body_anything_but_utf8():
    body = '{"amount": "é"}'.encode("latin-1")
    assert post(body, "application/json; charset=latin-1").status_code == 400


def test_another_media_type_is_a_415():
    assert post(b"amount=1", "application/x-www-form-urlencoded").status_code == 415
