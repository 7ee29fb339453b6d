"""One-use tickets: what a browser opens a socket with, in place of a token that must not stand in an address.

A ticket lives 30 seconds and works once. Redis holds its hash only, so neither a look into Redis nor a log of its
commands gives one away.
"""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from core.errors import Unavailable
from core.redis import connection as redis_connection
from core.redis.connection import RedisAway

LIFETIME_SECONDS = 30
TICKET_START = "ticket_"


def issue(*, purpose: str, claim: Mapping[str, Any]) -> str:
    """A new ticket that proves ``claim`` to who redeems it for the same purpose. Raises ``Unavailable``."""
    ticket = TICKET_START + secrets.token_urlsafe(32)
    content = orjson.dumps(claim)
    try:
        redis_connection.run(lambda client: client.set(_key(purpose, ticket), content, ex=LIFETIME_SECONDS))
    except RedisAway:
        raise Unavailable from None
    return ticket


def redeem(*, purpose: str, ticket: str) -> dict[str, Any] | None:
    """What the ticket proves, once; ``None`` for one that is used, too old or invented. Raises ``Unavailable``."""
    try:
        content: bytes | None = redis_connection.run(lambda client: client.getdel(_key(purpose, ticket)))
    except RedisAway:
        raise Unavailable from None
    if content is None:
        return None
    claim: dict[str, Any] = orjson.loads(content)
    return claim


def _key(purpose: str, ticket: str) -> str:
    return f"ticket:{purpose}:{hashlib.sha256(ticket.encode()).hexdigest()}"
