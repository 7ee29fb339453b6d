"""Score a player in a running session (use case; contract: rounds, "Rules"; contract: rooms, "Ranks")."""

from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_noop

from accounts.models import User
from core.db.transactions import use_case
from rooms.errors import ScoreRefused, SessionNotFound
from rooms.models import Session
from rounds import contests
from rounds.errors import ContestNotRunning, NotEntered


@use_case
def submit_score(*, session_id: int, player: User, score: Decimal, now: datetime) -> None:
    """Set the player's own score; the last one before the end counts.

    Raises ``SessionNotFound``; ``ScoreRefused`` unless the session is decided by score, running at ``now`` and the
    player in it; ``InvalidScore`` for a number with too many digits.
    """
    session = Session.objects.filter(pk=session_id).first()
    if session is None:
        raise SessionNotFound()
    if session.contest_id is None:
        raise ScoreRefused(gettext_noop("The result of this session is decided by %(mode)s"), mode=session.result_mode)
    try:
        contests.submit_score(contest_id=session.contest_id, user_id=player.pk, score=score, now=now)
    except NotEntered:
        raise ScoreRefused(gettext_noop("You have not joined this session")) from None
    except ContestNotRunning:
        raise ScoreRefused(gettext_noop("Scores are taken while the session is running")) from None
