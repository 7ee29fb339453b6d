"""Writes played sessions as rows, many at a time: COPY into the tables, transfers by one statement (building block).

The hash of each transfer is made by the database's own ``transfer_hash``; ids of transfers are drawn by the INSERT, as
the seals want it (``payments.seals``).
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from core.db.transactions import require_atomic
from core.security.secrets import encrypt
from payments.models import Account, Token
from rooms.models import Room, Session

TABLES = (
    "accounts_user",
    "payments_escrow",
    "payments_account",
    "payments_transfer",
    "rooms_room",
    "rooms_session",
    "rooms_participant",
    "rooms_sessiontransition",
    "rooms_outcome",
)
_STAGES = """
    CREATE TEMPORARY TABLE crowd_posting (debit bigint, credit bigint, amount bigint, code text, reference text,
        key text, batch uuid, at timestamptz) ON COMMIT DROP;
    CREATE TEMPORARY TABLE crowd_place (id bigint, public_id uuid, session_id bigint, room_id bigint, user_id bigint,
        status text, amount bigint, wallet_address text, joined_at timestamptz, closed_at timestamptz, rank int,
        prize bigint) ON COMMIT DROP
"""
_TRANSFERS = """
    INSERT INTO payments_transfer (debit_account_id, credit_account_id, token_id, amount_minor, code, reference,
        idempotency_key, batch, corrects_id, tx_hash, created_at)
    SELECT debit, credit, %(token)s, amount, code, reference, key, batch, NULL,
        transfer_hash(debit, credit, %(token)s, amount, code, reference, key, batch, NULL, at), at
    FROM crowd_posting ORDER BY at, key
"""
_PLACES = """
    INSERT INTO rooms_participant (id, public_id, session_id, room_id, user_id, status, amount_minor, wallet_address,
        joined_at, closed_at, entry_tx_hash, refund_tx_hash, rank, prize_minor, prize_tx_hash)
    SELECT p.id, p.public_id, p.session_id, p.room_id, p.user_id, p.status, p.amount, p.wallet_address, p.joined_at,
        p.closed_at, e.tx_hash, r.tx_hash, p.rank, p.prize, w.tx_hash
    FROM crowd_place p
    JOIN payments_transfer e ON e.idempotency_key = 'session:' || p.session_id || ':entry:' || p.id
    LEFT JOIN payments_transfer r ON r.idempotency_key = 'session:' || p.session_id || ':refund:' || p.id
    LEFT JOIN payments_transfer w ON w.idempotency_key = 'session:' || p.session_id || ':prize:' || p.id
    ORDER BY p.id
"""
_BALANCES = """
    UPDATE payments_account a SET balance_minor = a.balance_minor + s.delta
    FROM (SELECT id, sum(amount) AS delta FROM (
            SELECT credit AS id, amount FROM crowd_posting UNION ALL SELECT debit, -amount FROM crowd_posting) x
        GROUP BY id) s
    WHERE a.id = s.id AND s.delta <> 0
