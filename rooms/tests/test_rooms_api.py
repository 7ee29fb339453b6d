"""`/api/v1/game-rooms` as its clients see it: exact bodies, each documented sentence."""

from datetime import UTC, datetime

import pytest
import time_machine

from accounts.models import Game
from rooms import offers, tick
from rooms.models import Room, Session
from tests.support.books import nothing_moves

ROOMS = "/api/v1/game-rooms"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest.fixture
def body(game):
    return {
        "game_room": {"name": "Arena 4", "participation_amount": 10.50, "prizes_num": 3},
        "game_set_prizes": [
            {"rank": 1, "percent": 50.00},
            {"rank": 2, "percent": 30.00},
            {"rank": 3, "percent": 20.00},
        ],
        "game_type_id": game.pk,
    }


def error(status: int, message: str) -> dict:
    phrase = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 500: "Internal Server Error"}
    return {"statusCode": status, "message": message, "error": phrase[status]}


def test_a_master_creates_a_room(api, gold, master, body):
    answer = api(master).post(ROOMS, body)
    room = Room.objects.get()
    assert answer.status_code == 200
    assert answer.json() == {"message": "Game room created successfully", "data": {"id": room.pk, "name": "Arena 4"}}
    assert (room.entry_fee_minor, room.prize_shares_bp, room.max_participants) == (1_050, [5_000, 3_000, 2_000], 100)
    assert room.current_session.starts_at == START.replace(minute=3)


def test_a_masters_own_gap_is_kept_and_shown(api, gold, master, body):
    body["game_room"]["gap_seconds"] = 0
    room_id = api(master).post("/api/v1/game-rooms", body).json()["data"]["id"]
    api(master).patch(f"/api/v1/game-rooms?id={room_id}", {"game_room": {"gap_seconds": 30}})
    detail = api(master).get(f"/api/v1/game-rooms/find-by-id?room_id={room_id}").json()["data"]
    assert (detail["gap_seconds"], detail["pending_change"]) == (0, {"gap_seconds": 30})


def test_a_room_that_names_no_gap_takes_the_settings(api, gold, master, body, settings):
    settings.ROOM_GAP_SECONDS = 7
    room_id = api(master).post("/api/v1/game-rooms", body).json()["data"]["id"]
    assert Room.objects.get(pk=room_id).gap_seconds == 7


def test_a_room_without_a_name_gets_the_next_of_its_game(api, gold, master, body, settings):
    settings.DEFAULT_SYMBOL_GAME_ROOM = "GOLD"
    del body["game_room"]["name"]
    client = api(master)
    assert [client.post(ROOMS, body).json()["data"]["name"] for _ in range(2)] == ["GOLD_SLOT_001", "GOLD_SLOT_002"]


def test_no_name_can_be_generated_without_the_default_symbol(api, gold, master, body, settings):
    settings.DEFAULT_SYMBOL_GAME_ROOM = ""
    del body["game_room"]["name"]
    answer = api(master).post(ROOMS, body)
    assert (answer.status_code, answer.json()) == (500, error(500, "Default symbol not found"))
    assert not Room.objects.exists()


def set_in(path: str, value):
    def change(body):
        *parents, last = path.split(".")
        for parent in parents:
            body = body[int(parent) if parent.isdigit() else parent]
        if isinstance(body, list):
            body[int(last)] = value
        elif value is ...:
            del body[last]
        else:
            body[last] = value

    return change


