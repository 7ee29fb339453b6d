"""Draw v1: a commit–reveal draw that anyone can check afterwards (pure).

When a session opens a random seed is fixed and its commitment published; when joining closes the roster is fixed and
its hash published; at the end the seed is revealed. Rank is the order of tickets, and a ticket is a keyed hash of the
entry's id. A result changed after the lock contradicts the published hashes. An operator who knows the seed can still
plant an entry before the lock: `docs/fairness.md` tells players so.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

DOMAIN = "gameplatform-draw-v1"
NO_BEACON = "-"
SEED_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Draw:
    """A finished draw: ``tickets`` maps entry ids to tickets, ``order`` lists the entry ids from rank 1 on."""

    key: str
    tickets: dict[str, str]
    order: list[str]


def _sha256(*parts: str) -> str:
    return hashlib.sha256("|".join((DOMAIN, *parts)).encode()).hexdigest()


def commit(*, session_id: str, seed: bytes) -> str:
    """The commitment to ``seed`` that is published when the session opens."""
    return _sha256("commit", session_id, seed.hex())


def roster(*, session_id: str, entry_ids: Sequence[str]) -> str:
    """The hash of the participants, published when joining closes."""
    return _sha256("roster", session_id, str(len(entry_ids)), ",".join(sorted(entry_ids)))


def draw(*, session_id: str, seed: bytes, entry_ids: Sequence[str], beacon: str = NO_BEACON) -> Draw:
    """Rank the entries by ascending ticket."""
    locked = roster(session_id=session_id, entry_ids=entry_ids)
    key = hmac.new(seed, "|".join((DOMAIN, "key", session_id, locked, beacon)).encode(), hashlib.sha256)
    tickets = {e: hmac.new(key.digest(), e.encode(), hashlib.sha256).hexdigest() for e in entry_ids}
    return Draw(key=key.hexdigest(), tickets=tickets, order=sorted(entry_ids, key=lambda e: (tickets[e], e)))
