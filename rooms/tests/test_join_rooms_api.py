"""`/api/v1/game-join-rooms` as its clients see it: exact bodies, documented sentences, nothing moves on a no."""

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
import time_machine

from rooms import offers, tick
from rooms.models import Participant, Session
from tests.support.books import balance, findings, nothing_moves

STATEMENTS = (
    *("BEGIN", "COMMIT", "RELEASE SAVEPOINT", "SAVEPOINT", "idempotency_claim", "session_join(", "membership_settle"),
    *("core_idempotencyrecord", "accounts_user"),
)
JOINS = "/api/v1/game-join-rooms"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STARTS_AT = START + timedelta(minutes=3)
CODE = str(int(START.timestamp() * 1000))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def pass_to(clock, moment: datetime) -> None:
    clock.move_to(moment)
    tick.advance(now=moment)


@pytest.fixture
def room(make_room, fund, player, rival):
    fund(player, 5_000)
    fund(rival, 5_000)
    return make_room(name="Arena", symbol="A", entry_fee_minor=1_050, max_participants=4)


@pytest.fixture
def session(room) -> Session:
    return Session.objects.get(pk=room.current_session_id)


@pytest.fixture
def request_body(room, session):
    return {"session_id": session.pk, "room_id": room.pk, "amount": 10.5}


def error(status: int, message: str) -> dict:
    phrase = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}[status]
    return {"statusCode": status, "message": message, "error": phrase}


def refused(client, body, status, message):
    with nothing_moves():
        answer = client.post(JOINS, body)
    assert (answer.status_code, answer.json()) == (status, error(status, message))


def test_a_join(api, room, session, player, request_body):
    answer = api(player).post(JOINS, request_body)
    place = Participant.objects.get()
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "message": "Successfully joined game room",
            "data": {
                "id": place.pk,
                "public_id": str(place.public_id),
                "session_id": session.pk,
                "room_id": room.pk,
                "wallet_address": "wallet-of-player",
                "amount": 10.5,
                "time_join": "2026-03-01T12:00:00.000Z",
                "status": "executed",
                "tx_hash": place.entry_tx_hash,
                "participants_count": 1,
                "user": {"id": player.pk, "username": "player"},
            },
        },
    )
    assert balance(player) == 3_950


@pytest.mark.parametrize("amount", [10.5, "10.50", "10.5"])
def test_the_amount_may_be_a_number_or_a_text(api, player, request_body, amount):
    assert api(player).post(JOINS + "/", {**request_body, "amount": amount}).status_code == 201


def test_the_refusals_of_the_contracts_table(api, room, session, player, rival, people, fund, request_body, clock):
    client = api(player)
    refused(client, {**request_body, "room_id": 999_999}, 404, "Game room not found")
    refused(client, {**request_body, "session_id": 999_999}, 404, "Game session not found")
    wrong = "Amount must equal the participation amount of this session (10.50)"
    refused(client, {**request_body, "amount": 10}, 400, wrong)
    poor = people(1)[0]
    refused(api(poor), request_body, 400, "Insufficient balance")
    poor.wallet_address = None
    poor.save()
    refused(api(poor), request_body, 400, "Wallet not connected")
    clock.move_to(START - timedelta(seconds=1))
    early = "Session has not started yet. Please wait for the session to begin."
    refused(api(player), request_body, 400, early)
    clock.move_to(START)
    assert client.post(JOINS, request_body).status_code == 201
    refused(client, request_body, 409, "You have already joined this room")
    for guest in people(3):
        fund(guest, 2_000)
        assert api(guest).post(JOINS, request_body).status_code == 201
    full = "Session has reached the maximum number of participants."
    refused(api(rival), request_body, 400, full)
    clock.move_to(STARTS_AT)
    late = "Session has already started for more than 3 minutes. You cannot join now."
    refused(api(rival), request_body, 400, late)
    assert findings() == []


