"""Staff create tokens in a wallet (deposit) and destroy them (withdrawal), each with a reason (use cases)."""

import uuid
from datetime import datetime

from gameplatform.accounts.models import User
from gameplatform.core.errors import Invalid
from gameplatform.core.tokens import AMOUNT_MINOR_MAX
from gameplatform.core.transactions import use_case
from payments import ledger, wallets
from payments.errors import RequestKeyReused
from payments.models import Adjustment, Token, Transfer


@use_case
def create_token(*, symbol: str, name: str, decimals: int) -> Token:
    """The token with this symbol, made with its issuance account when there is none. Safe to repeat."""
    return wallets.ensure_token(symbol=symbol, name=name, decimals=decimals)


@use_case
def deposit(
    *, user: User, token: Token, amount_minor: int, reason: str, actor: User, request_key: str, now: datetime
) -> Adjustment:
    """Create ``amount_minor`` units in the user's wallet.

    The same actor and ``request_key`` again answer the first adjustment and move nothing. Raises ``RequestKeyReused``
    when that one was a different adjustment, ``Invalid`` for an amount outside 1..9e16.
    """
    return _adjust(Adjustment.Kind.DEPOSIT, user, token, amount_minor, reason, actor, request_key, now)


@use_case
def withdraw(
    *, user: User, token: Token, amount_minor: int, reason: str, actor: User, request_key: str, now: datetime
) -> Adjustment:
    """Destroy ``amount_minor`` units of the user's wallet. As ``deposit``; raises ``InsufficientFunds`` too."""
    return _adjust(Adjustment.Kind.WITHDRAWAL, user, token, amount_minor, reason, actor, request_key, now)


def _adjust(
    kind: Adjustment.Kind,
    user: User,
    token: Token,
    amount_minor: int,
    reason: str,
    actor: User,
    request_key: str,
    now: datetime,
) -> Adjustment:
    if not 1 <= amount_minor <= AMOUNT_MINOR_MAX:
        raise Invalid("The amount must be greater than 0")
    wallet = wallets.ensure_wallet(user=user, token=token)
    issuance = wallets.issuance_account(token)
    debit, credit = (issuance, wallet) if kind == Adjustment.Kind.DEPOSIT else (wallet, issuance)
    # Twins with the same key queue here, before either looks for the other's row.
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    known = Adjustment.objects.filter(actor=actor, request_key=request_key).first()
    if known is not None:
        if (known.kind, known.user_id, known.token_id, known.amount_minor) != (
            kind,
            user.pk,
            token.pk,
            amount_minor,
        ):
            raise RequestKeyReused()
        return known
    public_id = uuid.uuid4()
    key = f"{kind}:{public_id}"
    ledger.post(
        postings=[
            ledger.Posting(
                debit_account_id=debit.pk,
                credit_account_id=credit.pk,
                amount_minor=amount_minor,
                code=kind,
                reference=f"user:{user.pk}",
                key=key,
            )
        ],
        now=now,
    )
    return Adjustment.objects.create(
        public_id=public_id,
        kind=kind,
        user=user,
        token=token,
        amount_minor=amount_minor,
        reason=reason,
        actor=actor,
        request_key=request_key,
        transfer=Transfer.objects.get(idempotency_key=key),
        created_at=now,
    )
