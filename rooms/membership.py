"""Participants become members of their room's conversation right after they have paid (use cases).

The payment leaves a ``MembershipOwed``. Once it has committed, and before it is answered, the membership is settled in
a transaction of its own: the conversation's row is not locked while money moves. After a crash the tick settles it.
"""

import logging
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from chat import conversations
from core.db import sql
from core.db.transactions import require_atomic, use_case
from rooms.models import MembershipOwed

logger = logging.getLogger(__name__)

# Long enough for the request that owes it, which settles it within milliseconds.
OVERDUE_SECONDS = 5
OVERDUE_MAX = 500


def settle_on_commit(*, participant_id: int, now: datetime) -> None:
    """Settle it when the current transaction has committed. A failure is logged and left to the tick."""
    require_atomic()
    transaction.on_commit(partial(settle, participant_id=participant_id, now=now), robust=True)


@use_case
def settle(*, participant_id: int, now: datetime) -> None:
    """Make the participant a member, if that is owed and the chat lets it in; safe to repeat. One statement."""
    answer = sql.call("membership_settle", participant_id, now)
    if answer["members_count"] is not None:
        conversations.announce_member(
            conversation_id=answer["conversation_id"],
            user_id=answer["user_id"],
            user_name=answer["user_name"],
            participant_count=answer["members_count"],
            now=now,
        )


def settle_overdue(*, now: datetime) -> None:
    """Settle what crashes have left, oldest first, each in its own transaction; called by the tick."""
    overdue = MembershipOwed.objects.filter(owed_since__lte=now - timedelta(seconds=OVERDUE_SECONDS))
    for participant_id in list(overdue.order_by("owed_since").values_list("pk", flat=True)[:OVERDUE_MAX]):
        try:
            settle(participant_id=participant_id, now=now)
        except Exception:
            logger.exception("the membership of participant %s could not be settled", participant_id)
