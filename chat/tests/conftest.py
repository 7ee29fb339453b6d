"""The cast of the chat's tests: a tenant with its key, a second one, a room with two people in it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from rest_framework.test import APIClient

from accounts import api_keys
from accounts.models import ApiClient, ApiKey, User
from chat import conversations, tenant_rooms
from chat.models import Conversation
from chat.tests.live import Live
from core.db import clock


@dataclass(frozen=True)
class Tenant:
    """A client of the chat, its key's text, and an HTTP client that sends the key."""

    client: ApiClient
    key: ApiKey
    key_text: str
    api: APIClient


@pytest.fixture(scope="module")
def live(django_db_setup, django_db_blocker, tmp_path_factory):
    """Two web processes and a Valkey, for all tests of a module: each test has rooms of its own."""
    before = settings.REDIS_URL
    with django_db_blocker.unblock():
        platform = Live.start(tmp_path_factory.mktemp("live"))
    yield platform
    platform.stop()
    settings.REDIS_URL = before


@pytest.fixture
def make_tenant(db) -> Callable[[str], Tenant]:
    """``make_tenant("acme")``: a client with a key for the chat."""

    def make(name: str) -> Tenant:
        client = ApiClient.objects.create(name=f"{name} {uuid.uuid4().hex[:8]}")
        issued = api_keys.issue_key(client=client, scopes=["chat"], now=clock.now())
        api = APIClient()
        api.default_format = "json"
        api.credentials(HTTP_X_API_KEY=issued.text)
        return Tenant(client, issued.key, issued.text, api)

    return make


@pytest.fixture
def tenant(make_tenant) -> Tenant:
    return make_tenant("teahouse")


@pytest.fixture
def neighbour(make_tenant) -> Tenant:
    return make_tenant("neighbour")


@pytest.fixture
def lounge(tenant) -> Conversation:
    """The tenant's room with Lan and Minh in it."""
    now = clock.now()
    room = tenant_rooms.create_room(client=tenant.client, name="Lounge", description="", meta={}, now=now)
    for user_id, user_name in (("lan", "Lan"), ("minh", "Minh")):
        tenant_rooms.join_room(
            client=tenant.client, room_id=room.pk, user_id=user_id, user_name=user_name, meta={}, now=now
        )
    return Conversation.objects.get(pk=room.pk)


@pytest.fixture
def say(tenant, lounge) -> Callable[..., dict[str, Any]]:
    """``say("hello")``: Lan's message in the lounge, by REST; what the answer said about it."""

    def post(content: str, *, room: Conversation = lounge, **body: Any) -> dict[str, Any]:
        given = {"sender_id": "lan", "content": content, **body}
        response = tenant.api.post(f"/api/v1/rooms/{room.pk}/messages/", given)
        assert response.status_code == 201, response.content
        answer: dict[str, Any] = response.json()["data"]
        return answer

    return post


@pytest.fixture
def game_table(player) -> Conversation:
    """A game room's conversation with the player in it."""
    now = clock.now()
    with transaction.atomic():
        table = conversations.open_conversation(kind=Conversation.Kind.GAME_ROOM, name="Table 1", now=now)
        assert conversations.add_member(conversation_id=table.pk, user=player, now=now)
    return table


def join_table(table: Conversation, user: User) -> bool:
    """A further member of a game room's conversation."""
    with transaction.atomic():
        return conversations.add_member(conversation_id=table.pk, user=user, now=clock.now())
