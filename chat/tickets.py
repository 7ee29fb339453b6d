"""Tickets: what a browser opens a socket with, in place of a key that must not leave the server.

A ticket names room, user and key, lives 30 seconds and works once. Redis holds its hash only, so neither a look into
Redis nor a log of its commands gives one away.
"""

import hashlib
import secrets
import uuid
from dataclasses import asdict, dataclass

import orjson

from gameplatform.core import redis_connection
from gameplatform.core.errors import Unavailable
from gameplatform.core.redis_connection import RedisAway

LIFETIME_SECONDS = 30
TICKET_START = "ticket_"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a ticket proves: this user may enter this conversation. ``key_id``: of the tenant's key that vouched."""

    conversation_id: uuid.UUID
    user_id: str
    user_name: str | None
    key_id: int | None
    account_id: int | None


def issue(claim: Claim) -> str:
    """A new ticket. Raises ``Unavailable`` when Redis is away."""
    ticket = TICKET_START + secrets.token_urlsafe(32)
    content = orjson.dumps(asdict(claim))
    try:
        redis_connection.run(lambda client: client.set(_key(ticket), content, ex=LIFETIME_SECONDS))
    except RedisAway:
        raise Unavailable from None
    return ticket


def redeem(ticket: str) -> Claim | None:
    """What the ticket proves, once; ``None`` for one that is used, too old or invented. Raises ``Unavailable``."""
    try:
        content: bytes | None = redis_connection.run(lambda client: client.getdel(_key(ticket)))
    except RedisAway:
        raise Unavailable from None
    if content is None:
        return None
    fields = orjson.loads(content)
    return Claim(**{**fields, "conversation_id": uuid.UUID(fields["conversation_id"])})


def _key(ticket: str) -> str:
    return f"chat:ticket:{hashlib.sha256(ticket.encode()).hexdigest()}"
