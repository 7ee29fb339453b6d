"""Seals: a hash chain over the transfers, which no transfer can enter later (use case).

The rule that makes a range safe to seal without stopping writers: a transfer's id is drawn by the INSERT,
which first takes PostgreSQL's ROW EXCLUSIVE lock on the table and keeps it until its transaction ends. So first the
highest id drawn is read, then who holds that lock: an owner of one of those ids that has not ended is among them. When
they have all ended, each of those ids is a committed transfer or will never be one. (A lock is let go after the commit
can be seen.) Later writers hold nothing up, nor do transactions that never posted.

The numbers of transactions would not do instead: a snapshot's ``xmax`` counts only those that have *ended*, so the
newest open one stands above it and would not be waited for; and any old one in any database of the server would be.
"""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from core.db import sql
from core.db.transactions import use_case
from payments.models import LedgerSeal, Transfer

logger = logging.getLogger(__name__)

GENESIS_DIGEST = "0" * 64
PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.05
# One link covers at most so many transfers: its digest is computed over one text.
_TRANSFERS_MAX = 50_000
# "seal" in ASCII: the holder of this advisory lock extends the chain.
_CHAIN_LOCK = 0x7365616C


@dataclass(frozen=True, kw_only=True)
class SealReport:
    """The report of one run. ``waited_out``: a writer outlasted the patience; try again later."""

    sealed: list[LedgerSeal] = field(default_factory=list)
    waited_out: bool = False


def seal_ledger(*, now: datetime, patience_seconds: float = PATIENCE_SECONDS) -> SealReport:
    """Seal every transfer that was booked before the call. Any number of processes may do so at once.

    Waits, with no transaction open, until every transaction that could own one of the ids has ended, at most
    ``patience_seconds``; then gives up and leaves it all to the next run.
    """
    if connection.in_atomic_block:
        raise RuntimeError("seal_ledger waits for open transactions, so it cannot run inside one")
    highest_id = highest_drawn_id()
    if highest_id <= sealed_up_to():
        return SealReport()
    if not _wait_for_writers(patience_seconds):
        logger.warning("The ledger was not sealed: a transaction that posted has been open for longer than the wait")
        return SealReport(waited_out=True)
    sealed = []
    while (seal := _seal_next(highest_id=highest_id, now=now)) is not None:
        # The log is a second copy of the chain: a forger of the database has to forge it too.
        logger.info("ledger_seal transfers=%s-%s digest=%s", seal.first_transfer_id, seal.last_transfer_id, seal.digest)
        sealed.append(seal)
    return SealReport(sealed=sealed)


def highest_drawn_id() -> int:
    """The highest transfer id that was ever drawn, committed or not; 0 when none was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence(%s, 'id')), 0)", [_TABLE])
        (highest,) = cursor.fetchone()
    return int(highest)


def sealed_up_to() -> int:
    """The last transfer id that the chain covers; 0 without a seal."""
    last = LedgerSeal.objects.order_by("-last_transfer_id").values_list("last_transfer_id", flat=True).first()
    return last or 0


_TABLE = Transfer._meta.db_table


_WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND relation = %s::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def _wait_for_writers(patience_seconds: float) -> bool:
    """Whether all open transactions that wrote transfers end in time, by commit or rollback."""
    deadline = time.monotonic() + patience_seconds
    writers = _open_writers()
    while writers:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
        writers &= _open_writers()
    return True


def _open_writers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS, [_TABLE])
        return {virtual_id for (virtual_id,) in cursor.fetchall()}


@use_case
def _seal_next(*, highest_id: int, now: datetime) -> LedgerSeal | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHAIN_LOCK])
    # Read after the lock: another process may have sealed all of it meanwhile.
    before = LedgerSeal.objects.order_by("-last_transfer_id").first()
    first = before.last_transfer_id + 1 if before else 1
    ids = Transfer.objects.filter(pk__gte=first, pk__lte=highest_id).order_by("pk").values_list("pk", flat=True)
    if not ids.exists():
        return None
    # A full link ends before the next transfer; one that takes all that is left covers the unused ids behind it too.
    next_after_full = ids[_TRANSFERS_MAX : _TRANSFERS_MAX + 1].first()
    last = highest_id if next_after_full is None else next_after_full - 1
    previous = before.digest if before else GENESIS_DIGEST
    facts = sql.call("ledger_seal_facts", previous, first, last)
    return LedgerSeal.objects.create(
        first_transfer_id=first, last_transfer_id=last, previous_digest=previous, sealed_at=now, **facts
    )
