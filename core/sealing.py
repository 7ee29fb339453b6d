"""Seals: keyed hash chains over append-only tables, which no row can enter later (use case).

The rule that makes a range safe to seal, without stopping any writer: a row's id is drawn by the INSERT, which first
takes PostgreSQL's ROW EXCLUSIVE lock on the table and keeps it until its transaction ends. So first the highest id
drawn is read, then who holds that lock: an owner of one of those ids that has not ended is among them. When they have
all ended, each of those ids is a committed row or will never be one. (A lock is let go after the commit can be seen.)
Later writers hold nothing up, nor do transactions that never wrote there.

The numbers of transactions would not do instead: a snapshot's ``xmax`` counts only those that have *ended*, so the
newest open one stands above it and would not be waited for; and any old one in any database of the server would be.

The keys (``SEAL_KEYS``: the first seals, all verify) are outside the database: who can write every table still cannot
make a seal. Seals of version 1 have no key; ``Chain.starts_keyed`` says whether a chain may begin with some.
"""

import hashlib
import hmac
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models

from core.db.transactions import use_case
from core.models import Seal

logger = logging.getLogger(__name__)

VERSION = 2
GENESIS_DIGEST = "0" * 64
PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.05
# One link covers at most so many rows: its digest is computed over one text.
_ROWS_MAX = 50_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY_ID_LENGTH = 16


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The seals over one table. ``row_hash`` is SQL over ``t``, a row; ``lock`` an advisory lock's number."""

    name: str
    noun: str
    noun_plural: str
    seals: type[Seal]
    rows: type[models.Model]
    row_hash: str
    lock: int
    starts_keyed: bool = True

    @property
    def table(self) -> str:
        return self.rows._meta.db_table

    def column(self, field: str) -> str:
        """The column of a field of the seals."""
        return str(next(f.column for f in self.seals._meta.local_concrete_fields if f.name == field))

    def facts(self, *, version: str, previous: str, first: str, last: str) -> str:
        """SQL of (count, digest, gaps): the content of a range, given as SQL expressions.

        digest: SHA-256 (lower-case hex) over the version's label, the previous digest, first, last, count, and all
        'id:hash' by id joined by ',', these parts joined by '|'. gaps: the id ranges, [first, last] each, without row.
        """
        return f"""
            SELECT x.n AS count, x.digest, coalesce(
                (SELECT array_agg(ARRAY[g.before + 1, g.id - 1] ORDER BY g.id) FROM (
                    SELECT i.id, lag(i.id, 1, {first} - 1) OVER (ORDER BY i.id) AS before FROM (
                        SELECT t.id FROM {self.table} t WHERE t.id BETWEEN {first} AND {last}
                        UNION ALL SELECT {last} + 1) i) g
                    WHERE g.id > g.before + 1), '{{}}') AS gaps
            FROM (SELECT count(*)::int AS n, encode(sha256(convert_to(concat_ws('|',
                    CASE {version} WHEN 1 THEN 'gameplatform-seal-v1' ELSE 'gameplatform-seal-v2|{self.name}' END,
                    {previous}, {first}, {last}, count(*),
                    coalesce(string_agg(t.id || ':' || {self.row_hash}, ',' ORDER BY t.id), '')), 'UTF8')), 'hex')
                    AS digest
                FROM {self.table} t WHERE t.id BETWEEN {first} AND {last}) x"""

    def latest(self) -> Seal | None:
        """The newest seal: its digest stands for all rows up to it."""
        return self.seals._default_manager.order_by("-last_id").first()

    def extent(self) -> str:
        """How far the chain has come, for people. The digest is worth keeping elsewhere."""
        last = self.latest()
        if last is None:
            return f"no {self.noun} sealed yet"
        return f"sealed up to {self.noun} {last.last_id}, digest {last.digest}"

    def forged(self) -> Iterator[tuple[int, str]]:
        """The seals that no key of ours made, as (id, what), in the order of the chain."""
        keys = {key_id(key): key for key in _keys()}
        seen_keyed = self.starts_keyed
        for seal in self.seals._default_manager.order_by("first_id"):
            if seal.version == 1 and not seen_keyed:
                continue
            seen_keyed = True
            if seal.version != VERSION:
                yield seal.pk, f"is of version {seal.version}, without a key"
            elif seal.key_id not in keys:
                yield seal.pk, f"was made with the key {seal.key_id}, which SEAL_KEYS does not hold"
            elif not hmac.compare_digest(seal.digest, self.digest(seal, keys[seal.key_id])):
                yield seal.pk, f"was not made with the key {seal.key_id}"

    def digest(self, seal: Seal, key: str) -> str:
        """HMAC-SHA256 (lower-case hex) of a seal of version 2."""
        moment = (seal.sealed_at - _EPOCH) // timedelta(microseconds=1)
        text = "|".join(["gameplatform-seal-v2", self.name, seal.key_id, seal.content_digest, str(moment)])
        return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, kw_only=True)
