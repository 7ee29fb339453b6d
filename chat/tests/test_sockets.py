"""The socket as its contract says, on a real server."""

import asyncio
import json

import pytest
import websockets
from websockets.typing import Origin

from accounts import api_keys
from chat.tests.live import close_code, receive, send
from core.db import clock

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


@pytest.fixture
def connect(live, tenant, lounge):
    """``connect("lan")``: a socket of that user on the first web process; ``web=1``: the second."""

    def open_socket(user_id=None, *, web=0, **query):
        who = {} if user_id is None else {"user_id": user_id}
        return live.webs[web].connect(lounge.pk, **{"token": tenant.key_text, **who, **query})

    return open_socket


@pytest.fixture
def call(live, tenant, lounge):
    """``call("POST", "/messages/", {...})`` on the room by HTTP, with the tenant's key; the JSON of a success."""

    def request(method, path, body=None, *, status=(200, 201)):
        found, answer = live.webs[0].call(method, f"/api/v1/rooms/{lounge.pk}{path}", body, key=tenant.key_text)
        assert found in status, answer
        return answer

    return request


def test_the_first_frame_is_the_state_and_everybody_hears_who_comes_types_speaks_and_goes(connect, lounge):
    async def scenario():
        async with connect("lan") as lan:
            status = await receive(lan, "connection_status")
            assert status == {
                "status": "connected",
                "user_id": "lan",
                "room_id": str(lounge.pk),
                "online_users": ["lan"],
                "total_participants": 2,
                "seq": 0,
                "epoch": lounge.epoch,
            }
            async with connect("minh", web=1) as minh:
                assert (await receive(minh, "connection_status"))["online_users"] == ["lan", "minh"]
                assert (await receive(lan, "user_joined"))["user_name"] == "Minh"
                await send(minh, "typing", is_typing=True)
                assert await receive(lan, "typing") == {"user_id": "minh", "user_name": "Minh", "is_typing": True}
                await send(lan, "message", content="chào Minh", client_msg_id="c1")
                ack = await receive(lan, "ack")
                message = await receive(minh, "message")
                assert (message["content"], message["sender_id"], message["seq"]) == ("chào Minh", "lan", 1)
                assert ack == {"client_msg_id": "c1", "id": message["id"], "seq": 1}
            assert (await receive(lan, "user_left"))["user_id"] == "minh"
            await send(lan, "get_online_users")
            assert await receive(lan, "online_users") == {"online_users": ["lan"], "total_online": 1}
            await send(lan, "ping")
            assert await receive(lan, "pong") == {}

    run(scenario())


def test_edits_deletions_and_restorations_arrive(connect, call, live, tenant):
    async def scenario():
        async with connect("lan") as lan:
            await receive(lan, "connection_status")
            message = call("POST", "/messages/", {"sender_id": "minh", "content": "one"})["data"]
            assert (await receive(lan, "message")) == message
            url, web, key = f"/api/v1/messages/{message['id']}", live.webs[1], tenant.key_text
            web.call("PUT", url, {"user_id": "minh", "content": "two"}, key=key)
            assert (await receive(lan, "message_updated"))["content"] == "two"
            web.call("DELETE", f"{url}?user_id=minh", key=key)
            deleted = await receive(lan, "message_deleted")
            assert (deleted["id"], deleted["deleted_by"], deleted["seq"]) == (message["id"], "minh", 1)
            web.call("POST", f"{url}/restore", {"user_id": "minh"}, key=key)
            assert (await receive(lan, "message_restored"))["content"] == "two"

    run(scenario())


def test_resume_brings_what_was_missed_in_order_then_live_without_gap_or_repeat(connect, call):
    for number in range(1, 131):
        call("POST", "/messages/", {"sender_id": "minh", "content": str(number)})

    async def scenario():
        async with connect("lan", since=7) as lan:
            status = await receive(lan, "connection_status")
            assert (status["seq"], status["recovered"]) == (130, True)
            missed = [(await receive(lan, "message"))["seq"] for _ in range(123)]
            assert missed == list(range(8, 131))
            call("POST", "/messages/", {"sender_id": "minh", "content": "live"})
            assert (await receive(lan, "message"))["seq"] == 131
        async with connect("lan", since=131, epoch="000000000000") as lan:
            assert (await receive(lan, "connection_status"))["recovered"] is False
        async with connect("lan", since=9_999) as lan:
            assert (await receive(lan, "connection_status"))["recovered"] is False

    run(scenario())


