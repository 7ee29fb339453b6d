"""Create, change, pause and delete rooms (use cases of masters and staff)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from accounts import roles
from accounts.models import Game, User
from core import trail
from core.db.transactions import use_case
from payments import wallets
from rooms import events, locks, names, opening, prizes, queries, talk, terms
from rooms.errors import GameNotFound, NotMaster, RoomNotFound
from rooms.models import Room, Session
from rooms.queries import MANAGE
from rooms.terms import TermsChange


@use_case
def create_room(
    *,
    actor: User,
    game_id: int,
    name: str | None,
    symbol: str | None,
    entry_fee_minor: int,
    prize_table: Sequence[tuple[int, Decimal]],
    now: datetime,
    **counts: int | None,
) -> Room:
    """Create a room owned by the actor and open its first session.

    A missing ``name`` is generated; ``counts`` are any of ``terms.COUNT_TERMS``. Raises ``NotMaster``,
    ``GameNotFound``, ``RoomInvalid``, ``RoomNameTaken``, ``DefaultSymbolMissing``.
    """
    _require_master(actor)
    game = Game.objects.filter(pk=game_id, status=Game.Status.ACTIVE).first()
    if game is None:
        raise GameNotFound()
    room = Room(
        symbol=symbol,
        game=game,
        owner=actor,
        token=wallets.token_by_symbol(settings.ROOM_TOKEN_SYMBOL),
        entry_fee_minor=entry_fee_minor,
        prize_shares_bp=prizes.prize_shares(prize_table),
        created_at=now,
        **{**counts, **terms.counts(counts)},
    )
    terms.check_terms(room=room)
    if name is None:
        room.name = names.generate_name(game=game)
    else:
        names.claim_name(name=name, room_id=None)
        room.name = name
    room.conversation = talk.open_conversation(room=room, now=now)
    room.save()
    trail.record(actor=actor, action=gettext_noop("room created"), target=room, after=terms_of(room), now=now)
    opening.open_in(room=room, now=now)
    return room


@use_case
def edit_room(*, actor: User, room_id: int, change: TermsChange, now: datetime, reason: str = "") -> Room:
    """Change a room's terms: at once, or after the live session, which keeps its frozen terms.

    A further edit builds on the pending one. Raises ``NotMaster``, ``RoomNotFound``, ``RoomInvalid``,
    ``RoomNameTaken``.
    """
    room = _lock_own_room(actor, room_id)
    asked = change.asked()
    if change.name is not None:
        names.claim_name(name=change.name, room_id=room.pk)
    waiting = {**(room.pending_change or {}), **asked}
    before = {name: getattr(room, name) for name in asked}
    terms.apply(room=room, change=waiting)
    terms.check_terms(room=room)
    if _has_live_session(room):
        room.refresh_from_db(fields=[*terms.TERM_NAMES])
        room.pending_change = waiting
        room.pending_name = waiting.get("name")
        room.save(update_fields=["pending_change", "pending_name"])
    else:
        room.pending_change = room.pending_name = None
        room.save(update_fields=["pending_change", "pending_name", *terms.TERM_NAMES])
    action = (
        gettext_noop("room edited")
        if room.pending_change is None
        else gettext_noop("room edited, from the next session on")
    )
    trail.record(actor=actor, action=action, target=room, reason=reason, before=before, after=asked, now=now)
    if room.pending_change is None:
        events.record_room(room=room, what="edited", now=now)
    return room


@use_case
def switch_room(*, actor: User, room_id: int, on: bool, now: datetime, reason: str = "") -> Room:
    """Resume or pause opening sessions; a live session finishes normally. Raises ``NotMaster``, ``RoomNotFound``."""
    room = _lock_own_room(actor, room_id)
    before = {"status": room.status}
    room.status = Room.Status.OPEN if on else Room.Status.INACTIVE
    if not _has_live_session(room):
        room.next_open_at = now if on else None
    room.save(update_fields=["status", "next_open_at"])
    action = gettext_noop("room switched on") if on else gettext_noop("room switched off")
    after = {"status": room.status}
    trail.record(actor=actor, action=action, target=room, reason=reason, before=before, after=after, now=now)
    events.record_room(room=room, what="switched on" if on else "switched off", now=now)
    return room


@use_case
def delete_room(*, actor: User, room_id: int, now: datetime, reason: str = "") -> None:
    """Hide the room and open no more sessions; a live one finishes with prizes or refunds (contract: rooms, "delete").

    Raises ``NotMaster``, and ``RoomNotFound`` when it is deleted already.
    """
    room = _lock_own_room(actor, room_id)
    before = {"status": room.status, "pending_change": room.pending_change}
    room.status = Room.Status.DELETED
    room.deleted_at = now
    room.next_open_at = None
    room.pending_change = room.pending_name = None
    room.save(update_fields=["status", "deleted_at", "next_open_at", "pending_change", "pending_name"])
    after = {"status": room.status, "pending_change": None}
    trail.record(
        actor=actor,
        action=gettext_noop("room deleted"),
        target=room,
        reason=reason,
        before=before,
        after=after,
        now=now,
    )
    events.record_room(room=room, what="deleted", now=now)
    if not _has_live_session(room):
        talk.close_conversation(room=room, now=now)


def terms_of(room: Room) -> dict[str, Any]:
    """The room's present terms, by field name."""
    return {name: getattr(room, name) for name in terms.TERM_NAMES}


def _require_master(actor: User) -> None:
    if not (actor.is_master or roles.may(actor, MANAGE)):
        raise NotMaster()


def _lock_own_room(actor: User, room_id: int) -> Room:
    """Lock the room if the actor manages it; another master's room is not found."""
    _require_master(actor)
    room = locks.lock_room(room_id)
    if room.status == Room.Status.DELETED or not queries.manages(user=actor, room=room):
        raise RoomNotFound()
    return room


def _has_live_session(room: Room) -> bool:
    return Session.objects.filter(room=room, status__in=Session.LIVE).exists()
