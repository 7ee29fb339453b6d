"""The chat routes' rows of the authorisation matrix, in a tenant's room that no platform user is in.

To a user of the platform such a room does not exist, and rooms are a tenant's to make. What tenants may do to each
other is in ``test_isolation.py``, what members may in ``test_moderation.py``.
"""

import uuid

from accounts.models import ApiClient
from chat import tenant_rooms
from core.db import clock
from tests.support.permissions import Ask, signed_in


def in_room(**body):
    def ask(world):
        tenant = ApiClient.objects.create(name="tenant of the matrix")
        room = tenant_rooms.create_room(client=tenant, name="Lounge", description="", meta={}, now=clock.now())
        return Ask(path={"room_id": str(room.pk)}, body=body or None)

    return ask


def of_message(world):
    return Ask(path={"message_id": str(uuid.UUID(int=1))})


UNKNOWN = 404
TENANTS_ONLY = 403

ROWS = {
    ("chat-rooms", "GET"): signed_in(200),
    ("chat-rooms", "POST"): signed_in(TENANTS_ONLY, lambda world: Ask(body={"name": "Mine"})),
    ("chat-rooms-one", "GET"): signed_in(UNKNOWN, in_room()),
    ("chat-rooms-one", "PUT"): signed_in(TENANTS_ONLY, in_room(name="Mine")),
    ("chat-rooms-one", "DELETE"): signed_in(TENANTS_ONLY, in_room()),
    ("chat-rooms-deactivate", "POST"): signed_in(TENANTS_ONLY, in_room()),
    ("chat-rooms-activate", "POST"): signed_in(TENANTS_ONLY, in_room()),
    ("chat-rooms-join", "POST"): signed_in(TENANTS_ONLY, in_room(user_id="1", user_name="One")),
    ("chat-rooms-leave", "POST"): signed_in(TENANTS_ONLY, in_room(user_id="1")),
    ("chat-rooms-participants", "GET"): signed_in(UNKNOWN, in_room()),
    ("chat-rooms-online", "GET"): signed_in(UNKNOWN, in_room()),
    ("chat-rooms-ticket", "POST"): signed_in(UNKNOWN, in_room(user_id="1")),
    ("chat-room-messages", "GET"): signed_in(UNKNOWN, in_room()),
    ("chat-room-messages", "POST"): signed_in(UNKNOWN, in_room(content="hello")),
    ("chat-moderation-sanctions", "GET"): signed_in(UNKNOWN, in_room()),
    **{
        (f"chat-moderation-{verb}", "POST"): signed_in(UNKNOWN, in_room(user_id="1"))
        for verb in ("mute", "unmute", "kick", "ban", "unban")
    },
    ("chat-messages-search", "GET"): signed_in(200, lambda world: Ask(query={"q": "hello"})),
    ("chat-messages-one", "GET"): signed_in(UNKNOWN, of_message),
    ("chat-messages-one", "PUT"): signed_in(
        UNKNOWN, lambda world: Ask(path=of_message(world).path, body={"content": "changed"})
    ),
    ("chat-messages-one", "DELETE"): signed_in(UNKNOWN, of_message),
    ("chat-messages-restore", "POST"): signed_in(UNKNOWN, of_message),
    ("chat-messages-report", "POST"): signed_in(
        UNKNOWN, lambda world: Ask(path=of_message(world).path, body={"reason": "spam"})
    ),
    ("chat-messages-thread", "GET"): signed_in(UNKNOWN, of_message),
    ("chat-messages-thread-summary", "GET"): signed_in(UNKNOWN, of_message),
}