@pytest.mark.parametrize(
    "change",
    [
        {"amount": -10.5},
        {"amount": 10.555},
        {"amount": "1e1"},
        {"amount": "１０"},
        {"amount": None},
        {"amount": 10**40},
        {"session_id": 0},
        {"session_id": -1},
        {"session_id": 2**63},
        {"session_id": "53"},
        {"session_id": 1.5},
        {"session_id": True},
        {"room_id": [1]},
        {"user_id": 1},
    ],
)
def test_garbage_is_a_400_and_nothing_moves(api, player, request_body, change):
    with nothing_moves():
        answer = api(player).post(JOINS, {**request_body, **change})
    assert answer.status_code == 400
    assert set(answer.json()) == {"statusCode", "message", "error"}


@pytest.mark.parametrize("missing", ["session_id", "room_id", "amount"])
def test_a_missing_field_is_a_400(api, player, request_body, missing):
    del request_body[missing]
    with nothing_moves():
        assert api(player).post(JOINS, request_body).status_code == 400


def test_the_same_key_and_body_answer_the_first_join(api, player, request_body):
    client = api(player)
    first = client.post(JOINS, request_body, headers={"Idempotency-Key": "tap-1"})
    with nothing_moves():
        again = client.post(JOINS, request_body, headers={"Idempotency-Key": "tap-1"})
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


def test_the_same_key_with_another_body_is_refused(api, player, request_body):
    client = api(player)
    client.post(JOINS, request_body, headers={"Idempotency-Key": "tap-1"})
    with nothing_moves():
        other = client.post(JOINS, {**request_body, "amount": 11}, headers={"Idempotency-Key": "tap-1"})
    assert other.status_code == 422


def test_a_join_whose_answer_cannot_be_kept_moves_nothing(api, player, request_body, monkeypatch):
    client = api(player)
    client.raise_request_exception = False
    with monkeypatch.context() as broken, nothing_moves():
        broken.setattr("core.idempotency.keep", mock.Mock(side_effect=RuntimeError("lost")))
        first = client.post(JOINS, request_body, headers={"Idempotency-Key": "tap-1"})
    assert first.status_code == 500
    again = client.post(JOINS, request_body, headers={"Idempotency-Key": "tap-1"})
    assert again.status_code == 201
    assert "Idempotency-Replayed" not in again.headers


@pytest.mark.django_db(transaction=True)
def test_a_join_is_one_transaction_and_its_membership_another(api, player, request_body, django_assert_num_queries):
    client = api(player)
    with django_assert_num_queries(11) as seen:
        client.post(JOINS, request_body, headers={"Idempotency-Key": "tap-1"})
    statements = [query["sql"] for query in seen.captured_queries]
    assert [next(name for name in STATEMENTS if name in text) for text in statements] == [
        *("accounts_user", "BEGIN", "idempotency_claim", "SAVEPOINT", "session_join(", "RELEASE SAVEPOINT"),
        *("core_idempotencyrecord", "COMMIT", "BEGIN", "membership_settle", "COMMIT"),
    ]


def test_leaving(api, room, session, player, request_body):
    client = api(player)
    place = client.post(JOINS, request_body).json()["data"]["id"]
    answer = client.post(f"{JOINS}/leave", {"session_id": session.pk})
    row = Participant.objects.get(pk=place)
    assert answer.json() == {
        "message": "Successfully left game room",
        "data": {"id": place, "status": "cancelled", "tx_hash": row.refund_tx_hash, "participants_count": 0},
    }
    assert balance(player) == 5_000
    with nothing_moves():
        again = client.post(f"{JOINS}/leave", {"session_id": session.pk})
    assert (again.status_code, again.json()) == (409, error(409, "You have not joined this session"))
    assert client.post(JOINS, request_body).status_code == 201


@pytest.fixture
def joined(api, player, rival, request_body):
    """Player's and rival's places, in this order."""
    return [api(who).post(JOINS, request_body).json()["data"] for who in (player, rival)]


