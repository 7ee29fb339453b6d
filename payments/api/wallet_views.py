"""`/api/v1/wallet`: what the caller owns, and staff deposits and withdrawals (style: nest)."""

from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import roles
from accounts.api.base import AuthedNestView
from accounts.models import User
from core.amounts import format_amount_fixed
from core.errors import Forbidden, Invalid, NotFound
from core.wire.fields import AmountField, iso_ms
from core.wire.idempotency import idempotent
from core.wire.nest import ok
from core.wire.throttles import throttle_for
from payments import adjustments, queries, wallets
from payments.api import schema
from payments.api.serializers import AdjustmentInput, StatementQuery
from payments.models import Adjustment


class WalletView(AuthedNestView):
    """The caller's balances."""

    @schema.wallet
    def get(self, request: Request) -> Response:
        data = [
            {"token": b.symbol, "balance": format_amount_fixed(b.balance_minor, decimals=b.decimals)}
            for b in queries.balances(self.caller)
        ]
        return ok("Wallet fetched successfully", data=data)


class StatementView(AuthedNestView):
    """The caller's transfers in one token, newest first; ``next`` continues the list."""

    @schema.statement
    def get(self, request: Request) -> Response:
        query = StatementQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        values = query.validated_data
        token = wallets.token_by_symbol(values["token"])
        account_id = queries.wallet_account_id(user=self.caller, symbol=token.symbol)
        lines = (
            queries.statement(account_id=account_id, before_transfer_id=values.get("before"), limit=values["limit"])
            if account_id
            else []
        )
        data = [
            {
                "id": line.transfer_id,
                "amount": format_amount_fixed(line.amount_minor, decimals=token.decimals),
                "balance_after": format_amount_fixed(line.balance_after_minor, decimals=token.decimals),
                "code": line.code,
                "reference": line.reference,
                "tx_hash": line.tx_hash,
                "created_at": iso_ms(line.created_at),
            }
            for line in lines
        ]
        more = lines[-1].transfer_id if len(lines) == values["limit"] else None
        return Response({"message": "Statement fetched successfully", "data": data, "next": more})


class AdjustmentView(AuthedNestView):
    """Base of the two staff routes. The Idempotency-Key is required: a repeated deposit would create money."""

    write_throttle = throttle_for("writes", fail_open=False)
    adjust: Callable[..., Adjustment]
    message: str

    def make(self, request: Request) -> Response:
        if not roles.may(self.caller, adjustments.ADJUST):
            raise Forbidden("Only staff may adjust wallets")
        key = request.headers.get("Idempotency-Key")
        if not key:
            raise Invalid("The Idempotency-Key header is required")
        body = AdjustmentInput(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        user = User.objects.filter(pk=values["user_id"], is_active=True).first()
        if user is None:
            raise NotFound("User not found")
        token = wallets.token_by_symbol(values["token"])
        adjustment = type(self).adjust(
            user=user,
            token=token,
            amount_minor=AmountField(decimals=token.decimals).to_internal_value(values["amount"]),
            reason=values["reason"],
            actor=self.caller,
            request_key=key,
            now=self.now,
        )
        data: dict[str, Any] = {
            "id": str(adjustment.public_id),
            "user_id": user.pk,
            "token": token.symbol,
            "amount": format_amount_fixed(adjustment.amount_minor, decimals=token.decimals),
            "tx_hash": adjustment.transfer.tx_hash,
            "created_at": iso_ms(adjustment.created_at),
        }
        return ok(self.message, data=data, status=201)


class DepositView(AdjustmentView):
    """Create tokens in a wallet."""

    adjust = staticmethod(adjustments.deposit)
    message = "Deposit made successfully"

    @schema.deposit
    @idempotent
    def post(self, request: Request) -> Response:
        return self.make(request)


class WithdrawalView(AdjustmentView):
    """Destroy tokens of a wallet."""

    adjust = staticmethod(adjustments.withdraw)
    message = "Withdrawal made successfully"

    @schema.withdrawal
    @idempotent
    def post(self, request: Request) -> Response:
        return self.make(request)
