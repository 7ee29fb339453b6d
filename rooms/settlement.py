"""The end of a session that ran: rank the entries and pay the pool out, once (use case)."""

import uuid
from datetime import datetime

from django.utils.translation import gettext_noop

from core.db import sql
from core.db.transactions import use_case
from payments.errors import TokenFrozen
from rooms import closing, events, locks, prizes, ranking
from rooms.models import Participant, Session
from rooms.transitions import transition

NO_RESULT = gettext_noop("no result by the deadline")


@use_case
def settle_session(*, session_id: int, now: datetime) -> bool:
    """At its end time: rank all entries, pay every prize, leave the escrow empty and date the next session.

    With nothing to rank by (no score, no posted result) the session is void and everybody is refunded.

    False when it is not due, already over, or in another worker's hands. Raises ``TokenFrozen``: it stays running.
    """
    due = Session.objects.filter(pk=session_id, status=Session.Status.RUNNING, ends_at__lte=now)
    session = locks.claim_session(due)
    if session is None:
        return False
    entries = list(
        Participant.objects.filter(session=session, status=Participant.Status.PAID)
        .select_related("user")
        .order_by("id")
    )
    ranked = ranking.rank(session=session, entries=entries, now=now)
    if ranked is None:
        closing.close_with_refund(session=session, to=Session.Status.VOID, now=now, reason=NO_RESULT)
        return True
    # I7: while the session is live its escrow holds exactly the entries' fees; settle_session checks that it empties.
    pool_minor = sum(entry.amount_minor for entry in entries)
    awards = prizes.award(pool_minor=pool_minor, shares_bp=session.prize_shares_bp, entries=len(ranked))
    transition(session=session, to=Session.Status.ENDED, now=now, reason=gettext_noop("settled"))
    done = sql.call("session_settle", session.pk, [entry.pk for entry in ranked], awards, uuid.uuid4(), now)
    if done["result"] == "token_frozen":
        raise TokenFrozen()
    closing.schedule_next(session=session, now=now)
    events.record(
        room_id=session.room_id,
        session_id=session.pk,
        type=events.ENDED,
        payload={
            "pool_minor": pool_minor,
            "results": [
                {
                    "rank": place,
                    "participant_id": entry.pk,
                    "user_id": entry.user_id,
                    "username": entry.user.username,
                    "prize_minor": prize,
                }
                for place, (entry, prize) in enumerate(zip(ranked, awards, strict=True), start=1)
            ],
        },
        now=now,
    )
    closing.close_room_if_deleted(session=session, now=now)
    return True
