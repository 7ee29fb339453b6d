"""Who finished where: the ranking of a session's entries by its result mode (building block)."""

from collections.abc import Callable, Sequence

from gameplatform.accounts.models import Game
from gameplatform.core.secrets import decrypt
from rooms import draw
from rooms.models import Participant, Session, SubmittedResult


def by_draw(session: Session, entries: Sequence[Participant]) -> list[Participant]:
    """The entries in the order of their tickets."""
    by_id = {str(entry.public_id): entry for entry in entries}
    result = draw.draw(
        session_id=str(session.public_id), seed=decrypt(bytes(session.seed_encrypted)), entry_ids=list(by_id)
    )
    return [by_id[entry_id] for entry_id in result.order]


def by_submission(session: Session, entries: Sequence[Participant]) -> list[Participant] | None:
    """The entries as the game's server ranked them; ``None`` when it posted nothing."""
    result = SubmittedResult.objects.filter(pk=session.pk).first()
    if result is None:
        return None
    by_id = {entry.pk: entry for entry in entries}
    return [by_id[participant_id] for participant_id in result.ranking]


RANKINGS: dict[str, Callable[[Session, Sequence[Participant]], list[Participant] | None]] = {
    Game.ResultMode.DRAW: by_draw,
    Game.ResultMode.SUBMITTED: by_submission,
}


def is_available(result_mode: str) -> bool:
    """Whether sessions of this mode can be decided; rooms of other games cannot be made."""
    return result_mode in RANKINGS


def rank(*, session: Session, entries: Sequence[Participant]) -> list[Participant] | None:
    """All entries, best first; ``None`` when there is nothing to rank them by, and the session is void."""
    return RANKINGS[session.result_mode](session, entries)
