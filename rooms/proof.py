"""The public record of a session's draw, which `docs/verify_draw.py` checks."""

from typing import Any

from core.security.secrets import decrypt
from rooms import draw
from rooms.models import Participant, Session

REVEALED = (Session.Status.ENDED, Session.Status.VOID)


def proof(session: Session) -> dict[str, Any]:
    """The public part at this moment: the commitment; from the lock on the roster; at the end everything.

    Amounts are in minor units, as they were divided. An ended session's entries come with ticket, rank and prize.
    """
    entries = list(
        Participant.objects.filter(session=session)
        .exclude(status=Participant.Status.LEFT)
        .order_by("rank", "id")
        .values("public_id", "rank", "prize_minor")
    )
    record: dict[str, Any] = {
        "version": draw.DOMAIN,
        "session": str(session.public_id),
        "status": session.status,
        "result_mode": session.result_mode,
        "commit": session.draw_commit,
        "roster": session.draw_roster,
        "beacon": draw.NO_BEACON,
        "entry_fee_minor": session.entry_fee_minor,
        "prize_shares_bp": session.prize_shares_bp,
        "pool_minor": session.entry_fee_minor * len(entries),
        "seed": None,
        "key": None,
        "entries": [{"id": str(entry["public_id"])} for entry in entries] if session.draw_roster else [],
    }
    if session.status not in REVEALED or session.draw_roster is None:
        return record
    seed = decrypt(bytes(session.seed_encrypted))
    result = draw.draw(
        session_id=str(session.public_id), seed=seed, entry_ids=[str(entry["public_id"]) for entry in entries]
    )
    record["seed"] = seed.hex()
    record["key"] = result.key
    record["entries"] = [
        {
            "id": str(entry["public_id"]),
            "ticket": result.tickets[str(entry["public_id"])],
            "rank": entry["rank"],
            "prize_minor": entry["prize_minor"],
        }
        for entry in entries
    ]
    return record
