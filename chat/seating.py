"""Who may have a socket in a conversation, and whether it still may (building blocks; contract: chat, "WebSocket").

Whether the key or the sign-in behind it still counts is looked at for all sockets alike (`core.realtime.revocation`).
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils.translation import gettext_noop

from accounts.api_keys import find_key, live_keys
from accounts.models import ApiClient, ApiKey
from accounts.standing import Standing, user_of
from chat import queries, tickets
from chat.access import Caller
from chat.errors import RoomAccessDenied, RoomInactive, RoomNotFound, UserMuted
from chat.models import Conversation
from chat.policies import require_voice
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
    standing: Standing
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
        standing = _standing_of(claim)
        caller = _caller_of(standing)
        user_id, user_name = claim.user_id, claim.user_name
    else:
        key = find_key(text=token, scope=ApiKey.Scope.CHAT, now=clock.now())
        if key is None:
            raise SocketUnauthorized
        standing, caller = Standing(key_id=key.pk), Caller(client=key.client)
    if conversation_id is None:
        raise RoomNotFound
    room = caller.conversation(conversation_id)
    if not room.is_active:
        raise RoomInactive
    if user_id is None:
        return Seat(conversation_id=room.pk, user_id=None, user_name="", meta={}, caller=caller, standing=standing)
    member = queries.member(room.pk, user_id)
    if member is None:
        raise RoomAccessDenied
    try:
        require_voice(room.pk, user_id, now=clock.now())
    except UserMuted:
        # The others see the name: a muted user keeps its own.
        user_name = None
    return Seat(
        conversation_id=room.pk,
        user_id=user_id,
        user_name=user_name or member.user_name,
        meta=member.meta,
        caller=caller,
        standing=standing,
    )


def _standing_of(claim: tickets.Claim) -> Standing:
    """The key that vouched, or the user as it was signed in."""
    if claim.key_id is not None:
        return Standing(key_id=claim.key_id)
    return Standing(user_id=claim.account_id, password_mark=claim.password_mark)


def _caller_of(standing: Standing) -> Caller:
    """Whom a ticket speaks for, if that still counts. Raises ``SocketUnauthorized``."""
    if standing.key_id is not None:
        vouching = live_keys(now=clock.now()).filter(pk=standing.key_id, client__is_active=True)
        client = ApiClient.objects.filter(keys__in=vouching).first()
        if client is not None:
            return Caller(client=client)
    else:
        user = user_of(standing)
        if user is not None:
            return Caller(user=user)
    raise SocketUnauthorized


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What holds now for a process's seats: one look at the database."""

    conversations: Mapping[uuid.UUID, Conversation]
    members: Collection[tuple[uuid.UUID, str]]

    def why_not(self, seat: Seat) -> str | None:
        """Why the seat's socket must close; ``None`` when it may stay."""
        conversation = self.conversations.get(seat.conversation_id)
        if conversation is None:
            return "deleted"
        if not conversation.is_active:
            return "deactivated"
        if seat.user_id is not None and (seat.conversation_id, seat.user_id) not in self.members:
            return "left"
        return None


_STILL_MEMBERS = """
    SELECT m.conversation_id, m.user_id FROM unnest(%s::uuid[], %s::text[]) AS asked (conversation_id, user_id)
        JOIN chat_member m ON m.conversation_id = asked.conversation_id AND m.user_id = asked.user_id
"""


def look_up(conversation_ids: Sequence[uuid.UUID], seats: Sequence[Seat]) -> Rights:
    """The rights of these seats now: two statements, however many seats."""
    conversations = Conversation.objects.in_bulk(list(conversation_ids))
    asked = {(seat.conversation_id, seat.user_id) for seat in seats if seat.user_id is not None}
    with connection.cursor() as cursor:
        cursor.execute(_STILL_MEMBERS, [[pair[0] for pair in asked], [pair[1] for pair in asked]])
        members = set(cursor.fetchall())
    return Rights(conversations=conversations, members=members)