"""


@dataclass(kw_only=True)
class Place:
    """One paid place; ``rank`` and ``prize_minor`` when its session was settled."""

    public_id: uuid.UUID
    account: Account
    joined_at: datetime
    rank: int | None = None
    prize_minor: int = 0


@dataclass(frozen=True, kw_only=True)
class Played:
    """A session that is over."""

    public_id: uuid.UUID
    room: Room
    status: Session.Status
    opens_at: datetime
    starts_at: datetime
    ends_at: datetime
    seed: bytes
    commit: str
    roster: str | None
    places: Sequence[Place]

    @property
    def over_at(self) -> datetime:
        """When it was closed: one that nobody joined never ran."""
        return self.starts_at if self.status == Session.Status.OUT else self.ends_at


@dataclass(frozen=True)
class _Ids:
    session: int
    escrow: int
    account: int
    places: list[int]


def write(sessions: Sequence[Played], *, token: Token) -> None:
    """All rows of these sessions, in the order given, and the balances that follow from their transfers."""
    require_atomic()
    places = sum(len(played.places) for played in sessions)
    session_ids, escrow_ids, account_ids = (
        _draw_ids(table, len(sessions)) for table in ("rooms_session", "payments_escrow", "payments_account")
    )
    place_ids = _draw_ids("rooms_participant", places)
    taken = iter(place_ids)
    rows = [
        (played, _Ids(session_id, escrow_id, account_id, [next(taken) for _ in played.places]))
        for played, session_id, escrow_id, account_id in zip(
            sessions, session_ids, escrow_ids, account_ids, strict=True
        )
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STAGES)
        _copy("payments_escrow (id, controller, created_at)", ((i.escrow, "session", p.opens_at) for p, i in rows))
        _copy(
            "payments_account (id, kind, escrow_id, token_id, balance_minor, created_at)",
            ((i.account, "escrow", i.escrow, token.pk, 0, p.opens_at) for p, i in rows),
        )
        _copy(_SESSION_COLUMNS, (_session_row(played, ids, token) for played, ids in rows))
        _copy(
            "rooms_sessiontransition (session_id, from_status, to_status, at, reason)",
            (step for played, ids in rows for step in _steps(played, ids)),
        )
        _copy(
            "rooms_outcome (session_id, kind, entries, pool_minor, at)",
            (_outcome_row(played, ids) for played, ids in rows),
        )
        _copy("crowd_posting", (posting for played, ids in rows for posting in _postings(played, ids)))
        _copy("crowd_place", (place for played, ids in rows for place in _place_rows(played, ids)))
        cursor.execute(_TRANSFERS, {"token": token.pk})
        cursor.execute(_PLACES)
        cursor.execute(_BALANCES)
        cursor.execute("DROP TABLE crowd_posting, crowd_place")


def _draw_ids(table: str, count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
        return sorted(row[0] for row in cursor.fetchall())


def _copy(where: str, rows: Iterable[Sequence[Any]]) -> None:
    with connection.cursor() as cursor, cursor.cursor.copy(f"COPY {where} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


_SESSION_COLUMNS = (
    "rooms_session (id, public_id, room_id, code, status, token_id, escrow_id, entry_fee_minor, prize_shares_bp,"
    " max_participants, result_mode, score_order, opens_at, starts_at, ends_at, over_at, participants_count,"
    " seed_encrypted, draw_commit, draw_roster, failures, last_error)"
)


def _session_row(played: Played, ids: _Ids, token: Token) -> Sequence[Any]:
    room = played.room
    return (
        ids.session,
        played.public_id,
        room.pk,
        str(int(played.opens_at.timestamp() * 1000)),
        str(played.status),
        token.pk,
        ids.escrow,
        room.entry_fee_minor,
        room.prize_shares_bp,
        room.max_participants,
        "draw",
        "desc",
        played.opens_at,
        played.starts_at,
        played.ends_at,
        played.over_at,
        len(played.places),
        encrypt(played.seed),
        played.commit,
        played.roster,
        0,
        "",
    )


def _steps(played: Played, ids: _Ids) -> list[Sequence[Any]]:
    steps = [(ids.session, "", "pending", played.opens_at, "opened")]
    if played.status == Session.Status.OUT:
        return [*steps, (ids.session, "pending", "out", played.over_at, "not enough participants")]
    why = "settled" if played.status == Session.Status.ENDED else "called off by the demo"
    steps.append((ids.session, "pending", "running", played.starts_at, "started"))
    return [*steps, (ids.session, "running", str(played.status), played.over_at, why)]


def _outcome_row(played: Played, ids: _Ids) -> Sequence[Any]:
    kind = "settled" if played.status == Session.Status.ENDED else "refunded"
    return (ids.session, kind, len(played.places), played.room.entry_fee_minor * len(played.places), played.over_at)


def _postings(played: Played, ids: _Ids) -> Iterable[Sequence[Any]]:
    reference, fee = f"session:{ids.session}", played.room.entry_fee_minor
    closing = uuid.uuid4()
    for place, place_id in zip(played.places, ids.places, strict=True):
        wallet, key = place.account.pk, f"{reference}:entry:{place_id}"
        yield (wallet, ids.account, fee, "entry_fee", reference, key, uuid.uuid4(), place.joined_at)
        if played.status != Session.Status.ENDED:
            key = f"{reference}:refund:{place_id}"
            yield (ids.account, wallet, fee, "refund", reference, key, closing, played.over_at)
        elif place.prize_minor:
            key = f"{reference}:prize:{place_id}"
            yield (ids.account, wallet, place.prize_minor, "prize", reference, key, closing, played.over_at)


def _place_rows(played: Played, ids: _Ids) -> Iterable[Sequence[Any]]:
    is_settled = played.status == Session.Status.ENDED
    for place, place_id in zip(played.places, ids.places, strict=True):
        owner = place.account.owner
        assert owner is not None
        yield (
            place_id,
            place.public_id,
            ids.session,
            played.room.pk,
            owner.pk,
            "paid" if is_settled else "refunded",
            played.room.entry_fee_minor,
            owner.wallet_address,
            place.joined_at,
            played.over_at,
            place.rank,
            place.prize_minor if is_settled else None,
        )
