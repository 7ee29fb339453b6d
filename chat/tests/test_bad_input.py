"""Whatever is sent: the contract's own error, never a 5xx, and nothing is kept of it."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.models import Conversation, Member, Message

BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"{}",
    b'{"name":"a","name":"b"}',
    b'{"name":1e400}',
    b'{"name":NaN}',
    b'{"name":"\\u0000"}',
    b'{"name":"\\ud800"}',
    b'{"name":"a","meta":' + b"[" * 2000 + b"]" * 2000 + b"}",
    b'{"name":"a","meta":{"n":123456789012345678901234567890}}',
    b'{"name":"a","description":{"x":1}}',
    b"\xff\xfe",
    b'{"name":"' + b"x" * 70_000 + b'"}',
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", ["/api/v1/rooms/", "{room}/join", "{room}/messages/", "{room}/mute"])
def test_a_body_that_is_no_good_is_refused_in_the_contracts_words(tenant, lounge, path, body):
    before = Conversation.objects.count(), Member.objects.count()
    url = path.format(room=f"/api/v1/rooms/{lounge.pk}")
    response = tenant.api.generic("POST", url, body, content_type="application/json")
    assert response.status_code in (413, 422), response.content
    assert response.json()["error"]["code"] in ("VALIDATION_ERROR", "PAYLOAD_TOO_LARGE")
    assert (Conversation.objects.count(), Member.objects.count(), Message.objects.count()) == (*before, 0)


def test_another_content_type_and_method_are_refused_in_the_contracts_words(tenant, lounge):
    response = tenant.api.generic("POST", "/api/v1/rooms/", b"name=a", content_type="application/x-www-form-urlencoded")
    assert (response.status_code, response.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    response = tenant.api.patch(f"/api/v1/rooms/{lounge.pk}", {})
    assert (response.status_code, response.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    "query",
    [
        "skip=-1", "skip=x", "skip=99999999999999999999", "limit=0", "limit=101", "limit=1.0", "limit=٣",
        "sort=meta", "after_seq=-1", "after_seq=9223372036854775808", "created_after=yesterday",
        "created_after=2026-01-01T00:00:00", "created_before=9999-99-99T00:00:00Z", "include_deleted=maybe",
        "search=%00", "sender_id=%00", "message_type=%00",
    ],
)  # fmt: skip
def test_a_query_that_is_no_good_is_refused_and_named(tenant, lounge, query):
    response = tenant.api.get(f"/api/v1/rooms/{lounge.pk}/messages/?{query}")
    assert response.status_code == 422, response.content
    error = response.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert [entry["field"] for entry in error["details"]["errors"]] == [query.partition("=")[0]]


def test_ten_thousand_escaped_characters_arrive(tenant, lounge):
    body = json.dumps({"sender_id": "lan", "content": "🎲" * 10_000}).encode()
    assert len(body) > 100_000
    url = f"/api/v1/rooms/{lounge.pk}/messages/"
    assert tenant.api.generic("POST", url, body, content_type="application/json").status_code == 201
    body = json.dumps({"sender_id": "lan", "content": "x" * 100_000}).encode()
    response = tenant.api.generic("POST", url, body, content_type="application/json")
    assert response.status_code == 413
    assert response.json()["error"]["details"] == {"max_length": 10_000, "current_length": 100_000}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["user_id", "user_name", "meta", "name", "content", "sender_id", "message_type", "client_msg_id", "reason"]
)


@given(body=VALUES | st.dictionaries(FIELDS, VALUES, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_makes_an_error_of_the_server(tenant, lounge, body):
    raw = json.dumps(body).encode("utf-8", "surrogatepass")
    message = f"/api/v1/messages/{lounge.pk}"
    room = f"/api/v1/rooms/{lounge.pk}"
    calls = [("POST", "/api/v1/rooms/"), ("PUT", room), ("POST", f"{room}/join"), ("POST", f"{room}/messages/")]
    for method, path in [*calls, ("PUT", message), ("POST", f"{room}/ban"), ("POST", f"{room}/ticket")]:
        response = tenant.api.generic(method, path, raw, content_type="application/json")
        assert response.status_code < 500, (method, path, raw)
        assert response.json()["status"] == ("success" if response.status_code < 300 else "error")


@given(words=st.text(max_size=60))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_words_make_the_search_fail(tenant, lounge, words):
    assert tenant.api.get("/api/v1/messages/search", {"q": words}).status_code in (200, 422)
    assert tenant.api.get(f"/api/v1/rooms/{lounge.pk}/messages/", {"search": words}).status_code in (200, 422)
    assert tenant.api.get("/api/v1/rooms/", {"search": words}).status_code in (200, 422)


def test_unknown_members_of_a_body_are_ignored(tenant):
    made = tenant.api.post("/api/v1/rooms/", {"name": "a", "client_id": "mine", "unknown": 1})
    assert (made.status_code, made.json()["data"]["client_id"]) == (201, str(tenant.client.public_id))
