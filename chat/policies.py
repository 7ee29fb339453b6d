"""Who may put text before the others of a conversation: the one rule of every path.

Posting applies it inside ``chat/sql/post_message.sql``, under the lock that numbers the message.
"""

import uuid
from datetime import datetime

from django.utils.translation import gettext_noop

from chat import queries
from chat.errors import RoomAccessDenied, UserMuted


def require_voice(conversation_id: uuid.UUID, user_id: str | None, *, now: datetime) -> None:
    """A user speaks as a member who is neither muted nor banned; ``None`` is a tenant or staff, who always may.

    Raises ``RoomAccessDenied``, ``UserMuted``.
    """
    if user_id is None:
        return
    if queries.member(conversation_id, user_id) is None:
        raise RoomAccessDenied(gettext_noop("The sender is not a participant in this room"))
    silenced = queries.sanctions_in_force(conversation_id, now=now).filter(user_id=user_id)
    until = list(silenced.values_list("expires_at", flat=True)[:1])
    if until:
        raise UserMuted(expires_at=until[0])