class SealReport:
    """The report of one run. ``waited_out``: a writer outlasted the patience; try again later."""

    sealed: list[Seal] = field(default_factory=list)
    waited_out: bool = False


def key_id(key: str) -> str:
    """The public name of a key."""
    return hashlib.sha256(f"gameplatform-seal-key|{key}".encode()).hexdigest()[:_KEY_ID_LENGTH]


def seal_rows(chain: Chain, *, now: datetime, patience_seconds: float = PATIENCE_SECONDS) -> SealReport:
    """Seal every row that was written before the call. Any number of processes may do so at once.

    Waits, with no transaction open, until every transaction that could own one of the ids has ended, at most
    ``patience_seconds``; then gives up and leaves it all to the next run.
    """
    if connection.in_atomic_block:
        raise RuntimeError("seal_rows waits for open transactions, so it cannot run inside one")
    highest_id = highest_drawn_id(chain)
    if highest_id <= sealed_up_to(chain):
        return SealReport()
    if not _wait_for_writers(chain, patience_seconds):
        logger.warning("The %s was not sealed: a transaction that wrote to it is still open", chain.name)
        return SealReport(waited_out=True)
    sealed = []
    while (seal := _seal_next(chain, highest_id=highest_id, now=now)) is not None:
        # The log is a second copy of the chain: a forger of the database has to forge it too.
        logger.info("%s_seal rows=%s-%s digest=%s", chain.name, seal.first_id, seal.last_id, seal.digest)
        sealed.append(seal)
    return SealReport(sealed=sealed)


def highest_drawn_id(chain: Chain) -> int:
    """The highest id that was ever drawn, committed or not; 0 when none was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence(%s, 'id')), 0)", [chain.table])
        (highest,) = cursor.fetchone()
    return int(highest)


def sealed_up_to(chain: Chain) -> int:
    """The last id that the chain covers; 0 without a seal."""
    last = chain.latest()
    return last.last_id if last else 0


def _keys() -> list[str]:
    if not settings.SEAL_KEYS or not all(key.strip() for key in settings.SEAL_KEYS):
        # A setting left empty, or a comma too many, would be a key that everybody knows.
        raise ImproperlyConfigured("SEAL_KEYS must hold at least one key, and none may be empty")
    return list(settings.SEAL_KEYS)


_WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND relation = %s::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def _wait_for_writers(chain: Chain, patience_seconds: float) -> bool:
    """Whether all open transactions that wrote rows end in time, by commit or rollback."""
    deadline = time.monotonic() + patience_seconds
    writers = _open_writers(chain)
    while writers:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
        writers &= _open_writers(chain)
    return True


def _open_writers(chain: Chain) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS, [chain.table])
        return {virtual_id for (virtual_id,) in cursor.fetchall()}


@use_case
def _seal_next(chain: Chain, *, highest_id: int, now: datetime) -> Seal | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [chain.lock])
    # Read after the lock: another process may have sealed all of it meanwhile.
    before = chain.latest()
    first = before.last_id + 1 if before else 1
    rows = chain.rows._default_manager.filter(pk__gte=first, pk__lte=highest_id)
    ids = rows.order_by("pk").values_list("pk", flat=True)
    if not ids.exists():
        return None
    # A full link ends before the next row; one that takes all that is left covers the unused ids behind it too.
    next_after_full = ids[_ROWS_MAX : _ROWS_MAX + 1].first()
    last = highest_id if next_after_full is None else next_after_full - 1
    previous = before.digest if before else GENESIS_DIGEST
    facts = chain.facts(
        version=str(VERSION), previous="%(previous)s::text", first="%(first)s::bigint", last="%(last)s::bigint"
    )
    with connection.cursor() as cursor:
        cursor.execute(facts, {"previous": previous, "first": first, "last": last})
        count, content_digest, gaps = cursor.fetchone()
    key = _keys()[0]
    seal = chain.seals(
        first_id=first,
        last_id=last,
        count=count,
        gaps=gaps,
        version=VERSION,
        key_id=key_id(key),
        content_digest=content_digest,
        previous_digest=previous,
        sealed_at=now,
    )
    seal.digest = chain.digest(seal, key)
    seal.save(force_insert=True)
    return seal