def test_a_deleted_message_keeps_its_place_in_a_resume_but_not_its_words(connect, call, live, tenant):
    message = call("POST", "/messages/", {"sender_id": "minh", "content": "regret"})["data"]
    call("POST", "/messages/", {"sender_id": "minh", "content": "fine"})
    live.webs[0].call("DELETE", f"/api/v1/messages/{message['id']}?user_id=minh", key=tenant.key_text)

    async def scenario():
        async with connect("lan", since=0) as lan:
            gone, fine = await receive(lan, "message"), await receive(lan, "message")
            assert (gone["seq"], gone["is_deleted"], gone["content"]) == (1, True, "")
            assert (fine["seq"], fine["content"]) == (2, "fine")

    run(scenario())


def test_a_ticket_opens_one_socket_for_one_user_once(connect, call, live, lounge):
    ticket = call("POST", "/ticket", {"user_id": "lan", "user_name": "Lan"})["data"]
    assert ticket["expires_in"] == 30

    async def scenario():
        async with live.webs[1].connect(lounge.pk, token=ticket["ticket"], user_id="minh") as socket:
            assert (await receive(socket, "connection_status"))["user_id"] == "lan"
        async with live.webs[1].connect(lounge.pk, token=ticket["ticket"]) as socket:
            assert await close_code(socket) == 4001

    run(scenario())


def test_a_platform_user_takes_part_in_its_game_room_as_itself_and_a_tenant_cannot(
    live, tenant, game_table, player, api
):
    web = live.webs[0]
    authorization = api(player)._credentials["HTTP_AUTHORIZATION"]
    path = f"/api/v1/rooms/{game_table.pk}/ticket"
    _, answer = web.call("POST", path, {"user_id": "999"}, authorization=authorization)
    ticket = answer["data"]["ticket"]

    async def scenario():
        async with web.connect(game_table.pk, token=ticket) as socket:
            status = await receive(socket, "connection_status")
            assert status["user_id"] == str(player.pk)
            await send(socket, "message", content="good luck", client_msg_id="g1")
            message = await receive(socket, "message")
            assert (message["sender_id"], message["sender_name"]) == (str(player.pk), "player")
            assert message["client_id"] is None
            await send(socket, "message", content="fake", message_type="system", client_msg_id="g2")
            assert (await receive(socket, "error"))["ref"] == "g2"
        async with web.connect(game_table.pk, token=tenant.key_text) as socket:
            assert await close_code(socket) == 4002

    run(scenario())


def test_who_may_not_come_in_is_closed_with_the_contracts_code(connect, live, tenant, neighbour, lounge, call):
    web = live.webs[0]

    async def code_of(room_id, **query):
        async with web.connect(room_id, **query) as socket:
            return await close_code(socket)

    async def scenario():
        assert await code_of(lounge.pk, token="gp_000000000000_x") == 4001
        assert await code_of(lounge.pk, user_id="lan") == 4001
        assert await code_of(lounge.pk, token="ticket_unknown") == 4001
        assert await code_of("nonsense", token=tenant.key_text) == 4002
        assert await code_of(lounge.pk, token=neighbour.key_text, user_id="lan") == 4002
        assert await code_of(lounge.pk, token=tenant.key_text, user_id="stranger") == 4003
        call("POST", "/deactivate")
        assert await code_of(lounge.pk, token=tenant.key_text, user_id="lan") == 4003

    run(scenario())


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/kick", {"user_id": "lan"}, 4003),
        ("/ban", {"user_id": "lan", "duration_seconds": 60, "reason": "rude"}, 4003),
        ("/leave", {"user_id": "lan"}, 4003),
        ("/deactivate", None, 4003),
        ("", "DELETE", 4002),
    ],
)
def test_the_end_of_a_right_closes_its_sockets_within_five_seconds(connect, call, path, body, code):
    async def scenario():
        async with connect("lan") as first, connect("lan", web=1) as second, connect("minh") as other:
            for socket in (first, second, other):
                await receive(socket, "connection_status")
            call("DELETE", "") if body == "DELETE" else call("POST", path, body)
            assert [await close_code(first, seconds=5), await close_code(second, seconds=5)] == [code, code]
            if path in ("/kick", "/ban", "/leave"):
                assert (await receive(other, "user_left"))["user_id"] == "lan"
            else:
                assert await close_code(other, seconds=5) == code

    run(scenario())