def pages(total: int, *, limit: int = 10) -> dict:
    return {
        "page": 1,
        "limit": limit,
        "total": total,
        "totalPages": -(-total // limit),
        "hasNext": False,
        "hasPrev": False,
    }


def participation(place: dict, who, room, session, *, status="executed", session_status="pending") -> dict:
    return {
        "id": place["id"],
        "wallet_address": f"wallet-of-{who.username}",
        "amount": 10.5,
        "time_join": "2026-03-01T12:00:00.000Z",
        "status": status,
        "tx_hash": place["tx_hash"],
        "session": {
            "id": session.pk,
            "session": CODE,
            "time_start": "2026-03-01T12:03:00.000Z",
            "status": session_status,
        },
        "room": {"id": room.pk, "name": "Arena", "participation_amount": 10.5, "prizes_num": 3},
        "user": {"id": who.pk, "username": who.username},
    }


def test_the_list_of_participations(api, room, session, player, rival, joined):
    answer = api(player).get(JOINS, {"session_id": session.pk, "room_id": room.pk})
    assert answer.json() == {
        "message": "Game join room fetched successfully",
        "data": [
            participation(joined[1], rival, room, session),
            participation(joined[0], player, room, session),
        ],
        "pagination": pages(2),
    }
    assert api(player).get(f"{JOINS}/by-room", {"room_id": room.pk}).json() == answer.json()
    assert api(player).get(JOINS, {"session_id": 999_999}).json()["data"] == []


def test_the_joiners_of_a_session(api, room, session, player, rival, joined):
    player.avatar = "https://pictures.example/p.png"
    player.save()
    answer = api(rival).get(f"{JOINS}/joiners", {"room_id": room.pk}).json()
    assert answer["totalAmount"] == 21
    assert answer["currentSession"] == {
        "id": session.pk,
        "session": CODE,
        "time_start": "2026-03-01T12:03:00.000Z",
    }
    assert answer["pagination"] == pages(2)
    assert answer["data"][0] == {
        **participation(joined[0], player, room, session),
        "amount": "10.5",
        "room": {"id": room.pk, "name": "Arena", "symbol": "A"},
        "user": {
            "id": player.pk,
            "username": "player",
            "fullname": "Paula Player",
            "avatar": "https://pictures.example/p.png",
        },
    }
    assert api(rival).get(f"{JOINS}/joiners", {"session_id": session.pk}).json() == answer
    assert [row["id"] for row in api(rival).get(f"{JOINS}/joiners").json()["data"]] == [
        joined[1]["id"],
        joined[0]["id"],
    ]
    assert api(rival).get(f"{JOINS}/joiners", {"session_id": 999_999}).status_code == 404


def test_one_joiner_flat_and_in_detail(api, room, session, player, rival, master, game, joined):
    answer = api(player).get(f"{JOINS}/joiner", {"join_id": joined[0]["id"]}).json()
    flat = {
        "id": joined[0]["id"],
        "wallet_address": "wallet-of-player",
        "amount": "10.5",
        "total_amount": "21",
        "hash": joined[0]["tx_hash"],
        "time_join": "2026-03-01T12:00:00.000Z",
        "status": "executed",
    }
    detail = answer.pop("data")
    assert answer == flat
    assert detail == {
        **flat,
        "tx_hash": joined[0]["tx_hash"],
        "user": {"id": player.pk, "username": "player", "email": "player@example.com"},
        "session": {
            "id": session.pk,
            "status": "pending",
            "time_start": "2026-03-01T12:03:00.000Z",
            "session": CODE,
        },
        "room": {
            "id": room.pk,
            "name": "Arena",
            "symbol": "A",
            "game_type_id": {"id": game.pk, "name": "Slot Machine", "symbol": "SLOT"},
            "owner_id": {"id": master.pk, "username": "master"},
        },
    }
    seen_by_rival = api(rival).get(f"{JOINS}/joiner", {"join_id": joined[0]["id"]}).json()
    assert seen_by_rival["data"]["user"]["email"] is None


def test_a_joiner_that_is_not_there(api, player):
    answer = api(player).get(f"{JOINS}/joiner", {"join_id": 999_999})
    assert (answer.status_code, answer.json()) == (404, error(404, "Joiner not found"))
    assert api(player).get(f"{JOINS}/joiner").status_code == 400


def test_own_rooms_show_the_newest_session_that_counts(api, room, session, player, rival, joined, clock):
    own = lambda who: api(who).get(f"{JOINS}/joiner-by-room").json()["data"]  # noqa: E731
    assert own(player) == [participation(joined[0], player, room, session)]
    pass_to(clock, STARTS_AT)
    # Two players for three prizes: the session went out, and does not count any more.
    assert own(player) == []


@pytest.fixture
def gone_out(clock, joined, session):
    pass_to(clock, STARTS_AT)
    session.refresh_from_db()
    assert session.status == "out"
    return session


def refunded(place: dict, who) -> dict:
    return {
        "id": place["id"],
        "wallet_address": f"wallet-of-{who.username}",
        "amount": "10.5",
        "time_join": "2026-03-01T12:00:00.000Z",
        "status": "refunded",
        "user": {"id": who.pk, "username": who.username},
    }


def test_expired_sessions_with_who_was_in_them(api, room, gone_out, player, rival, joined):
    answer = api(player).get(f"{JOINS}/expired-sessions").json()
    assert answer == {
        "data": [
            {
                "session": {
                    "id": gone_out.pk,
                    "session": CODE,
                    "time_start": "2026-03-01T12:03:00.000Z",
                    "status": "out",
                    "room_id": room.pk,
                },
                "participants": [refunded(joined[0], player), refunded(joined[1], rival)],
                "required_prizes": 3,
                "participants_count": 2,
                "is_insufficient": True,
            }
        ],
        "pagination": pages(1),
    }


def test_the_joiners_who_were_refunded(api, gone_out, player, rival, joined):
    answer = api(player).get(f"{JOINS}/joiners-refund", {"session_id": gone_out.pk}).json()
    assert answer == {
        "message": "Joiners refund data retrieved successfully",
        "data": [refunded(joined[0], player), refunded(joined[1], rival)],
        "pagination": pages(2),
    }
    missing = api(player).get(f"{JOINS}/joiners-refund", {"session_id": 999_999})
    assert (missing.status_code, missing.json()) == (404, error(404, "Session not found"))


def test_processing_a_refund_answers_the_record_every_time(api, gone_out, player, rival, master, staff, joined):
    path = f"{JOINS}/process-refund?session_id={gone_out.pk}"
    with nothing_moves():
        answers = [api(who).post(path) for who in (master, staff, master)]
    body = answers[0].json()
    assert [answer.json() for answer in answers] == [body] * 3
    assert body["message"] == "Expired session refund processed successfully"
    assert body["data"]["financial_summary"] == {"total_original_amount": 21, "total_refund_amount": 21}
    first = body["data"]["processed_participants"][0]
    assert {key: first[key] for key in ("id", "wallet_address", "original_amount", "refund_amount", "user")} == {
        "id": joined[0]["id"],
        "wallet_address": "wallet-of-player",
        "original_amount": 10.5,
        "refund_amount": 10.5,
        "user": {"id": player.pk, "username": "player"},
    }
    assert balance(player) == balance(rival) == 5_000


def test_who_may_not_process_a_refund(api, session, joined, player, rival, master):
    path = f"{JOINS}/process-refund?session_id="
    rival.is_master = True
    rival.save()
    for who, session_id, status, message in (
        (player, session.pk, 403, "User is not master"),
        (rival, session.pk, 404, "Session not found"),
        (master, 999_999, 404, "Session not found"),
        (master, session.pk, 400, "Session is not out, there is nothing to refund"),
    ):
        with nothing_moves():
            answer = api(who).post(f"{path}{session_id}")
        assert (answer.status_code, answer.json()) == (status, error(status, message))


def test_the_three_messages_about_a_new_session(api, room, session, player, make_room, clock):
    check = lambda room_id: api(player).get(f"{JOINS}/check-new-session", {"room_id": room_id})  # noqa: E731
    assert check(room.pk).json() == {
        "message": "New session is available",
        "data": {
            "room_id": room.pk,
            "latest_session_id": session.pk,
            "session_status": "pending",
            "session_available": True,
            "can_join": True,
            "session_start_time": "2026-03-01T12:03:00.000Z",
            "message": "You can join the new session now",
        },
    }
    pass_to(clock, STARTS_AT)
    answer = check(room.pk).json()
    assert answer["message"] == "No new session available yet"
    assert (answer["data"]["session_status"], answer["data"]["can_join"]) == ("out", False)
    bare = make_room()
    bare.current_session = None
    bare.save()
    bare.sessions.update(room=room, status="out")
    assert check(bare.pk).json()["message"] == "No session found for this room"
    assert check(999_999).json() == error(404, "Game room not found")


def test_the_results_of_a_session_and_how_they_came_about(
    api, session, player, people, fund, joined, request_body, clock
):
    guest = people(1)[0]
    fund(guest, 2_000)
    api(guest).post(JOINS, request_body)
    path = f"/api/v1/game-rooms/sessions/{session.pk}"
    assert api(player).get(f"{path}/results").json()["data"]["standings"] == []
    pass_to(clock, STARTS_AT)
    pass_to(clock, STARTS_AT + timedelta(minutes=1))
    data = api(player).get(f"{path}/results/").json()["data"]
    assert (data["outcome"], data["total_amount"], data["session"]["status"]) == ("settled", 31.5, "end")
    assert [(row["rank"], row["percent"], row["prize"]) for row in data["standings"]] == [
        (1, 50, 15.75),
        (2, 30, 9.45),
        (3, 20, 6.3),
    ]
    assert data["standings"][0]["how"] == "31.5 × 50 % = 15.75 → 15.75"
    detail = api(player).get(path).json()["data"]
    assert (detail["status"], detail["total_amount"], detail["can_join"]) == ("end", 0, False)


def test_the_proof_reveals_step_by_step(api, room, session, player, people, fund, joined, request_body, clock):
    guest = people(1)[0]
    fund(guest, 2_000)
    api(guest).post(JOINS, request_body)
    path = f"/api/v1/game-rooms/sessions/{session.pk}/proof"
    proof = lambda: api(player).get(path).json()["data"]  # noqa: E731
    begun = proof()
    assert (begun["commit"], begun["roster"], begun["seed"], begun["entries"]) == (session.draw_commit, None, None, [])
    pass_to(clock, STARTS_AT)
    locked = proof()
    assert (len(locked["entries"]), locked["seed"]) == (3, None)
    assert locked["roster"]
    pass_to(clock, STARTS_AT + timedelta(minutes=1))
    done = proof()
    assert [entry["rank"] for entry in done["entries"]] == [1, 2, 3]
    assert sum(entry["prize_minor"] for entry in done["entries"]) == done["pool_minor"] == 3_150
    assert (done["commit"], done["roster"]) == (begun["commit"], locked["roster"])


@pytest.mark.parametrize("session_id", ["999999", "9223372036854775807", "99999999999999999999"])
def test_a_session_that_is_not_there(api, player, session_id):
    assert api(player).get(f"/api/v1/game-rooms/sessions/{session_id}/results").status_code == 404


def test_a_deleted_rooms_session_finishes_and_its_results_stay(api, room, session, master, player, joined, clock):
    offers.delete_room(actor=master, room_id=room.pk, now=START)
    pass_to(clock, STARTS_AT)
    answer = api(player).get(f"/api/v1/game-rooms/sessions/{session.pk}/results").json()
    assert answer["data"]["outcome"] == "refunded"
    assert balance(player) == 5_000
