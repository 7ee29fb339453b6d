"""Join and leave a session (use cases; one SQL function each, see `rooms/sql`)."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.utils.translation import gettext_noop

from accounts.models import User
from chat import conversations
from core.amounts import format_amount_fixed
from core.db import sql
from core.db.transactions import use_case
from core.errors import DomainError
from payments.errors import InsufficientFunds, TokenFrozen
from rooms import errors, events, membership, outgoing
from rooms.events import Type
from rooms.terms import AMOUNT_DECIMALS
from webhooks.outbox import IS_HEARD

_REFUSALS: dict[str, type[DomainError]] = {
    "room_not_found": errors.RoomNotFound,
    "session_not_found": errors.SessionNotFound,
    "already_joined": errors.AlreadyJoined,
    "not_joined": errors.NotJoined,
    "not_started": errors.SessionNotOpenYet,
    "full": errors.SessionFull,
    "wallet_not_connected": errors.WalletNotConnected,
    "insufficient_funds": InsufficientFunds,
    "token_frozen": TokenFrozen,
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A player's paid place, as the join made it."""

    participant_id: int
    public_id: uuid.UUID
    amount_minor: int
    wallet_address: str
    tx_hash: str
    joined_at: datetime
    participants_count: int


@dataclass(frozen=True, kw_only=True)
class Departure:
    """A place given back; ``tx_hash`` is its refund's."""

    participant_id: int
    tx_hash: str
    participants_count: int


@use_case
def join_session(
    *, room_id: int, session_id: int, player: User, amount_minor: int, now: datetime, request_key: str | None
) -> Entry:
    """Pay the entry fee and take a seat, or refuse and move nothing.

    ``amount_minor`` is what the player saw and must be the session's frozen fee. The same ``request_key`` again answers
    the first entry. Raises the refusals of the contract's join table: ``RoomNotFound``, ``SessionNotFound``,
    ``AlreadyJoined``, ``SessionNotOpenYet``, ``JoinWindowClosed``, ``SessionFull``, ``WrongAmount``,
    ``WalletNotConnected``, ``TokenFrozen``, ``InsufficientFunds``, looked for in this order.
    """
    answer = sql.call(
        "session_join",
        room_id,
        session_id,
        player.pk,
        amount_minor,
        request_key,
        uuid.uuid4(),
        uuid.uuid4(),
        now,
        also=outgoing.listening(Type.JOINED),
    )
    result = answer["result"]
    if result == "window_closed":
        raise errors.JoinWindowClosed()
    if result == "wrong_amount":
        fee = format_amount_fixed(answer["amount_minor"], decimals=AMOUNT_DECIMALS)
        raise errors.WrongAmount(
            gettext_noop("Amount must equal the participation amount of this session (%(entry_fee)s)"), entry_fee=fee
        )
    if result in _REFUSALS:
        raise _REFUSALS[result]()
    if result == "joined":
        _announce(Type.JOINED, room_id=room_id, session_id=session_id, answer=answer, now=now)
        if answer["conversation_id"] is not None:
            membership.settle_on_commit(participant_id=answer["participant_id"], now=now)
    return Entry(
        participant_id=answer["participant_id"],
        public_id=answer["public_id"],
        amount_minor=answer["amount_minor"],
        wallet_address=answer["wallet_address"],
        tx_hash=answer["tx_hash"],
        joined_at=answer["joined_at"],
        participants_count=answer["participants_count"],
    )


@use_case
def leave_session(*, session_id: int, player: User, now: datetime, request_key: str | None) -> Departure:
    """Give the seat back while the session is pending; the fee returns in full.

    The same ``request_key`` again answers the first departure. Raises ``SessionNotFound``, ``NotJoined``,
    ``LeaveWindowClosed``, ``TokenFrozen``; nothing moves then.
    """
    leaving = outgoing.listening(Type.LEFT)
    answer = sql.call("session_leave", session_id, player.pk, request_key, uuid.uuid4(), now, also=leaving)
    if answer["result"] == "window_closed":
        raise errors.LeaveWindowClosed()
    if answer["result"] in _REFUSALS:
        raise _REFUSALS[answer["result"]]()
    if answer["result"] == "left":
        if answer["conversation_id"] is not None:
            conversations.remove_member(conversation_id=answer["conversation_id"], user=player, now=now)
        _announce(Type.LEFT, room_id=answer["room_id"], session_id=session_id, answer=answer, now=now)
    return Departure(
        participant_id=answer["participant_id"],
        tx_hash=answer["tx_hash"],
        participants_count=answer["participants_count"],
    )


def _announce(type: Type, *, room_id: int, session_id: int, answer: Mapping[str, Any], now: datetime) -> None:
    """Publish the event that the SQL function has kept, and tell the webhooks that listen."""
    payload = orjson.loads(answer["payload"])
    events.announce(room_id=room_id, session_id=session_id, seq=answer["seq"], type=type, payload=payload, now=now)
    if answer[IS_HEARD]:
        subject = outgoing.Subject(**orjson.loads(answer["subject"]))
        outgoing.tell(subject=subject, type=type, payload=payload, now=now)