def test_a_revoked_key_closes_its_sockets_and_those_of_its_tickets_within_five_seconds(
    connect, call, live, lounge, tenant
):
    ticket = call("POST", "/ticket", {"user_id": "minh"})["data"]["ticket"]

    async def scenario():
        async with connect("lan") as lan, live.webs[1].connect(lounge.pk, token=ticket) as minh:
            await receive(lan, "connection_status")
            await receive(minh, "connection_status")
            await asyncio.to_thread(revoke)
            assert [await close_code(lan, seconds=5), await close_code(minh, seconds=5)] == [4001, 4001]

    def revoke():
        api_keys.revoke_key(key=tenant.key, now=clock.now())

    run(scenario())


def test_a_frame_that_is_too_large_or_too_many_frames_close_the_socket(connect):
    async def scenario():
        async with connect("lan") as lan:
            await receive(lan, "connection_status")
            await send(lan, "message", content="x" * 17_000)
            assert await close_code(lan) == 1009
        async with connect("lan") as lan:
            await receive(lan, "connection_status")
            for _ in range(60):
                await send(lan, "ping")
            assert await close_code(lan) == 4004

    run(scenario())


def test_a_refused_frame_is_answered_with_its_ref_and_the_socket_stays(connect, call):
    call("POST", "/mute", {"user_id": "lan", "reason": "later"})

    async def scenario():
        async with connect("lan") as lan:
            await receive(lan, "connection_status")
            for text in (
                "{",
                "[1]",
                '{"type":"message","data":[]}',
                '{"type":"message","data":{"content":1e999}}',
                "\x00",
            ):
                await lan.send(text)
                error = await receive(lan, "error")
                assert (error["code"], error["ref"]) == ("VALIDATION_ERROR", None) or error["code"] == "MALFORMED_JSON"
            await send(lan, "message", content="hello", client_msg_id="m1")
            error = await receive(lan, "error")
            assert (error["code"], error["ref"]) == ("USER_MUTED", "m1")
            call("POST", "/unmute", {"user_id": "lan"})
            await send(lan, "message", content="hello", client_msg_id="m1")
            assert (await receive(lan, "ack"))["seq"] == 1
            await send(lan, "message", content="again", client_msg_id="m1")
            assert (await receive(lan, "ack"))["seq"] == 1

    run(scenario())


def test_two_sockets_of_a_user_count_once(connect, call):
    async def scenario():
        async with connect("minh") as minh:
            await receive(minh, "connection_status")
            async with connect("lan"), connect("lan", web=1) as second:
                await receive(second, "connection_status")
                assert call("GET", "/online")["data"] == {"online_users": ["lan", "minh"], "total_online": 2}
            await asyncio.sleep(1.5)
            frames = []
            while True:
                await send(minh, "ping")
                frame = json.loads(await minh.recv())
                if frame["type"] == "pong":
                    break
                frames.append(frame)
            seen = [(frame["type"], frame["data"]["user_id"]) for frame in frames]
            assert seen == [("user_joined", "lan"), ("user_left", "lan")]

    run(scenario())


def test_a_listening_server_hears_everything_and_can_say_nothing(connect, call):
    async def scenario():
        async with connect() as ear:
            status = await receive(ear, "connection_status")
            assert (status["user_id"], status["online_users"]) == (None, [])
            call("POST", "/messages/", {"sender_id": "lan", "content": "heard"})
            assert (await receive(ear, "message"))["content"] == "heard"
            await send(ear, "message", content="said", client_msg_id="e1")
            error = await receive(ear, "error")
            assert (error["code"], error["ref"]) == ("ROOM_ACCESS_DENIED", "e1")

    run(scenario())


def test_a_page_of_another_origin_is_refused(live, tenant, lounge):
    async def scenario():
        url = live.webs[0].socket_url(lounge.pk, token=tenant.key_text)
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(url, origin=Origin("https://elsewhere.example"))

    run(scenario())
