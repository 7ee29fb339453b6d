"""Settlement: rank the entries of a session that ran and pay the pool out, once (use case)."""

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

    Without a score or a posted result the session is void and all entries are refunded.

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
    # I7: while the session is live its escrow holds exactly the entries' fees; session_settle checks that it empties.
    pool_minor = session.entry_fee_minor * len(entries)
    awards = prizes.award(pool_minor=pool_minor, shares_bp=session.prize_shares_bp, entries=len(ranked))
    transition(session=session, to=Session.Status.ENDED, now=now, reason=gettext_noop("settled"))
    places = [entry.pk for entry in ranked]
    done = sql.call("session_settle", session.pk, places, awards, pool_minor, uuid.uuid4(), now)
    if done["result"] == "token_frozen":
        raise TokenFrozen()
    closing.finish(
        session=session,
        room=locks.lock_room(session.room_id),
        type=events.Type.ENDED,
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
    return True
