"""A method that a route does not have is a 405, never a failure."""

import uuid

import pytest


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "rooms/{id}"),
        ("get", "messages/{id}/restore"),
        ("put", "messages/{id}/restore"),
        ("delete", "messages/{id}/restore"),
        ("put", "messages/{id}/thread"),
        ("delete", "messages/{id}/thread"),
        ("put", "messages/{id}/thread/summary"),
        ("delete", "messages/{id}/thread/summary"),
    ],
)
def test_a_method_that_a_route_does_not_have_is_a_405(tenant, method, path):
    answer = getattr(tenant.api, method)(f"/api/v1/{path.format(id=uuid.uuid4())}")
    assert answer.status_code == 405
    assert method.upper() not in answer.headers["Allow"]
