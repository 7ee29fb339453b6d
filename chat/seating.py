"""Who may have a socket in a conversation, and whether it still may (building blocks; contract: chat, "WebSocket")."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils.translation import gettext_noop

from accounts.api_keys import find_key, live_keys
from accounts.models import ApiClient, ApiKey, User
from chat import queries, tickets
from chat.access import Caller
from chat.errors import RoomAccessDenied, RoomInactive, RoomNotFound
from chat.models import Conversation
from core.db import clock
from core.errors import DomainError
from core.redis.tickets import TICKET_START


class SocketUnauthorized(DomainError):
    """Neither a live key for the chat nor a ticket for this room."""

    code = "INVALID_CREDENTIALS"
    default_message = gettext_noop("Invalid or missing API key")


@dataclass(frozen=True, kw_only=True)
class Seat:
    """What a socket was admitted with; ``user_id`` is ``None`` for a tenant's server that only listens."""

    conversation_id: uuid.UUID
    user_id: str | None
    user_name: str
    meta: Mapping[str, Any]
    caller: Caller
    key_id: int | None
    socket_id: str = field(default_factory=lambda: uuid.uuid4().hex)


def take_seat(*, token: str, conversation_id: uuid.UUID | None, user_id: str | None, user_name: str | None) -> Seat:
    """Admit a socket: by a one-use ticket, which names the user, or by a tenant's key for the user it names, if any.

    Raises ``SocketUnauthorized``, ``RoomNotFound``, ``RoomInactive``, ``RoomAccessDenied`` when the user is not a
    participant, ``Unavailable`` when a ticket cannot be looked up.
    """
    if token.startswith(TICKET_START):
        claim = tickets.redeem(token)
        if claim is None or claim.conversation_id != conversation_id:
            raise SocketUnauthorized
        caller, key_id = _caller_of(claim), claim.key_id
        user_id, user_name = claim.user_id, claim.user_name
    else:
        key = find_key(text=token, scope=ApiKey.Scope.CHAT, now=clock.now())
        if key is None:
            raise SocketUnauthorized
        caller, key_id = Caller(client=key.client), key.pk
    if conversation_id is None:
        raise RoomNotFound
    room = caller.conversation(conversation_id)
    if not room.is_active:
        raise RoomInactive
    if user_id is None:
        return Seat(conversation_id=room.pk, user_id=None, user_name="", meta={}, caller=caller, key_id=key_id)
    member = queries.member(room.pk, user_id)
    if member is None:
        raise RoomAccessDenied
    return Seat(
        conversation_id=room.pk,
        user_id=user_id,
        user_name=user_name or member.user_name,
        meta=member.meta,
        caller=caller,
        key_id=key_id,
    )


def _caller_of(claim: tickets.Claim) -> Caller:
    """The key that vouched, or the user itself, if they are still good."""
    if claim.key_id is not None:
        vouching = live_keys(now=clock.now()).filter(pk=claim.key_id, client__is_active=True)
        client = ApiClient.objects.filter(keys__in=vouching).first()
        if client is not None:
            return Caller(client=client)
    elif claim.account_id is not None:
        user = User.objects.filter(pk=claim.account_id, is_active=True).first()
        if user is not None:
            return Caller(user=user)
    raise SocketUnauthorized


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What holds now for a process's seats: one look at the database."""

    conversations: Mapping[uuid.UUID, Conversation]
    members: Collection[tuple[uuid.UUID, str]]
    keys: Collection[int]

    def why_not(self, seat: Seat) -> str | None:
        """Why the seat's socket must close; ``None`` when it may stay."""
        conversation = self.conversations.get(seat.conversation_id)
        if conversation is None:
            return "deleted"
        if not conversation.is_active:
            return "deactivated"
        if seat.key_id is not None and seat.key_id not in self.keys:
            return "revoked"
        if seat.user_id is not None and (seat.conversation_id, seat.user_id) not in self.members:
            return "left"
        return None


_STILL_MEMBERS = """
    SELECT m.conversation_id, m.user_id FROM unnest(%s::uuid[], %s::text[]) AS asked (conversation_id, user_id)
        JOIN chat_member m ON m.conversation_id = asked.conversation_id AND m.user_id = asked.user_id
        LEFT JOIN accounts_user u ON u.id = m.account_id
    WHERE u.id IS NULL OR u.is_active
"""


def look_up(conversation_ids: Sequence[uuid.UUID], seats: Sequence[Seat]) -> Rights:
    """The rights of these seats now: three statements, however many seats."""
    conversations = Conversation.objects.in_bulk(list(conversation_ids))
    asked = {(seat.conversation_id, seat.user_id) for seat in seats if seat.user_id is not None}
    with connection.cursor() as cursor:
        cursor.execute(_STILL_MEMBERS, [[pair[0] for pair in asked], [pair[1] for pair in asked]])
        members = set(cursor.fetchall())
    key_ids = {seat.key_id for seat in seats if seat.key_id is not None}
    keys = live_keys(now=clock.now()).filter(pk__in=key_ids, client__is_active=True)
    return Rights(conversations=conversations, members=members, keys=set(keys.values_list("pk", flat=True)))
