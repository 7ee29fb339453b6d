"""A tenant's rooms and who is in them (use cases; contract: chat, "Rooms")."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from accounts.models import ApiClient
from chat import conversations, events
from chat.access import CHANGE_CONVERSATION, Caller
from chat.errors import FieldInvalid, RoomAccessDenied
from chat.models import Conversation, ModerationAct
from chat.notes import note
from chat.posting import dump_meta
from core.db.transactions import use_case

PARTICIPANTS_MAX = 1_000_000


def check_room_meta(meta: Mapping[str, Any]) -> None:
    """The parts of a room's ``meta`` that the platform acts on. Raises ``FieldInvalid``.

    ``max_participants``: 1 to 1,000,000; ``invite_only``: true or false. The rest is the application's.
    """
    dump_meta(meta)
    seats = meta.get("max_participants")
    # type() and not isinstance(): True is an int.
    if seats is not None and (type(seats) is not int or not 1 <= seats <= PARTICIPANTS_MAX):
        raise FieldInvalid(
            gettext_noop("max_participants must be a number from 1 to %(max)s"), field="meta", max=PARTICIPANTS_MAX
        )
    if not isinstance(meta.get("invite_only", False), bool):
        raise FieldInvalid(gettext_noop("invite_only must be true or false"), field="meta")


@use_case
def create_room(
    *, client: ApiClient, name: str, description: str, meta: Mapping[str, Any], now: datetime
) -> Conversation:
    """A new room of the tenant. Raises ``FieldInvalid``."""
    check_room_meta(meta)
    return conversations.open_conversation(
        kind=Conversation.Kind.ROOM, client=client, name=name, description=description, meta=meta, now=now
    )


@use_case
def update_room(*, client: ApiClient, room_id: uuid.UUID, changes: Mapping[str, Any], now: datetime) -> Conversation:
    """Change ``name``, ``description`` or ``meta`` (as a whole). Raises ``RoomNotFound``, ``FieldInvalid``."""
    if "meta" in changes:
        check_room_meta(changes["meta"])
    room = conversations.lock(room_id, among=Conversation.objects.filter(client=client))
    for field, value in changes.items():
        setattr(room, field, value)
    room.updated_at = now
    room.save(update_fields=[*changes, "updated_at"])
    return room


@use_case
def delete_room(*, client: ApiClient, room_id: uuid.UUID, now: datetime) -> None:
    """Delete a room with its messages and participants, for good. Raises ``RoomNotFound``."""
    room = conversations.lock(room_id, among=Conversation.objects.filter(client=client))
    events.announce(events.CLOSE, conversation_id=room.pk, data={"why": "deleted"}, at=now)
    note(ModerationAct.Act.DELETE_ROOM, conversation=room, caller=Caller(client=client), acting_as=None, now=now)
    conversations.erase(room)


@use_case
def deactivate_room(*, caller: Caller, room_id: uuid.UUID, now: datetime, reason: str = "") -> Conversation:
    """Close a room: its history stays, nothing is added, all sockets close. Repeatable.

    For tenants and staff. Raises ``NotPermitted``, ``RoomNotFound``, ``RoomAccessDenied`` for a user of the platform.
    """
    return _set_active(caller=caller, room_id=room_id, is_active=False, reason=reason, now=now)


@use_case
def activate_room(*, caller: Caller, room_id: uuid.UUID, now: datetime, reason: str = "") -> Conversation:
    """Open a deactivated room again. Repeatable. Raises what ``deactivate_room`` does."""
    return _set_active(caller=caller, room_id=room_id, is_active=True, reason=reason, now=now)


def _set_active(*, caller: Caller, room_id: uuid.UUID, is_active: bool, reason: str, now: datetime) -> Conversation:
    if caller.user is not None:
        raise RoomAccessDenied
    caller.require(CHANGE_CONVERSATION)
    room = conversations.lock(room_id, among=caller.conversations())
    if room.is_active != is_active:
        act = ModerationAct.Act.ACTIVATE_ROOM if is_active else ModerationAct.Act.DEACTIVATE_ROOM
        note(
            act,
            conversation=room,
            caller=caller,
            acting_as=None,
            reason=reason,
            before={"is_active": room.is_active},
            after={"is_active": is_active},
            now=now,
        )
    conversations.set_active(conversation=room, is_active=is_active, now=now)
    return room


@use_case
def join_room(
    *, client: ApiClient, room_id: uuid.UUID, user_id: str, user_name: str, meta: Mapping[str, Any], now: datetime
) -> None:
    """Add a user to a room. Raises ``FieldInvalid`` and what ``conversations.admit`` does."""
    dump_meta(meta)
    conversations.admit(
        conversation_id=room_id, client=client, user_id=user_id, user_name=user_name, meta=meta, now=now
    )


@use_case
def leave_room(*, client: ApiClient, room_id: uuid.UUID, user_id: str, now: datetime) -> None:
    """Take a user out of a room and close its sockets. Raises ``RoomNotFound``, ``ParticipantNotFound``."""
    conversations.expel(conversation_id=room_id, client_id=client.pk, user_id=user_id, why="left", now=now)
