"""Rank a session's entries by its result mode (building block)."""

from collections.abc import Callable, Sequence
from datetime import datetime

from accounts.models import Game
from core.security.secrets import decrypt
from rooms import draw
from rooms.models import Participant, Session, SubmittedResult
from rounds import contests


def by_draw(session: Session, entries: Sequence[Participant], now: datetime) -> list[Participant]:
    """The entries in the order of their tickets."""
    by_id = {str(entry.public_id): entry for entry in entries}
    return [by_id[entry_id] for entry_id in _draw(session, entries).order]


def by_submission(session: Session, entries: Sequence[Participant], now: datetime) -> list[Participant] | None:
    """The entries as the game's server ranked them; ``None`` when it posted nothing."""
    result = SubmittedResult.objects.filter(pk=session.pk).first()
    if result is None:
        return None
    by_id = {entry.pk: entry for entry in entries}
    return [by_id[participant_id] for participant_id in result.ranking]


def by_score(session: Session, entries: Sequence[Participant], now: datetime) -> list[Participant] | None:
    """The entries by their scores in the session's contest, which takes none from here on; ``None`` without a score.

    Ties go by earlier submission, then by draw ticket; entries without a score come last.
    """
    assert session.contest_id is not None
    drawn = _draw(session, entries)
    tickets = {entry.user_id: drawn.tickets[str(entry.public_id)] for entry in entries}
    standings = contests.freeze(contest_id=session.contest_id, tickets=tickets, now=now)
    if all(standing.score is None for standing in standings):
        return None
    by_user = {entry.user_id: entry for entry in entries}
    return [by_user[standing.user_id] for standing in standings if standing.user_id is not None]


def _draw(session: Session, entries: Sequence[Participant]) -> draw.Draw:
    return draw.draw(
        session_id=str(session.public_id),
        seed=decrypt(bytes(session.seed_encrypted)),
        entry_ids=[str(entry.public_id) for entry in entries],
    )


Ranking = Callable[[Session, Sequence[Participant], datetime], list[Participant] | None]
RANKINGS: dict[str, Ranking] = {
    Game.ResultMode.DRAW: by_draw,
    Game.ResultMode.SCORE: by_score,
    Game.ResultMode.SUBMITTED: by_submission,
}


def rank(*, session: Session, entries: Sequence[Participant], now: datetime) -> list[Participant] | None:
    """All entries, best first; ``None`` without a result: the session is void then."""
    return RANKINGS[session.result_mode](session, entries, now)
