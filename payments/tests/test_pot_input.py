"""Bad input gets the contract's own words, never a 5xx, and moves nothing (contract payments, "Rooms", validation)."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.models import Job
from tests.support.pots import no_pot_moves

pytestmark = pytest.mark.django_db

SAME_LENGTH = "Tokens and amounts must be the same length"
PARAMS = "Input params was incorrect."
PAYING = ["/game/pay", "/game/joinPay", "/game/createJoinPay"]
EARNING = ["/game/earn", "/game/earnLeave", "/game/earnLeaveEnd"]
SEATING = ["/game/join", "/game/leave", *PAYING]


@pytest.fixture
def room(server, seated):
    """Room 1, with ada in it; and what she would send."""
    ada = seated("ada-lake")
    body = {"sessionJwts": [ada.jwt], "tokens": ["gold"], "amounts": [10], "sync": True}
    assert server.post("/game/createJoinPay", body)["roomId"] == "1"
    Job.objects.all().delete()
    return {"roomId": "1", "sessionJwts": [ada.jwt], "plyrIds": ["ada-lake"], "tokens": ["gold"], "amounts": [1]}


def refused(server, path, body) -> tuple[int, object]:
    with no_pot_moves():
        answer = server.post(path, body)
    assert not Job.objects.exists()
    assert answer["code"]
    return answer.status, answer["error"]


@pytest.mark.parametrize("path", SEATING)
@pytest.mark.parametrize("tokens", [[], None, {}, "jwt", 5])
def test_no_session_tokens(server, room, path, tokens):
    assert refused(server, path, {**room, "sessionJwts": tokens}) == (400, "sessionJwts is empty")


@pytest.mark.parametrize("path", SEATING)
def test_session_tokens_that_are_none_are_named_by_their_place(server, room, path):
    with no_pot_moves():
        answer = server.post(path, {**room, "sessionJwts": [*room["sessionJwts"], "x.y.z", None]})
    assert (answer.status, answer["error"]) == (401, "Invalid sessionJwts")
    assert answer["invalidPlyrIds"] == {"1": "Invalid sessionJwt", "2": "Invalid sessionJwt"}


@pytest.mark.parametrize("path", [*PAYING, *EARNING])
@pytest.mark.parametrize("tokens", [None, []])
def test_no_tokens(server, room, path, tokens):
    assert refused(server, path, {**room, "tokens": tokens}) == (401, "Token is required")


@pytest.mark.parametrize("path", [*PAYING, *EARNING])
@pytest.mark.parametrize("symbol", ["COPPER", "", "gold ", "ſold", 5, None, {}])
def test_a_token_that_is_none(server, room, path, symbol):
    assert refused(server, path, {**room, "tokens": [symbol]}) == (401, f"Invalid token: {symbol}")


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/game/pay", 401, SAME_LENGTH),
        ("/game/joinPay", 401, SAME_LENGTH),
        ("/game/createJoinPay", 401, SAME_LENGTH),
        ("/game/earn", 400, SAME_LENGTH),
        ("/game/earnLeave", 400, PARAMS),
        ("/game/earnLeaveEnd", 400, PARAMS),
    ],
)
@pytest.mark.parametrize("amounts", [[1, 2], [], None, "1", {"0": 1}])
def test_another_number_of_amounts_than_of_tokens(server, room, path, status, error, amounts):
    assert refused(server, path, {**room, "amounts": amounts}) == (status, error)


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/game/pay", 401, SAME_LENGTH),
        ("/game/joinPay", 400, PARAMS),
        ("/game/createJoinPay", 400, PARAMS),
        ("/game/earn", 400, SAME_LENGTH),
        ("/game/earnLeave", 400, PARAMS),
        ("/game/earnLeaveEnd", 400, PARAMS),
    ],
)
def test_another_number_of_players_than_of_tokens(server, room, path, status, error):
    body = {**room, "tokens": ["gold", "gold"], "amounts": [1, 1]}
    assert refused(server, path, body) == (status, error)


@pytest.mark.parametrize("path", [*PAYING, *EARNING])
@pytest.mark.parametrize(
    "amount",
    [
        -1,
        "-1",
        "1e2",
        "NaN",
        "Infinity",
        "",
        " 1",
        "+1",
        "0x10",
        "1,5",
        "1.001",
        0.001,
        True,
        None,
        [],
        {},
        "1" * 41,
        10**17,
    ],
)
def test_an_amount_that_is_none(server, room, path, amount):
    status, error = refused(server, path, {**room, "amounts": [amount]})
    assert (status, error) == (401, [f"Invalid amount: {str(amount)[:64]}"])


@pytest.mark.parametrize("path", [*PAYING, *EARNING])
@pytest.mark.parametrize("number", ["NaN", "1e400", "-Infinity", "1" * 41, "1e99999999"])
def test_a_number_that_json_has_not(server, room, path, number):
    body = json.dumps({**room, "amounts": ["?"]}).replace('"?"', number).encode()
    with no_pot_moves():
        answer = server.raw("POST", path, body)
    assert (answer.status, answer["code"]) == (400, "MALFORMED_JSON")


@pytest.mark.parametrize("path", [*PAYING, *EARNING])
def test_more_than_a_hundred_rows(server, room, path):
    many = {name: value * 101 for name, value in room.items() if isinstance(value, list)}
    many["sessionJwts"] = ["x"] * 101
    assert refused(server, path, {**room, **many}) == (400, PARAMS)


@pytest.mark.parametrize(
    "path", ["/game/join", "/game/leave", "/game/pay", "/game/joinPay", *EARNING, "/game/end", "/game/close"]
)
@pytest.mark.parametrize(
    ("room_id", "status", "error"),
    [
        (None, 400, "roomId is required"),
        ("", 400, "roomId is required"),
        (True, 400, PARAMS),
        ([1], 400, PARAMS),
        ({}, 400, PARAMS),
        (1.5, 400, PARAMS),
        ("x", 404, "Room not found"),
        ("01", 404, "Room not found"),
        (-1, 404, "Room not found"),
        (2, 404, "Room not found"),
        (2**63 - 1, 404, "Room not found"),
        (str(2**63), 404, "Room not found"),
        ("9" * 400, 404, "Room not found"),
        ("１", 404, "Room not found"),
    ],
)
def test_a_room_that_is_none(server, room, path, room_id, status, error):
    assert refused(server, path, {**room, "roomId": room_id}) == (status, error)


@pytest.mark.parametrize("room_id", [1, "1"])
def test_a_room_may_be_named_by_a_number_or_a_text(server, room, room_id):
    answer = server.post("/game/pay", {**room, "roomId": room_id, "sync": True})
    assert (answer["status"], answer["roomId"]) == ("SUCCESS", "1")


@pytest.mark.parametrize("path", EARNING)
@pytest.mark.parametrize(
    ("players", "status", "error"),
    [
        (None, 400, PARAMS),
        ([], 400, PARAMS),
        ("ada-lake", 400, PARAMS),
        ([5], 400, "Invalid PLYR[ID]"),
        (["a"], 400, "Invalid PLYR[ID]"),
        (["nobody"], 404, "User not found"),
    ],
)
def test_players_that_are_none(server, room, path, players, status, error):
    assert refused(server, path, {**room, "plyrIds": players}) == (status, error)


@pytest.mark.parametrize("name", ["expiresIn", "maxPlayers"])
@pytest.mark.parametrize("value", [0, -1, "0", "-5", 1.5, "1.5", "soon", True, [], {}, 10**15, "9" * 30, "１"])
def test_terms_of_a_room_that_are_none(server, room, name, value):
    for path in ("/game/create", "/game/createJoinPay"):
        assert refused(server, path, {**room, name: value}) == (400, PARAMS)


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"5", b'"x"', b"[{}]"], ids=["list", "null", "number", "text", "list of objects"]
)
def test_a_body_that_is_no_object(server, body):
    for path in ("/game/create", "/user/login", "/game/approve", "/instantPlayPass/register"):
        answer = server.raw("POST", path, body)
        assert (answer.status, answer["error"]) == (400, PARAMS)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"roomId": "\\u0000"}',
        b'{"roomId": "\\ud800"}',
        b'{"a": 1, "a": 2}',
        b"[" * 5_000,
        b'{"x":' * 40 + b"1" + b"}" * 40,
        b"\xff\xfe",
        b'{"x": "' + b"x" * 70_000 + b'"}',
    ],
    ids=["cut off", "NUL", "half a pair", "twice", "deep list", "deep object", "not UTF-8", "too long"],
)
def test_a_body_that_is_no_json(server, body):
    for path in ("/game/create", "/user/login", "/user/session/verify"):
        answer = server.raw("POST", path, body)
        assert answer.status in (400, 413)
        assert answer["code"] in ("MALFORMED_JSON", "BODY_TOO_LARGE")


def test_another_method_has_the_same_shape(server):
    answer = server.raw("DELETE", "/game/create", b"", signed=b"{}")
    assert (answer.status, answer["code"]) == (405, "METHOD_NOT_ALLOWED")


def test_older_clients_name_each_session_token(server, room):
    paid = server.post("/game/pay", {**room, "sessionJwts": {"ada-lake": room["sessionJwts"][0]}, "sync": True})
    assert paid["status"] == "SUCCESS"


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
OTHERS = [
    "/game/create",
    "/game/end",
    "/game/close",
    "/user/login",
    "/user/loginAndApprove",
    "/user/logout",
    "/user/session/verify",
    "/game/approve",
    "/game/revoke",
]
MEMBERS = [
    "roomId",
    "sessionJwts",
    "plyrIds",
    "tokens",
    "amounts",
    "expiresIn",
    "maxPlayers",
    "plyrId",
    "otp",
    "gameId",
    "token",
    "amount",
    "sessionJwt",
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from([*SEATING, *EARNING, *OTHERS]),
    body=st.dictionaries(st.sampled_from(MEMBERS), anything, max_size=6),
)
def test_nothing_that_is_sent_breaks_the_server_or_moves_money(server, room, path, body):
    with no_pot_moves():
        answer = server.raw("POST", path, json.dumps(body).encode())
        assert answer.status < 500, answer.body
    if answer.status >= 400:
        assert set(answer.body) >= {"error", "code"}
