"""A muted, banned or former member puts no text before others, on any path."""

from dataclasses import dataclass
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.api_keys import issue_key
from accounts.models import ApiClient, ApiKey
from chat.models import Conversation, Message
from chat.seating import take_seat
from core.db import clock

pytestmark = pytest.mark.django_db


@dataclass
class Tenant:
    key_text: str
    room: str

    def call(self, method: str, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        api = APIClient(headers={"X-API-Key": self.key_text})
        answer = getattr(api, method)(f"/api/v1{path}", body, format="json")
        return answer.status_code, answer.json()


@pytest.fixture
def tenant(db) -> Tenant:
    """A tenant whose user Mallory wrote a message, and deleted a second one."""
    client = ApiClient.objects.create(name="tenant")
    key = issue_key(client=client, scopes=[ApiKey.Scope.CHAT], now=clock.now())
    api = APIClient(headers={"X-API-Key": key.text})
    room = api.post("/api/v1/rooms", {"name": "Lounge"}, format="json").json()["data"]["id"]
    made = Tenant(key_text=key.text, room=room)
    made.call("post", f"/rooms/{room}/join", user_id="mallory", user_name="Mallory")
    for content in ("kept", "gone"):
        made.call("post", f"/rooms/{room}/messages", sender_id="mallory", content=content)
    made.call("delete", f"/messages/{Message.objects.get(content='gone').pk}", user_id="mallory")
    return made


SILENCINGS = {
    "mute": ("USER_MUTED", "mute"),
    "ban": ("ROOM_ACCESS_DENIED", "ban"),
    "kick": ("ROOM_ACCESS_DENIED", "kick"),
    "leave": ("ROOM_ACCESS_DENIED", "leave"),
}
TEXTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "post": ("post", "/rooms/{room}/messages", {"sender_id": "mallory", "content": "evil"}),
    "edit": ("put", "/messages/{kept}", {"user_id": "mallory", "content": "evil"}),
    "meta": ("put", "/messages/{kept}", {"user_id": "mallory", "meta": {"text": "evil"}}),
    "restore": ("post", "/messages/{gone}/restore", {"user_id": "mallory"}),
}


@pytest.mark.parametrize("silencing", SILENCINGS)
@pytest.mark.parametrize("text", TEXTS)
def test_silenced_user_puts_no_text_before_others(tenant, silencing, text):
    code, act = SILENCINGS[silencing]
    assert tenant.call("post", f"/rooms/{tenant.room}/{act}", user_id="mallory")[0] == 200
    before = list(Message.objects.order_by("seq").values())
    method, path, body = TEXTS[text]
    kept, gone = (Message.objects.get(content=content).pk for content in ("kept", "gone"))
    status, answer = tenant.call(method, path.format(room=tenant.room, kept=kept, gone=gone), **body)
    assert (status, answer["error"]["code"]) == (403, code)
    assert list(Message.objects.order_by("seq").values()) == before


def test_muted_moderator_edits_no_message(tenant):
    tenant.call("post", f"/rooms/{tenant.room}/join", user_id="mod", user_name="Mod", meta={"role": "moderator"})
    tenant.call("post", f"/rooms/{tenant.room}/mute", user_id="mod")
    kept = Message.objects.get(content="kept").pk
    status, answer = tenant.call("put", f"/messages/{kept}", user_id="mod", content="evil")
    assert (status, answer["error"]["code"]) == (403, "USER_MUTED")


def test_tenant_itself_edits_a_muted_users_message(tenant):
    tenant.call("post", f"/rooms/{tenant.room}/mute", user_id="mallory")
    kept = Message.objects.get(content="kept").pk
    assert tenant.call("put", f"/messages/{kept}", content="redacted")[0] == 200


def test_muted_user_comes_online_under_its_own_name(tenant):
    room = Conversation.objects.get(pk=tenant.room)
    seat = {"token": tenant.key_text, "conversation_id": room.pk, "user_id": "mallory", "user_name": "EVIL TEXT"}
    assert take_seat(**seat).user_name == "EVIL TEXT"
    tenant.call("post", f"/rooms/{tenant.room}/mute", user_id="mallory")
    assert take_seat(**seat).user_name == "Mallory"
