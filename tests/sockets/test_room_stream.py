"""The live stream of a room against the real server: a snapshot plus the events is what a fresh snapshot shows,
through the loss of Redis and of the web process."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts.credentials import access_token
from core.db import clock
from core.tests.servers import Valkey
from rooms import entry, offers, tick
from rooms.models import RoomEvent, Session
from rooms.terms import TermsChange
from tests.support.books import findings
from tests.support.servers import WebServer, environment

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def servers(django_db_setup, tmp_path_factory) -> Iterator[tuple[Valkey, WebServer]]:
    """A Valkey and a web process for all tests of the module: each test has rooms of its own."""
    folder = tmp_path_factory.mktemp("streams")
    valkey = Valkey(folder)
    valkey.start()
    web = WebServer(environment(folder, REDIS_URL=valkey.url)).start()
    yield valkey, web
    web.kill()
    valkey.stop()


@pytest.fixture
def valkey(servers, settings) -> Valkey:
    settings.REDIS_URL = servers[0].url
    return servers[0]


@pytest.fixture
def web(valkey, servers, transactional_db) -> WebServer:
    return servers[1]


@pytest.fixture
def token(player) -> str:
    return access_token(player, now=clock.now())


@pytest.fixture
def room(make_room, people, fund):
    return make_room(max_participants=5)


def opened(web: WebServer, path: str) -> ClientConnection:
    return connect(f"{web.ws_url}{path}", open_timeout=10)


def received(socket: ClientConnection, timeout: float = 10) -> dict[str, Any]:
    return json.loads(socket.recv(timeout=timeout))


def fresh(web: WebServer, room, token: str) -> dict[str, Any]:
    with opened(web, f"/ws/game-rooms/{room.pk}?token={token}") as socket:
        return received(socket)


def applied(state: dict[str, Any], frame: dict[str, Any]) -> None:
    """What any client does with an event: the whole of the stream's contract, in a few lines."""
    assert frame["seq"] == state["seq"] + 1
    state["seq"] = frame["seq"]
    data, shown = frame["data"], state["data"]
    match frame["type"]:
        case "session.opened":
            shown.update(session=data["session"], joiners=[], results=[])
        case "participant.joined":
            shown["joiners"].append({"join_id": data["join_id"], "user": data["user"]})
            shown["session"]["participants_count"] = data["participants_count"]
        case "participant.left":
            shown["joiners"] = [joiner for joiner in shown["joiners"] if joiner["join_id"] != data["join_id"]]
            shown["session"]["participants_count"] = data["participants_count"]
        case "session.running":
            shown["session"].update(status="running", draw_roster=data["draw_roster"], time_end=data["time_end"])
        case "session.out":
            shown["session"]["status"] = "out"
        case "session.ended":
            shown["session"]["status"] = "end"
            shown["results"] = data["results"]
        case "room.changed":
            shown["room"] = data["room"]


def joins(room, session, guest):
    entry.join_session(
        room_id=room.pk,
        session_id=session.pk,
        player=guest,
        amount_minor=session.entry_fee_minor,
        now=session.opens_at,
        request_key=None,
    )


def live(room, people, fund, master) -> None:
    """A session of the room from its first join to prizes, an edit that waits, a departure, and the next opening."""
    room.refresh_from_db()
    session = Session.objects.get(pk=room.current_session_id)
    guests = people(4)
    for guest in guests:
        fund(guest, 5_000)
        joins(room, session, guest)
    entry.leave_session(session_id=session.pk, player=guests[0], now=session.opens_at, request_key=None)
    change = TermsChange(entry_fee_minor=session.entry_fee_minor + 50, symbol="new")
    offers.edit_room(actor=master, room_id=room.pk, change=change, now=session.opens_at)
    tick.advance(now=session.starts_at)
    tick.advance(now=session.ends_at)
    tick.advance(now=session.ends_at + timedelta(seconds=10))


def followed(socket: ClientConnection, state: dict[str, Any], until: int) -> None:
    deadline = time.monotonic() + 20
    while state["seq"] < until:
        applied(state, received(socket, timeout=max(0.1, deadline - time.monotonic())))


def comparable(frame: dict[str, Any]) -> dict[str, Any]:
    return {"seq": frame["seq"], "data": frame["data"]}


def latest(room) -> int:
    return RoomEvent.objects.filter(room=room).latest("seq").seq


def test_a_snapshot_and_its_events_are_a_fresh_snapshot(web, room, token, people, fund, master):
    with opened(web, f"/ws/game-rooms/{room.pk}?token={token}") as socket:
        state = received(socket)
        assert state["type"] == "snapshot"
        live(room, people, fund, master)
        live(room, people, fund, master)
        followed(socket, state, latest(room))
    assert comparable(state) == comparable(fresh(web, room, token))
    assert findings() == []