NUMBER = "Game room prizes number must be equal to the number of prizes"
TOO_MUCH = "Game room participation amount must not be greater than 100"
TOO_SMALL = "The smallest possible prize pool would leave a prize of 0; raise the fee or the last percent"
REQUIRED = "Game room participation amount and prizes number are required"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_in("game_room.participation_amount", 0), "Game room participation amount must be greater than 0"),
        (set_in("game_room.participation_amount", ...), REQUIRED),
        (set_in("game_room.prizes_num", ...), REQUIRED),
        (set_in("game_room.prizes_num", 2), NUMBER),
        (set_in("game_room.participation_amount", 100.01), TOO_MUCH),
        (
            set_in("game_set_prizes.1.rank", 3),
            "Rank must be sequential starting from 1, but got rank 3 at position 2",
        ),
        (set_in("game_set_prizes.1.percent", 50), "Percent must decrease with rank, but rank 2 does not"),
        (set_in("game_set_prizes.2.percent", 10), "Total percent of prizes must equal 100, but is 90"),
        (set_in("game_room.max_participants", 2), "Game room max participants must be at least the number of prizes"),
        (set_in("game_room.gap_seconds", -1), "game_room.gap_seconds: A whole number from 0 to 604800 is required."),
        (set_in("game_room.max_participants", 101), "Game room max participants must not be greater than 100"),
        (set_in("game_room.participation_amount", 0.01), TOO_SMALL),
    ],
)  # fmt: skip
def test_terms_that_break_a_rule_are_refused_with_its_sentence(api, gold, master, body, change, message):
    body["game_set_prizes"][2]["percent"] = 20.00
    if message == TOO_SMALL:
        body["game_set_prizes"][0]["percent"], body["game_set_prizes"][1]["percent"] = 70, 29.99
        body["game_set_prizes"][2]["percent"] = 0.01
    change(body)
    answer = api(master).post(ROOMS, body)
    assert (answer.status_code, answer.json()) == (400, error(400, message))
    assert not Room.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        set_in("game_room.participation_amount", "ten"),
        set_in("game_room.participation_amount", -1),
        set_in("game_room.participation_amount", 10.505),
        set_in("game_room.participation_amount", True),
        set_in("game_room.participation_amount", [10]),
        set_in("game_room.prizes_num", "3"),
        set_in("game_room.prizes_num", 0),
        set_in("game_room.name", ""),
        set_in("game_room.name", "x" * 121),
        set_in("game_room.name", "new\u202eline"),
        set_in("game_room.owner_id", 1),
        set_in("game_room", []),
        set_in("game_set_prizes", {}),
        set_in("game_set_prizes", []),
        set_in("game_set_prizes.0.percent", "NaN"),
        set_in("game_set_prizes.0", 1),
        set_in("game_type_id", 0),
        set_in("game_type_id", 2**63),
        set_in("game_type_id", "1"),
        set_in("status", "delete"),
    ],
)
def test_garbage_is_a_400_in_this_apis_shape(api, gold, master, body, change):
    change(body)
    answer = api(master).post(ROOMS, body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"statusCode", "message", "error"}
    assert isinstance(answer.json()["message"], str)
    assert not Room.objects.exists()


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'{"a":1,"a":2}', b'{"a":NaN}', b"[" * 1_001, b'{"a":"\\u0000"}', b"\xff"]
)
@pytest.mark.parametrize("method", ["post", "patch"])
def test_a_body_that_is_no_object_is_a_400(api, master, raw, method):
    answer = getattr(api(master), method)(f"{ROOMS}?id=1", raw, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["statusCode"] == 400


def test_another_content_type_is_refused(api, master):
    assert api(master).post(ROOMS, "a=1", content_type="application/x-www-form-urlencoded").status_code == 415


def test_an_unknown_or_inactive_game_is_not_found(api, gold, master, game, body):
    game.status = Game.Status.INACTIVE
    game.save()
    answer = api(master).post(ROOMS, body)
    assert (answer.status_code, answer.json()) == (404, error(404, "Game list not found"))


def test_a_name_in_use_is_a_conflict_until_its_room_is_deleted(api, gold, master, body):
    client = api(master)
    first = client.post(ROOMS, body).json()["data"]["id"]
    answer = client.post(ROOMS, body)
    assert (answer.status_code, answer.json()) == (409, error(409, "Game room name already exists"))
    client.delete(f"{ROOMS}?id={first}")
    assert client.post(ROOMS, body).status_code == 200


def test_players_cannot_create_change_or_delete(api, make_room, player, body):
    room = make_room()
    client = api(player)
    with nothing_moves():
        for answer in (
            client.post(ROOMS, body),
            client.patch(f"{ROOMS}?id={room.pk}", {"name_new": "mine"}),
            client.delete(f"{ROOMS}?id={room.pk}"),
        ):
            assert (answer.status_code, answer.json()) == (403, error(403, "User is not master"))


def test_a_masters_room_is_unknown_to_another_master(api, make_room, rival):
    rival.is_master = True
    rival.save()
    room = make_room()
    for answer in (
        api(rival).patch(f"{ROOMS}?id={room.pk}", {"name_new": "mine"}),
        api(rival).delete(f"{ROOMS}?id={room.pk}"),
    ):
        assert (answer.status_code, answer.json()) == (404, error(404, "Game room not found"))


def test_without_a_token_nothing_is_told(api, make_room):
    unauthorized = {"statusCode": 401, "message": "Unauthorized", "error": "Unauthorized"}
    for path in (ROOMS, f"{ROOMS}/find-by-id?room_id={make_room().pk}", "/api/v1/game-join-rooms"):
        answer = api(None).get(path)
        assert (answer.status_code, answer.json()) == (401, unauthorized)


def test_the_list_shows_rooms_with_their_current_session(api, make_room, master, player, fund, join, game):
    room = make_room(name="Arena", symbol="A", max_participants=3)
    fund(player, 5_000)
    join(room, player, now=START)
    answer = api(player).get(ROOMS + "/")
    session = Session.objects.get()
    assert answer.json() == {
        "message": "Game rooms fetched successfully",
        "data": [
            {
                "id": room.pk,
                "name": "Arena",
                "symbol": "A",
                "participation_amount": 10,
                "prizes_num": 3,
                "total_amount": 10,
                "game_type_id": {"id": game.pk, "name": "Slot Machine", "symbol": "SLOT", "status": "active"},
                "status": "wait",
                "owner_id": {"id": master.pk, "username": "master"},
                "current_session": {
                    "id": session.pk,
                    "status": "pending",
                    "time_start": "2026-03-01T12:03:00.000Z",
                    "time_end": "2026-03-01T12:04:00.000Z",
                    "session": str(int(START.timestamp() * 1000)),
                    "participants_count": 1,
                    "max_participants": 3,
                    "can_join": True,
                },
                "event_seq": 2,
            }
        ],
        "pagination": {"page": 1, "limit": 10, "total": 1, "totalPages": 1, "hasNext": False, "hasPrev": False},
    }


def test_the_list_is_paged_newest_first(api, make_room, player):
    rooms = [make_room().pk for _ in range(5)]
    answer = api(player).get(ROOMS, {"page": 2, "limit": 2}).json()
    assert [room["id"] for room in answer["data"]] == [rooms[2], rooms[1]]
    assert answer["pagination"] == {
        "page": 2, "limit": 2, "total": 5, "totalPages": 3, "hasNext": True, "hasPrev": True,
    }  # fmt: skip


@pytest.mark.parametrize("value", ["", "0", "-1", "+1", "01", " 1", "1.0", "1e0", "x", "%D9%A1", str(2**63)])
@pytest.mark.parametrize("name", ["room_id", "host_id", "game_type_id"])
def test_a_filter_that_is_no_id_is_a_400_and_never_ignored(api, make_room, player, name, value):
    make_room()
    answer = api(player).get(f"{ROOMS}?{name}={value}")
    assert (answer.status_code, answer.json()["message"][: len(name) + 1]) == (400, f"{name}:")


def test_the_list_filters(api, make_room, player, rival, game):
    rival.is_master = True
    rival.save()
    other_game = Game.objects.create(name="Poker", symbol="POKER")
    mine, theirs = make_room(), make_room(actor=rival, game_id=other_game.pk)
    found = lambda **query: [room["id"] for room in api(player).get(ROOMS, query).json()["data"]]  # noqa: E731
    assert found(room_id=mine.pk) == [mine.pk]
    assert found(host_id=rival.pk) == [theirs.pk]
    assert found(game_type_id=game.pk) == [mine.pk]
    assert found(host="RIV") == [theirs.pk]
    assert found(host="nobody") == []
    assert found(room_id=theirs.pk, host="master") == []


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=x", "limit=101", "limit=0", "limit=-1", "room_id=x", "room_id=0", "host_id=9223372036854775808",
     "game_type_id=1.5", "host=%00", "page=99999999999"],
)  # fmt: skip
def test_a_filter_that_cannot_be_is_a_400(api, player, query):
    answer = api(player).get(f"{ROOMS}?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"] == "Bad Request"


