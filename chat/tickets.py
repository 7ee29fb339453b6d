"""What a ticket for a conversation's socket proves (`core.redis.tickets` has how tickets work)."""

import uuid
from dataclasses import asdict, dataclass

from core.redis import tickets

PURPOSE = "chat"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a ticket proves: this user may enter this conversation. ``key_id``: of the tenant's key that vouched."""

    conversation_id: uuid.UUID
    user_id: str
    user_name: str | None
    key_id: int | None
    account_id: int | None
    # The account's, when the ticket was issued: signing out everywhere ends tickets too.
    password_mark: str = ""


def issue(claim: Claim) -> str:
    """A new ticket. Raises ``Unavailable`` when Redis is away."""
    return tickets.issue(purpose=PURPOSE, claim=asdict(claim))


def redeem(ticket: str) -> Claim | None:
    """What the ticket proves, once; ``None`` for one that is used, too old or invented. Raises ``Unavailable``."""
    fields = tickets.redeem(purpose=PURPOSE, ticket=ticket)
    return None if fields is None else Claim(**{**fields, "conversation_id": uuid.UUID(fields["conversation_id"])})
