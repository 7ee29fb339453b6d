"""Whatever a client sends, the answer is a success or a sentence that says why not; never the server's own failure."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = st.sampled_from(
    [
        "attributes",
        "credits",
        "email",
        "end_time",
        "extra_attributes",
        "game_id",
        "game_round",
        "game_token",
        "game_type",
        "game_user_attribute_key",
        "game_user_id",
        "key",
        "leaderboard_name",
        "limit",
        "metadata",
        "multiplayer",
        "multiplayer_game_round_id",
        "one_per_user",
        "page",
        "password",
        "password_confirmation",
        "per_page",
        "place",
        "score",
        "start_time",
        "user",
        "user_id",
        "username",
        "value",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", "true", "1", "-1", "1e5", "9" * 25, "2026-05-20T10:00:00Z", '{"a": 1}', "[]", "x@y.example"]),
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), TEXTS
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXTS, inner, max_size=4), max_leaves=8
)
ROUTES = st.sampled_from(
    [
        "game_rounds",
        "game_rounds/{round}",
        "games/verify",
        "games/{game}/leaderboard_entries",
        "sessions",
        "users",
        "users/{user}",
        "users/{user}/add_credits",
        "users/{user}/add_game_user_attribute",
        "users/{user}/add_leaderboard_entry",
        "users/{user}/clear_my_leaderboard_entries",
        "users/{user}/leaderboard_entries",
        "users/{user}/remove_game_user_attribute",
        "users/{user}/set_score",
    ]
)
METHODS = st.sampled_from(["get", "post", "put", "delete"])


@pytest.fixture
def send(as_player, ada):
    made = as_player(ada).post("/api/v3/game_rounds", {"game_user_id": ada.user.pk, "game_type": "fuzz"}).json()
    ids = {"round": made["id"], "user": ada.user.pk, "game": ada.user.game_id}
    client = as_player(ada)

    def make(method, route, **request):
        return client.generic(method.upper(), f"/api/v3/{route.format(**ids)}", **request)

    return make


def check(answer):
    assert answer.status_code < 500, answer.content
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.content


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=METHODS, route=ROUTES, values=st.dictionaries(NAMES, JSON, max_size=6))
def test_any_json_is_answered(send, method, route, values):
    check(send(method, route, data=json.dumps(values), content_type="application/json"))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=METHODS, route=ROUTES, values=st.dictionaries(NAMES, TEXTS, max_size=6))
def test_any_form_and_any_query_is_answered(send, method, route, values):
    text = urlencode(values, errors="replace")

    check(send(method, route, data=text, content_type="application/x-www-form-urlencoded"))
    check(send(method, route, QUERY_STRING=text))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=METHODS,
    route=ROUTES,
    body=st.binary(max_size=200),
    content_type=st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/x", ""]
    ),
)
def test_any_bytes_are_answered(send, method, route, body, content_type):
    check(send(method, route, data=body, content_type=content_type))