def test_the_list_takes_four_statements_whatever_the_number_of_rooms(
    api, make_room, player, django_assert_max_num_queries
):
    client = api(player)
    for _ in range(12):
        make_room()
    with django_assert_max_num_queries(4):
        assert len(client.get(ROOMS, {"limit": 100}).json()["data"]) == 12


def test_one_room_with_its_prizes_and_joiners(api, make_room, player, rival, fund, join):
    room = make_room()
    fund(rival, 1_000)
    place = join(room, rival, now=START)
    answer = api(player).get(f"{ROOMS}/find-by-id", {"room_id": room.pk})
    detail = answer.json()["data"]
    assert answer.json()["message"] == "Game room details fetched successfully"
    assert detail["game_set_prizes"] == [
        {"rank": 1, "percent": 50},
        {"rank": 2, "percent": 30},
        {"rank": 3, "percent": 20},
    ]
    assert detail["join_room_num"] == 1
    assert detail["joiners"] == [
        {
            "username": "rival",
            "amount": 10,
            "status": "executed",
            "time_join": "2026-03-01T12:00:00.000Z",
            "tx_hash": place.tx_hash,
        }
    ]
    assert detail["status"] == "wait"


@pytest.mark.parametrize(("query", "status"), [("room_id=999999", 404), ("room_id=abc", 400), ("", 400)])
def test_a_room_that_is_not_there(api, player, query, status):
    answer = api(player).get(f"{ROOMS}/find-by-id?{query}")
    assert answer.status_code == status
    if status == 404:
        assert answer.json() == error(404, "Game room not found")


