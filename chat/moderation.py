"""Muting, kicking, banning, reporting (use cases). Each leaves a row of the audit.

Roles are participants' ``meta.role`` (contract: chat, "Messages"). A caller acts only on those below it: a moderator on
members, an owner on moderators too, the tenant's key and staff on all.
"""

import uuid
from datetime import datetime

from chat import conversations, outgoing, queries
from chat.access import Caller, Rank, rank_of
from chat.errors import FieldInvalid, MessageNotFound, ParticipantNotFound, RoomAccessDenied
from chat.models import Conversation, Message, ModerationAct, Report, Sanction
from gameplatform.core.transactions import use_case


@use_case
def mute(
    *,
    caller: Caller,
    room_id: uuid.UUID,
    acting_as: str | None,
    user_id: str,
    reason: str,
    expires_at: datetime | None,
    now: datetime,
) -> None:
    """Let a participant read but not post until ``expires_at`` (``None``: until lifted); a newer mute replaces one.

    Raises ``RoomNotFound``, ``RoomAccessDenied``, ``ParticipantNotFound``, ``FieldInvalid`` for a time that is over.
    """
    room = _enter(caller, room_id, acting_as=acting_as, user_id=user_id)
    if queries.member(room.pk, user_id) is None:
        raise ParticipantNotFound
    _sanction(room, Sanction.Kind.MUTE, user_id, reason, expires_at, now)
    _note(ModerationAct.Act.MUTE, caller, room, acting_as, user_id, reason, now, expires_at=expires_at)


@use_case
def ban(
    *,
    caller: Caller,
    room_id: uuid.UUID,
    acting_as: str | None,
    user_id: str,
    reason: str,
    expires_at: datetime | None,
    now: datetime,
) -> None:
    """Put a user out, close its sockets and keep it out until ``expires_at`` (``None``: until lifted).

    The user need not be in the room. Raises ``RoomNotFound``, ``RoomAccessDenied``, ``FieldInvalid``.
    """
    room = _enter(caller, room_id, acting_as=acting_as, user_id=user_id)
    _sanction(room, Sanction.Kind.BAN, user_id, reason, expires_at, now)
    if queries.member(room.pk, user_id) is not None:
        conversations.expel(conversation_id=room.pk, client_id=room.client_id, user_id=user_id, why="banned", now=now)
    _note(ModerationAct.Act.BAN, caller, room, acting_as, user_id, reason, now, expires_at=expires_at)


@use_case
def lift(
    *, caller: Caller, room_id: uuid.UUID, acting_as: str | None, user_id: str, kind: Sanction.Kind, now: datetime
) -> bool:
    """End a mute or ban before its time; False when there is none. Raises ``RoomNotFound``, ``RoomAccessDenied``."""
    room = _enter(caller, room_id, acting_as=acting_as, user_id=user_id)
    open_ones = Sanction.objects.filter(conversation=room, user_id=user_id, kind=kind, lifted_at__isnull=True)
    lifted = open_ones.update(lifted_at=now)
    if lifted:
        act = ModerationAct.Act.UNMUTE if kind == Sanction.Kind.MUTE else ModerationAct.Act.UNBAN
        _note(act, caller, room, acting_as, user_id, "", now)
    return bool(lifted)


@use_case
def kick(
    *, caller: Caller, room_id: uuid.UUID, acting_as: str | None, user_id: str, reason: str, now: datetime
) -> None:
    """Put a participant out and close its sockets; it may join again.

    Raises ``RoomNotFound``, ``RoomAccessDenied``, ``ParticipantNotFound``.
    """
    room = _enter(caller, room_id, acting_as=acting_as, user_id=user_id)
    conversations.expel(conversation_id=room.pk, client_id=room.client_id, user_id=user_id, why="kicked", now=now)
    _note(ModerationAct.Act.KICK, caller, room, acting_as, user_id, reason, now)


@use_case
def report(*, caller: Caller, message_id: uuid.UUID, reporter_id: str, reason: str, now: datetime) -> bool:
    """Tell the moderators about a message; False when this participant has done so before.

    Raises ``MessageNotFound`` (deleted ones too), ``RoomAccessDenied`` when the reporter is not in the room.
    """
    message = (
        Message.objects.filter(pk=message_id, is_deleted=False, conversation__in=caller.conversations())
        .select_related("conversation")
        .first()
    )
    if message is None:
        raise MessageNotFound
    if queries.member(message.conversation_id, reporter_id) is None:
        raise RoomAccessDenied("The reporter is not a participant in this room")
    _, is_new = Report.objects.get_or_create(
        message=message,
        reporter_id=reporter_id,
        defaults={"reason": reason, "content": message.content, "created_at": now},
    )
    if is_new:
        _note(
            ModerationAct.Act.REPORT,
            caller,
            message.conversation,
            reporter_id,
            message.sender_id,
            reason,
            now,
            message_id=message.pk,
        )
    return is_new


@use_case
def resolve_report(*, staff: Caller, report_id: int, now: datetime) -> bool:
    """Close a report; False when it is closed or gone."""
    report = Report.objects.select_related("message__conversation").filter(pk=report_id).first()
    closed = Report.objects.filter(pk=report_id, resolved_at__isnull=True).update(resolved_at=now)
    if report is None or not closed:
        return False
    message = report.message
    _note(
        ModerationAct.Act.RESOLVE_REPORT,
        staff,
        message.conversation,
        None,
        message.sender_id,
        report.reason,
        now,
        message_id=message.pk,
    )
    return True


def _enter(caller: Caller, room_id: uuid.UUID, *, acting_as: str | None, user_id: str) -> Conversation:
    """The locked room, once it is certain that the caller may act on the user there."""
    room = conversations.lock(room_id, among=caller.conversations())
    rank = caller.rank(room.pk, acting_as=acting_as)
    if rank < Rank.MODERATOR or rank <= rank_of(room.pk, user_id):
        raise RoomAccessDenied
    return room


def _sanction(
    room: Conversation, kind: Sanction.Kind, user_id: str, reason: str, expires_at: datetime | None, now: datetime
) -> None:
    if expires_at is not None and expires_at <= now:
        raise FieldInvalid("expires_at must be in the future", field="expires_at")
    # One open sanction of a kind: the newer one replaces it (the room's lock makes this one step).
    Sanction.objects.filter(conversation=room, user_id=user_id, kind=kind, lifted_at__isnull=True).update(lifted_at=now)
    Sanction.objects.create(
        conversation=room, user_id=user_id, kind=kind, reason=reason, created_at=now, expires_at=expires_at
    )


def _note(
    act: ModerationAct.Act,
    caller: Caller,
    room: Conversation,
    acting_as: str | None,
    user_id: str,
    reason: str,
    now: datetime,
    *,
    expires_at: datetime | None = None,
    message_id: uuid.UUID | None = None,
) -> None:
    noted = ModerationAct.objects.create(
        conversation_id=room.pk,
        client_id=room.client_id,
        actor=caller.label(acting_as=acting_as),
        act=act,
        user_id=user_id,
        message_id=message_id,
        reason=reason,
        expires_at=expires_at,
        created_at=now,
    )
    outgoing.tell_moderation(noted)
