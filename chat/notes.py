"""What leaves a trace (building block): the chat's own audit, of which the tenant's servers are told, and the trail of
the platform when staff did it.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_noop

from chat import outgoing
from chat.access import Caller
from chat.models import Conversation, ModerationAct
from core import trail
from core.db.transactions import require_atomic

Act = ModerationAct.Act
# The names of the acts in the platform's trail.
TRAIL_NAMES = {
    Act.MUTE: gettext_noop("chat: mute"),
    Act.UNMUTE: gettext_noop("chat: unmute"),
    Act.KICK: gettext_noop("chat: kick"),
    Act.BAN: gettext_noop("chat: ban"),
    Act.UNBAN: gettext_noop("chat: unban"),
    Act.DELETE_MESSAGE: gettext_noop("chat: delete message"),
    Act.RESTORE_MESSAGE: gettext_noop("chat: restore message"),
    Act.EDIT_MESSAGE: gettext_noop("chat: edit message"),
    Act.REPORT: gettext_noop("chat: report"),
    Act.RESOLVE_REPORT: gettext_noop("chat: resolve report"),
    Act.DELETE_ROOM: gettext_noop("chat: delete room"),
    Act.DEACTIVATE_ROOM: gettext_noop("chat: deactivate room"),
    Act.ACTIVATE_ROOM: gettext_noop("chat: activate room"),
}


def note(
    act: ModerationAct.Act,
    *,
    caller: Caller,
    conversation: Conversation,
    acting_as: str | None,
    now: datetime,
    user_id: str = "",
    reason: str = "",
    expires_at: datetime | None = None,
    message_id: uuid.UUID | None = None,
    target: models.Model | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Leave the row of one act of moderation.

    What staff do from the back-office is also in the audit trail, as an act on ``target`` (the conversation when there
    is no other) with the values before and after.
    """
    require_atomic()
    noted = ModerationAct.objects.create(
        conversation_id=conversation.pk,
        client_id=conversation.client_id,
        actor=caller.label(acting_as=acting_as),
        act=act,
        user_id=user_id,
        message_id=message_id,
        reason=reason,
        expires_at=expires_at,
        created_at=now,
    )
    outgoing.tell_moderation(noted)
    if caller.staff is None:
        return
    trail.record(
        actor=caller.staff,
        action=TRAIL_NAMES[act],
        target=conversation if target is None else target,
        reason=reason,
        before=before,
        after=after,
        now=now,
    )
