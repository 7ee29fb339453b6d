"""An unknown route answers in the style of its prefix."""

import pytest
from django.test import Client


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/no-such-thing", b'{"statusCode":404,"message":"Not found","error":"Not Found"}'),
        ("/api/v1/rooms/a/b/c/d", b'{"error":{"code":"NOT_FOUND","message":"Not found"},"status":"error"}'),
        ("/api/v3/no-such-thing", b"Not found"),
        ("/api/game/no-such-thing", b'{"error":"Not found","code":"NOT_FOUND"}'),
    ],
)
def test_unknown_route_speaks_its_contract(client: Client, path: str, body: bytes) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.content) == (404, body)


def test_unknown_page_is_a_page(client: Client) -> None:
    assert client.get("/no-such-page")["Content-Type"].startswith("text/html")