def test_both_forms_of_an_edit_wait_for_the_live_session(api, make_room, master, at_noon):
    room = make_room(name="old")
    client = api(master)
    flat = {"name_new": "Arena 59", "symbol": "SYM 1", "participation_amount_new": 30}
    answer = client.patch(f"{ROOMS}?id={room.pk}", flat)
    assert (answer.status_code, answer.json()["message"]) == (200, "Game room updated successfully")
    assert answer.json()["data"] == {"id": room.pk, "name": "old", "applied": False}
    nested = {
        "game_room": {"participation_amount": 25.00, "prizes_num": 2},
        "game_set_prizes": [{"rank": 1, "percent": 60.00}, {"rank": 2, "percent": 40.00}],
    }
    assert client.patch(f"{ROOMS}/?id={room.pk}", nested).status_code == 200
    detail = client.get(f"{ROOMS}/find-by-id?room_id={room.pk}").json()["data"]
    assert (detail["name"], detail["participation_amount"]) == ("old", 10)
    assert detail["pending_change"] == {
        "name": "Arena 59",
        "symbol": "SYM 1",
        "participation_amount": 25,
        "game_set_prizes": [{"rank": 1, "percent": 60}, {"rank": 2, "percent": 40}],
    }
    at_noon.shift(180)
    tick.advance(now=datetime.now(UTC))
    detail = api(master).get(f"{ROOMS}/find-by-id?room_id={room.pk}").json()["data"]
    assert (detail["name"], detail["participation_amount"], detail["prizes_num"]) == ("Arena 59", 25, 2)
    assert "pending_change" not in detail


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Nothing to update"),
        ({"game_room": {"prizes_num": 2}}, NUMBER),
        ({"game_set_prizes": [{"rank": 1, "percent": 100}], "game_room": {"prizes_num": 2}}, NUMBER),
        ({"participation_amount_new": 0}, "Game room participation amount must be greater than 0"),
    ],
)
def test_an_edit_that_breaks_a_rule_changes_nothing(api, make_room, master, body, message):
    room = make_room()
    answer = api(master).patch(f"{ROOMS}?id={room.pk}", body)
    assert (answer.status_code, answer.json()) == (400, error(400, message))
    room.refresh_from_db()
    assert room.pending_change is None


def test_a_pending_name_is_taken(api, make_room, master):
    first, second = make_room(), make_room()
    client = api(master)
    client.patch(f"{ROOMS}?id={first.pk}", {"name_new": "wanted"})
    assert client.patch(f"{ROOMS}?id={second.pk}", {"name_new": "wanted"}).status_code == 409


def test_a_deleted_room_is_hidden_and_cannot_be_deleted_again(api, make_room, master, player):
    room = make_room()
    client = api(master)
    answer = client.delete(f"{ROOMS}?id={room.pk}")
    assert (answer.status_code, answer.json()) == (200, {"message": "Game room deleted successfully"})
    assert api(player).get(ROOMS).json()["data"] == []
    again = client.delete(f"{ROOMS}?id={room.pk}")
    assert (again.status_code, again.json()) == (404, error(404, "Game room not found"))


def test_a_room_is_inactive_when_switched_off_and_runs_while_its_session_does(
    api, make_room, master, player, people, fund, join, at_noon
):
    room = make_room()
    for guest in people(3):
        fund(guest, 1_000)
        join(room, guest, now=START)
    at_noon.shift(181)
    tick.advance(now=datetime.now(UTC))
    status = lambda: api(player).get(ROOMS).json()["data"][0]["status"]  # noqa: E731
    assert status() == "run"
    offers.switch_room(actor=master, room_id=room.pk, on=False, now=START)
    assert status() == "inactive"
