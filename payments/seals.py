"""The chains of seals: over the transfers, and over the audit trail (``core.sealing`` makes them)."""

from core import trail
from core.sealing import Chain
from payments.models import LedgerSeal, Transfer

LEDGER = Chain(
    name="ledger",
    noun="transfer",
    noun_plural="transfers",
    seals=LedgerSeal,
    rows=Transfer,
    row_hash="t.tx_hash",
    lock=0x7365616C,
    # The first release sealed without a key.
    starts_keyed=False,
)
CHAINS = (LEDGER, trail.CHAIN)
