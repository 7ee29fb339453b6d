"""The objects of the wallet's answers. An amount is text with all decimals of its token."""

from operator import attrgetter

from core.amounts import format_amount_fixed
from core.wire.fields import iso_ms
from core.wire.openapi import ID, TIME, Schema
from core.wire.outputs import TEXT, Output, value

AMOUNT: Schema = {"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$", "description": "All its decimals."}
TX_HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

BALANCE = Output(
    "BalanceOutput",
    token=value(TEXT, attrgetter("symbol")),
    balance=value(AMOUNT, lambda held: format_amount_fixed(held.balance_minor, decimals=held.decimals)),
)

# Rows of `queries.StatementLine` with the token's ``decimals``; the amount is negative when it was paid out.
STATEMENT_LINE = Output(
    "StatementLineOutput",
    id=value(ID, "transfer_id"),
    amount=value(AMOUNT, lambda row: format_amount_fixed(row["amount_minor"], decimals=row["decimals"])),
    balance_after=value(AMOUNT, lambda row: format_amount_fixed(row["balance_after_minor"], decimals=row["decimals"])),
    code=value(TEXT),
    reference=value(TEXT),
    tx_hash=value(TX_HASH),
    created_at=value(TIME, write=iso_ms),
)

# A deposit or withdrawal made by staff.
ADJUSTMENT = Output(
    "AdjustmentOutput",
    id=value({"type": "string", "format": "uuid"}, attrgetter("public_id"), write=str),
    user_id=value(ID, attrgetter("user_id")),
    token=value(TEXT, attrgetter("token.symbol")),
    amount=value(AMOUNT, lambda made: format_amount_fixed(made.amount_minor, decimals=made.token.decimals)),
    tx_hash=value(TX_HASH, attrgetter("transfer.tx_hash")),
    created_at=value(TIME, attrgetter("created_at"), write=iso_ms),
)
