"""Post the ranking of a running session, by its game's server (use case; contract: rooms, "Ranks")."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext_noop

from accounts.models import ApiKey, Game
from core.db.transactions import use_case
from rooms import locks
from rooms.errors import ResultDiffers, ResultInvalid, ResultRefused, SessionNotFound
from rooms.models import Participant, Session, SubmittedResult


@use_case
def submit_result(*, session_id: int, ranking: Sequence[int], key: ApiKey, now: datetime) -> SubmittedResult:
    """Keep the ranking, participant ids best first, by which the session is settled at its end.

    The first ranking stands: the same again is accepted, another raises ``ResultDiffers``. Raises ``SessionNotFound``
    for unknown sessions and those of other games, ``ResultRefused`` unless the session is running, its deadline ahead
    and its result the server's to give, ``ResultInvalid`` unless every paid participant is ranked exactly once.
    """
    session = locks.lock_session(session_id)
    if session.room.game_id != key.client.game_id:
        raise SessionNotFound()
    known = SubmittedResult.objects.filter(pk=session.pk).first()
    if known is not None:
        if known.ranking != list(ranking):
            raise ResultDiffers()
        return known
    if session.result_mode != Game.ResultMode.SUBMITTED:
        raise ResultRefused(gettext_noop("The result of this session is decided by %(mode)s"), mode=session.result_mode)
    if session.status != Session.Status.RUNNING or now >= session.ends_at:
        raise ResultRefused(gettext_noop("Results are taken while the session is running"))
    paid = Participant.objects.filter(session=session, status=Participant.Status.PAID)
    if sorted(ranking) != sorted(paid.values_list("pk", flat=True)):
        raise ResultInvalid(gettext_noop("The ranking must name every participant of the session exactly once"))
    return SubmittedResult.objects.create(session=session, ranking=list(ranking), key=key, submitted_at=now)
