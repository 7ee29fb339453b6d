"""Muting, kicking, banning, reporting (use cases). Each leaves a row of the audit.

Roles are participants' ``meta.role`` (contract: chat, "Messages"). A caller acts only on those below it: a moderator on
members, an owner on moderators too, the tenant's key and staff on all.
"""

import uuid
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from chat import conversations, queries, takedown
from chat.access import CHANGE_MEMBER, CHANGE_REPORT, CHANGE_SANCTION, Caller, Rank, rank_of
from chat.errors import FieldInvalid, MessageNotFound, ParticipantNotFound, RoomAccessDenied
from chat.models import Conversation, Message, ModerationAct, Report, Sanction
from chat.notes import note
from core.db.transactions import use_case

_WORDS = {Sanction.Kind.MUTE: "muted", Sanction.Kind.BAN: "banned"}


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
    caller.require(CHANGE_MEMBER)
    room = _enter(caller, room_id, acting_as=acting_as, user_id=user_id)
    if queries.member(room.pk, user_id) is None:
        raise ParticipantNotFound
    before = _sanction(room, Sanction.Kind.MUTE, user_id, reason, expires_at, now)
    note(
        ModerationAct.Act.MUTE,
        caller=caller,
        conversation=room,
        acting_as=acting_as,
        user_id=user_id,
        reason=reason,
        expires_at=expires_at,
        before=before,
        after={"user_id": user_id, "muted": True, "until": expires_at},
        now=now,
    )


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
    caller.require(CHANGE_MEMBER)
    room = _enter(caller, room_id, acting_as=acting_as, user_id=user_id)
    before = _sanction(room, Sanction.Kind.BAN, user_id, reason, expires_at, now)
    is_member = queries.member(room.pk, user_id) is not None
    if is_member:
        conversations.expel(conversation_id=room.pk, client_id=room.client_id, user_id=user_id, why="banned", now=now)
    note(
        ModerationAct.Act.BAN,
        caller=caller,
        conversation=room,
        acting_as=acting_as,
        user_id=user_id,
        reason=reason,
        expires_at=expires_at,
        before={**before, "member": is_member},
        after={"user_id": user_id, "banned": True, "until": expires_at, "member": False},
        now=now,
    )


@use_case
def lift(
    *,
    caller: Caller,
    room_id: uuid.UUID,
    acting_as: str | None,
    user_id: str,
    kind: Sanction.Kind,
    now: datetime,
    reason: str = "",
) -> bool:
    """End a mute or ban before its time; False when there is none. Raises ``RoomNotFound``, ``RoomAccessDenied``."""
    caller.require(CHANGE_SANCTION)
    room = _enter(caller, room_id, acting_as=acting_as, user_id=user_id)
    before = _state(room, kind, user_id)
    open_ones = Sanction.objects.filter(conversation=room, user_id=user_id, kind=kind, lifted_at__isnull=True)
    lifted = open_ones.update(lifted_at=now)
    if lifted:
        note(
            ModerationAct.Act.UNMUTE if kind == Sanction.Kind.MUTE else ModerationAct.Act.UNBAN,
            caller=caller,
            conversation=room,
            acting_as=acting_as,
            user_id=user_id,
            reason=reason,
            before=before,
            after={"user_id": user_id, _WORDS[kind]: False},
            now=now,
        )
    return bool(lifted)


@use_case
def kick(
    *, caller: Caller, room_id: uuid.UUID, acting_as: str | None, user_id: str, reason: str, now: datetime
) -> None:
    """Put a participant out and close its sockets; it may join again.

    Raises ``RoomNotFound``, ``RoomAccessDenied``, ``ParticipantNotFound``.
    """
    caller.require(CHANGE_MEMBER)
    room = _enter(caller, room_id, acting_as=acting_as, user_id=user_id)
    conversations.expel(conversation_id=room.pk, client_id=room.client_id, user_id=user_id, why="kicked", now=now)
    note(
        ModerationAct.Act.KICK,
        caller=caller,
        conversation=room,
        acting_as=acting_as,
        user_id=user_id,
        reason=reason,
        before={"user_id": user_id, "member": True},
        after={"user_id": user_id, "member": False},
        now=now,
    )


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
        raise RoomAccessDenied(gettext_noop("The reporter is not a participant in this room"))
    _, is_new = Report.objects.get_or_create(
        message=message,
        reporter_id=reporter_id,
        defaults={"reason": reason, "content": message.content, "created_at": now},
    )
    if is_new:
        note(
            ModerationAct.Act.REPORT,
            caller=caller,
            conversation=message.conversation,
            acting_as=reporter_id,
            user_id=message.sender_id,
            reason=reason,
            message_id=message.pk,
            now=now,
        )
    return is_new


@use_case
def resolve_report(*, staff: Caller, report_id: int, now: datetime, reason: str = "") -> bool:
    """Close a report and leave its message as it is; False when it is closed or gone. Raises ``NotPermitted``."""
    staff.require(CHANGE_REPORT)
    report = Report.objects.select_related("message__conversation").filter(pk=report_id).first()
    return report is not None and _close(report, staff, reason, now)


@use_case
def uphold_report(*, staff: Caller, report_id: int, reason: str, now: datetime) -> bool:
    """Take the reported message out of sight, if it is not yet, and close the report; False as ``resolve_report``.

    Raises ``NotPermitted``, ``MessageNotFound`` when the message was pruned meanwhile.
    """
    staff.require(CHANGE_REPORT)
    report = Report.objects.select_related("message__conversation").filter(pk=report_id).first()
    if report is None:
        return False
    conversation, message = takedown.lock(staff, report.message_id)
    if not message.is_deleted:
        takedown.take_down(
            caller=staff, conversation=conversation, message=message, acting_as=None, reason=reason, now=now
        )
    return _close(report, staff, reason, now)


def _close(report: Report, staff: Caller, reason: str, now: datetime) -> bool:
    if not Report.objects.filter(pk=report.pk, resolved_at__isnull=True).update(resolved_at=now):
        return False
    message = report.message
    note(
        ModerationAct.Act.RESOLVE_REPORT,
        caller=staff,
        conversation=message.conversation,
        acting_as=None,
        user_id=message.sender_id,
        reason=reason or report.reason,
        message_id=message.pk,
        target=report,
        before={"resolved_at": None},
        after={"resolved_at": now},
        now=now,
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
) -> dict[str, Any]:
    """Put the sanction in force; how things stood before."""
    if expires_at is not None and expires_at <= now:
        raise FieldInvalid(gettext_noop("expires_at must be in the future"), field="expires_at")
    before = _state(room, kind, user_id)
    # One open sanction of a kind: the newer one replaces it (the room's lock makes this one step).
    Sanction.objects.filter(conversation=room, user_id=user_id, kind=kind, lifted_at__isnull=True).update(lifted_at=now)
    Sanction.objects.create(
        conversation=room, user_id=user_id, kind=kind, reason=reason, created_at=now, expires_at=expires_at
    )
    return before


def _state(room: Conversation, kind: Sanction.Kind, user_id: str) -> dict[str, Any]:
    standing = Sanction.objects.filter(conversation=room, user_id=user_id, kind=kind, lifted_at__isnull=True).first()
    state: dict[str, Any] = {"user_id": user_id, _WORDS[kind]: standing is not None}
    return state if standing is None else {**state, "until": standing.expires_at}
