"""The ledger: the only writer of transfers and balances (building blocks; the SQL is `sql/ledger_post.sql`)."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.db import sql
from core.db.transactions import require_atomic
from payments.errors import InsufficientFunds, TokenFrozen

BATCH_ROWS_MAX = 20_000


@dataclass(frozen=True, kw_only=True)
class Posting:
    """One transfer to book. ``key`` is a sentence that can only mean this movement: ``session:42:entry:7``."""

    debit_account_id: int
    credit_account_id: int
    amount_minor: int
    code: str
    reference: str
    key: str
    corrects_id: int | None = None


def post(*, postings: Sequence[Posting], now: datetime) -> uuid.UUID | None:
    """Book all postings as one batch and return its id; ``None`` when exactly these were booked before.

    Locks the accounts in id order. Raises ``TokenFrozen`` (``payments.freezing``), ``InsufficientFunds``
    (``details["account_id"]``) when any account but issuance would go below zero, and a database error when a key was
    booked with other content; nothing moves then.
    """
    require_atomic()
    if not 1 <= len(postings) <= BATCH_ROWS_MAX:
        raise ValueError(f"a batch has 1 to {BATCH_ROWS_MAX} postings, not {len(postings)}")
    batch = uuid.uuid4()
    answer = sql.call(
        "ledger_post",
        [p.debit_account_id for p in postings],
        [p.credit_account_id for p in postings],
        [p.amount_minor for p in postings],
        [p.code for p in postings],
        [p.reference for p in postings],
        [p.key for p in postings],
        batch,
        now,
        [p.corrects_id for p in postings],
    )
    if answer["result"] == "token_frozen":
        raise TokenFrozen()
    if answer["result"] == "insufficient_funds":
        raise InsufficientFunds(account_id=answer["short_account"])
    return batch if answer["result"] == "posted" else None