def test_a_client_that_was_away_resumes_without_gap_or_repeat(web, room, token, people, fund, master):
    state = fresh(web, room, token)
    live(room, people, fund, master)
    with opened(web, f"/ws/game-rooms/{room.pk}?token={token}&since={state['seq']}") as socket:
        assert received(socket) == {"type": "resumed", "seq": state["seq"], "room_id": room.pk}
        followed(socket, state, latest(room))
    assert comparable(state) == comparable(fresh(web, room, token))


def test_a_client_too_far_behind_or_ahead_gets_a_snapshot_and_is_told(web, room, token, people, fund, master):
    live(room, people, fund, master)
    RoomEvent.objects.filter(room=room, seq__lte=3).delete()
    for since in (1, 999_999):
        with opened(web, f"/ws/game-rooms/{room.pk}?token={token}&since={since}") as socket:
            first = received(socket)
            assert (first["type"], first["recovered"], first["seq"]) == ("snapshot", False, latest(room))


def test_redis_lost_and_back_the_stream_catches_up_and_no_money_is_lost(web, valkey, room, token, people, fund, master):
    with opened(web, f"/ws/game-rooms/{room.pk}?token={token}") as socket:
        state = received(socket)
        valkey.stop()
        live(room, people, fund, master)
        valkey.start()
        followed(socket, state, latest(room))
        live(room, people, fund, master)
        followed(socket, state, latest(room))
    assert comparable(state) == comparable(fresh(web, room, token))
    assert findings() == []


def test_the_web_process_killed_the_client_resumes_at_another(web, room, token, people, fund, master):
    with opened(web, f"/ws/game-rooms/{room.pk}?token={token}") as socket:
        state = received(socket)
        web.kill()
        with pytest.raises(ConnectionClosed):
            received(socket)
    live(room, people, fund, master)
    web.start()
    with opened(web, f"/ws/game-rooms/{room.pk}?token={token}&since={state['seq']}") as socket:
        assert received(socket)["type"] == "resumed"
        followed(socket, state, latest(room))
    assert comparable(state) == comparable(fresh(web, room, token))


def test_the_lobby_tells_of_every_room(web, make_room, token, people, fund):
    with opened(web, f"/ws/game-rooms?token={token}") as socket:
        assert received(socket)["type"] == "lobby"
        first, second = make_room(), make_room()
        seen = [received(socket) for _ in range(2)]
    assert [(frame["room_id"], frame["type"], frame["seq"]) for frame in seen] == [
        (first.pk, "session.opened", 1),
        (second.pk, "session.opened", 1),
    ]


def test_a_ticket_opens_a_stream_once(web, room, token):
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(f"{web.url}/api/v1/game-rooms/ticket", headers=headers).json()
    ticket = answer["data"]["ticket"]
    assert fresh(web, room, ticket)["type"] == "snapshot"
    assert closed_with(web, f"/ws/game-rooms/{room.pk}?token={ticket}") == 4001


def closed_with(web: WebServer, path: str) -> int:
    with opened(web, path) as socket, pytest.raises(ConnectionClosed) as closed:
        received(socket)
    return closed.value.rcvd.code


@pytest.mark.parametrize("who", ["", "nonsense", "ticket_invented"])
def test_without_a_token_the_stream_stays_closed(web, room, who):
    assert closed_with(web, f"/ws/game-rooms/{room.pk}?token={who}") == 4001
    assert closed_with(web, f"/ws/game-rooms?token={who}") == 4001


def test_a_room_that_is_not_there(web, room, token, master):
    offers.delete_room(actor=master, room_id=room.pk, now=clock.now())
    for room_id in (room.pk, 999_999, 10**18 * 9 + 10**18 - 1):
        assert closed_with(web, f"/ws/game-rooms/{room_id}?token={token}") == 4002


def test_an_event_of_a_transaction_that_was_undone_is_never_heard_of(web, room, token, people, fund, monkeypatch):
    guest = people(1)[0]
    fund(guest, 5_000)
    session = Session.objects.get(pk=room.current_session_id)
    with opened(web, f"/ws/game-rooms/{room.pk}?token={token}") as socket:
        state = received(socket)
        with monkeypatch.context() as broken:
            broken.setattr(entry, "Entry", None)
            with pytest.raises(TypeError):
                joins(room, session, guest)
        with pytest.raises(TimeoutError):
            received(socket, timeout=1)
        joins(room, session, guest)
        assert received(socket)["seq"] == state["seq"] + 1
