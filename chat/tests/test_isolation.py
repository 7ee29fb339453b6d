"""Tenants are blind to each other, platform users see their own rooms only, and nobody reaches a game room by key."""

import uuid

import pytest
from django.db import transaction

from chat import conversations
from chat.models import Conversation, Member, Message, Sanction
from chat.tests.conftest import join_table
from core.db import clock

ROOM_CALLS = [
    ("get", "", None),
    ("put", "", {"name": "mine now"}),
    ("delete", "", None),
    ("post", "/deactivate", None),
    ("post", "/activate", None),
    ("post", "/join", {"user_id": "x", "user_name": "X"}),
    ("post", "/leave", {"user_id": "lan"}),
    ("get", "/participants", None),
    ("get", "/online", None),
    ("post", "/ticket", {"user_id": "lan"}),
    ("get", "/messages/", None),
    ("post", "/messages/", {"sender_id": "lan", "content": "hello"}),
    ("post", "/mute", {"user_id": "lan"}),
    ("post", "/unmute", {"user_id": "lan"}),
    ("post", "/kick", {"user_id": "lan"}),
    ("post", "/ban", {"user_id": "lan"}),
    ("post", "/unban", {"user_id": "lan"}),
    ("get", "/sanctions", None),
]
MESSAGE_CALLS = [
    ("get", "", None),
    ("put", "", {"user_id": "lan", "content": "other"}),
    ("delete", "", {"user_id": "lan"}),
    ("post", "/restore", {"user_id": "lan"}),
    ("post", "/report", {"user_id": "lan", "reason": "r"}),
    ("get", "/thread", None),
    ("get", "/thread/summary", None),
]


def state():
    """Everything that a call could have moved."""
    return [list(model.objects.order_by("pk").values()) for model in (Conversation, Member, Message, Sanction)]


@pytest.mark.parametrize(("method", "path", "body"), ROOM_CALLS)
def test_another_tenants_room_does_not_exist_and_nothing_moves(neighbour, lounge, say, method, path, body):
    say("private words")
    before = state()
    response = getattr(neighbour.api, method)(f"/api/v1/rooms/{lounge.pk}{path}", body)
    assert response.status_code == 404
    assert response.json() == {
        "error": {"code": "ROOM_NOT_FOUND", "message": "Room not found"},
        "status": "error",
    }
    assert state() == before


@pytest.mark.parametrize(("method", "path", "body"), MESSAGE_CALLS)
def test_another_tenants_message_does_not_exist_and_nothing_moves(neighbour, say, method, path, body):
    message = say("private words")
    before = state()
    response = getattr(neighbour.api, method)(f"/api/v1/messages/{message['id']}{path}", body)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "MESSAGE_NOT_FOUND")
    assert state() == before


@pytest.mark.parametrize(("method", "path", "body"), ROOM_CALLS)
def test_a_tenants_key_cannot_touch_a_game_room(tenant, game_table, method, path, body):
    before = state()
    response = getattr(tenant.api, method)(f"/api/v1/rooms/{game_table.pk}{path}", body)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "ROOM_NOT_FOUND")
    assert state() == before


@pytest.mark.parametrize(("method", "path", "body"), ROOM_CALLS)
def test_a_platform_user_cannot_touch_a_game_room_it_is_not_in(api, rival, game_table, method, path, body):
    before = state()
    response = getattr(api(rival), method)(f"/api/v1/rooms/{game_table.pk}{path}", body)
    assert (response.status_code, response.json()["error"]["code"]) in (
        (404, "ROOM_NOT_FOUND"),
        (403, "ROOM_ACCESS_DENIED"),
    )
    assert state() == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [call for call in ROOM_CALLS if call[0] != "get" and call[1] not in ("/messages/", "/ticket")],
)
def test_a_player_cannot_manage_its_own_game_room(api, player, game_table, method, path, body):
    before = state()
    response = getattr(api(player), method)(f"/api/v1/rooms/{game_table.pk}{path}", body)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "ROOM_ACCESS_DENIED")
    assert state() == before


