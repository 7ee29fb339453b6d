"""The wallet operations as the OpenAPI document shows them."""

from typing import Any

from rest_framework import exceptions

from core.errors import Forbidden, Invalid, NotFound
from core.wire.openapi import ID, Refusals, documented, envelope, query
from core.wire.outputs import Described
from payments.api import wallet_outputs as outputs
from payments.api.serializers import STATEMENT_LINES_MAX, AdjustmentInput
from payments.errors import ApprovalNeeded, InsufficientFunds, OwnWallet, RequestKeyReused, TokenNotFound

ENTRY_TX = "8f3b6c1d5e9a4f70b2c8d6e1a3f59072c4b8e6d1f0a397526b8c4d1e7f9a3052"
DEPOSIT_TX = "c51e7a90d2f84b36a8e19c07f5d3b264e08a7c91d6f3b5208e4a1c97d0f6b3e5"
TRANSFER_EXAMPLE: dict[str, Any] = {
    "id": 9012,
    "amount": "-10.50",
    "balance_after": "39.50",
    "code": "entry_fee",
    "reference": "session:53",
    "tx_hash": ENTRY_TX,
    "created_at": "2026-03-01T12:00:41.250Z",
}
ADJUSTMENT_BODY: dict[str, Any] = {"user_id": 21, "token": "GOLD", "amount": "50.00", "reason": "Top-up at the desk"}
ADJUSTMENT_EXAMPLE: dict[str, Any] = {
    "id": "5f0c1f0e-3f57-4d0e-9d0c-5b9b7c1d2e3f",
    "user_id": 21,
    "token": "GOLD",
    "amount": "50.00",
    "tx_hash": DEPOSIT_TX,
    "created_at": "2026-03-01T11:58:00.000Z",
}


wallet = documented(
    "getWallet",
    tag="wallet",
    summary="The caller's balances",
    answer=envelope("WalletAnswer", "Wallet fetched successfully", data=outputs.BALANCE.serializer(many=True)),
    examples={"one token": {"message": "Wallet fetched successfully", "data": [{"token": "GOLD", "balance": "39.50"}]}},
)

statement = documented(
    "getStatement",
    tag="wallet",
    summary="The caller's transfers in one token, newest first",
    parameters=[
        query("token", {"type": "string", "minLength": 1, "maxLength": 20}, required=True, example="GOLD"),
        query("before", ID),
        query("limit", {"type": "integer", "minimum": 1, "maximum": STATEMENT_LINES_MAX, "default": 20}),
    ],
    answer=envelope(
        "StatementAnswer",
        "Statement fetched successfully",
        data=outputs.STATEMENT_LINE.serializer(many=True),
        next=Described(ID | {"description": "The next page's `before`."}, allow_null=True),
    ),
    examples={
        "the last line": {"message": "Statement fetched successfully", "data": [TRANSFER_EXAMPLE], "next": None},
    },
    refusals=[TokenNotFound, exceptions.ValidationError({"token": ["This field is required."]})],
)

_STAFF_REFUSALS: Refusals = [
    Forbidden("Only staff may adjust wallets"),
    OwnWallet,
    ApprovalNeeded(amount="10000.00", symbol="GOLD"),
    Invalid("The Idempotency-Key header is required"),
    Invalid("The amount must be greater than 0"),
    NotFound("User not found"),
    TokenNotFound,
    RequestKeyReused,
]

deposit = documented(
    "deposit",
    tag="wallet",
    summary="Create tokens in a wallet (staff)",
    status=201,
    body=AdjustmentInput,
    bodies={"a top-up": ADJUSTMENT_BODY},
    idempotent=True,
    key_required=True,
    answer=envelope("DepositAnswer", "Deposit made successfully", data=outputs.ADJUSTMENT.serializer()),
    examples={"deposited": {"message": "Deposit made successfully", "data": ADJUSTMENT_EXAMPLE}},
    refusals=_STAFF_REFUSALS,
)

withdrawal = documented(
    "withdraw",
    tag="wallet",
    summary="Destroy tokens of a wallet (staff)",
    status=201,
    body=AdjustmentInput,
    bodies={"a payout": ADJUSTMENT_BODY | {"reason": "Paid out at the desk"}},
    idempotent=True,
    key_required=True,
    answer=envelope("WithdrawalAnswer", "Withdrawal made successfully", data=outputs.ADJUSTMENT.serializer()),
    examples={"withdrawn": {"message": "Withdrawal made successfully", "data": ADJUSTMENT_EXAMPLE}},
    refusals=[*_STAFF_REFUSALS, InsufficientFunds],
)
