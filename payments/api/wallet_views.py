"""`/api/v1/wallet`: what the caller owns, and staff deposits and withdrawals (style: nest)."""

from collections.abc import Callable
from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import roles
from accounts.api.base import AuthedNestViewSet
from accounts.models import User
from core.errors import Forbidden, Invalid, NotFound
from core.wire.fields import AmountField, checked
from core.wire.idempotency import idempotent
from core.wire.nest import ok
from core.wire.throttles import throttle_for
from payments import adjustments, queries, wallets
from payments.api import schema
from payments.api.serializers import AdjustmentInput, StatementQuery
from payments.api.wallet_outputs import ADJUSTMENT, BALANCE, STATEMENT_LINE
from payments.models import Adjustment


class WalletViewSet(AuthedNestViewSet):
    """What the caller owns, and deposits and withdrawals by staff.

    Those need an Idempotency-Key: a repeated deposit would create money.
    """

    write_throttle = throttle_for("writes", fail_open=False)

    @schema.wallet
    def list(self, request: Request) -> Response:
        return ok("Wallet fetched successfully", data=BALANCE.many(queries.balances(self.caller)))

    @schema.statement
    @action(detail=False)
    def statement(self, request: Request) -> Response:
        """The caller's transfers in one token, newest first; ``next`` continues the list."""
        values = checked(StatementQuery, request.query_params)
        token = wallets.token_by_symbol(values["token"])
        account_id = queries.wallet_account_id(user=self.caller, symbol=token.symbol)
        lines = (
            queries.statement(account_id=account_id, before_transfer_id=values.get("before"), limit=values["limit"])
            if account_id
            else []
        )
        data = STATEMENT_LINE.many({**vars(line), "decimals": token.decimals} for line in lines)
        more = lines[-1].transfer_id if len(lines) == values["limit"] else None
        return Response({"message": "Statement fetched successfully", "data": data, "next": more})

    @schema.deposit
    @action(detail=False, methods=["post"])
    @idempotent
    def deposits(self, request: Request) -> Response:
        return ok("Deposit made successfully", data=self._adjusted(adjustments.deposit), status=201)

    @schema.withdrawal
    @action(detail=False, methods=["post"])
    @idempotent
    def withdrawals(self, request: Request) -> Response:
        return ok("Withdrawal made successfully", data=self._adjusted(adjustments.withdraw), status=201)

    def _adjusted(self, adjust: Callable[..., Adjustment]) -> dict[str, Any]:
        if not roles.may(self.caller, adjustments.ADJUST):
            raise Forbidden("Only staff may adjust wallets")
        key = self.request.headers.get("Idempotency-Key")
        if not key:
            raise Invalid("The Idempotency-Key header is required")
        values = checked(AdjustmentInput, self.request.data)
        user = User.objects.filter(pk=values["user_id"], is_active=True).first()
        if user is None:
            raise NotFound("User not found")
        token = wallets.token_by_symbol(values["token"])
        adjustment = adjust(
            user=user,
            token=token,
            amount_minor=AmountField(decimals=token.decimals).to_internal_value(values["amount"]),
            reason=values["reason"],
            actor=self.caller,
            request_key=key,
            now=self.now,
        )
        return ADJUSTMENT.of(adjustment)