def test_a_user_whose_number_a_tenant_uses_as_a_name_gains_nothing(api, player, tenant, lounge):
    tenant.api.post(f"/api/v1/rooms/{lounge.pk}/join", {"user_id": str(player.pk), "user_name": "Their 1"})
    assert api(player).get(f"/api/v1/rooms/{lounge.pk}").status_code == 404
    assert api(player).get("/api/v1/rooms/").json()["data"] == []


def test_a_player_speaks_as_itself_whatever_the_body_says(api, player, rival, game_table):
    join_table(game_table, rival)
    response = api(player).post(
        f"/api/v1/rooms/{game_table.pk}/messages/",
        {"sender_id": str(rival.pk), "sender_name": "rival", "content": "I lose"},
    )
    assert response.status_code == 201
    message = response.json()["data"]
    assert (message["sender_id"], message["sender_name"]) == (str(player.pk), "player")
    url = f"/api/v1/messages/{message['id']}"
    assert api(rival).put(url, {"user_id": str(player.pk), "content": "x"}).status_code == 403
    assert api(rival).delete(f"{url}?user_id={player.pk}").status_code == 403
    assert api(player).put(url, {"content": "I win"}).json()["data"]["content"] == "I win"
    assert (
        api(player)
        .post(f"/api/v1/rooms/{game_table.pk}/messages/", {"content": "cash for all", "message_type": "system"})
        .status_code
        == 422
    )


def test_a_player_does_not_see_what_was_deleted_and_staff_in_the_room_may_delete(api, player, staff, game_table):
    join_table(game_table, staff)
    posted = api(player).post(f"/api/v1/rooms/{game_table.pk}/messages/", {"content": "rude"}).json()["data"]
    assert api(staff).delete(f"/api/v1/messages/{posted['id']}").status_code == 200
    assert api(player).get(f"/api/v1/messages/{posted['id']}").status_code == 404
    assert api(player).get(f"/api/v1/rooms/{game_table.pk}/messages/?include_deleted=true").json()["data"] == []
    assert api(player).post(f"/api/v1/messages/{posted['id']}/restore").status_code == 403
    seen = api(staff).get(f"/api/v1/rooms/{game_table.pk}/messages/?include_deleted=true").json()["data"]
    assert [message["is_deleted"] for message in seen] == [True]


def test_a_player_searches_its_own_rooms(api, player, rival, game_table):
    api(player).post(f"/api/v1/rooms/{game_table.pk}/messages/", {"content": "chúc may mắn"})
    assert len(api(player).get("/api/v1/messages/search?q=may man").json()["data"]) == 1
    assert api(rival).get("/api/v1/messages/search?q=may man").json()["data"] == []


def test_the_building_blocks_of_a_game_room(player, rival, game_table):
    now = clock.now()
    with transaction.atomic():
        assert not conversations.add_member(conversation_id=game_table.pk, user=player, now=now)
        assert conversations.add_member(conversation_id=game_table.pk, user=rival, now=now)
        row = conversations.post_system_message(
            conversation_id=game_table.pk, text="Round 1 begins", meta={"event": "session.running"}, now=now
        )
        assert conversations.remove_member(conversation_id=game_table.pk, user=rival, now=now)
        assert not conversations.remove_member(conversation_id=game_table.pk, user=rival, now=now)
        conversations.deactivate(conversation_id=game_table.pk, now=now)
        assert not conversations.add_member(conversation_id=game_table.pk, user=rival, now=now)
    assert (row["seq"], row["sender_id"], row["message_type"]) == (1, "system", "system")
    table = Conversation.objects.get(pk=game_table.pk)
    assert (table.participant_count, table.message_count, table.is_active) == (1, 1, False)


@pytest.mark.parametrize("room_id", ["1", "nonsense", "0" * 400, str(uuid.UUID(int=0)), "%00", "..", "🎲"])
def test_what_cannot_be_a_rooms_id_is_not_found(tenant, room_id):
    response = tenant.api.get(f"/api/v1/rooms/{room_id}/participants")
    assert response.status_code == 404
    response = tenant.api.get(f"/api/v1/messages/{room_id}")
    assert response.status_code == 404
