"""Adjustments: staff create tokens in a wallet (deposit) or destroy them (withdrawal), with a reason (use cases).

Within 24 hours one person may adjust, and one wallet be adjusted, by ADJUSTMENT_APPROVAL_ABOVE; above that sum one
person asks and another approves. No person adjusts the own wallet, asks for it or decides on it.
"""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, Sum
from django.utils.translation import gettext_noop

from accounts import roles
from accounts.models import User
from core import trail
from core.amounts import AMOUNT_MINOR_MAX, format_amount_fixed, parse_amount
from core.db.transactions import require_atomic, use_case
from core.errors import Invalid
from payments import ledger, outgoing, wallets
from payments.errors import (
    AdjustmentDecided,
    AdjustmentRequestNotFound,
    ApprovalNeeded,
    ApprovalRefused,
    NotAllowedToAdjust,
    OwnWallet,
    RequestKeyReused,
)
from payments.models import Adjustment, AdjustmentRequest, Token, Transfer

ADJUST = "payments.add_adjustment"
APPROVE = "payments.change_adjustmentrequest"
Kind = Adjustment.Kind
State = AdjustmentRequest.State
KeySpace = Adjustment.KeySpace
ALONE_WINDOW = timedelta(hours=24)

# The names of the acts in the trail.
REQUESTS = {
    (Kind.DEPOSIT, State.REQUESTED): gettext_noop("deposit requested"),
    (Kind.DEPOSIT, State.APPROVED): gettext_noop("deposit approved"),
    (Kind.DEPOSIT, State.REJECTED): gettext_noop("deposit rejected"),
    (Kind.WITHDRAWAL, State.REQUESTED): gettext_noop("withdrawal requested"),
    (Kind.WITHDRAWAL, State.APPROVED): gettext_noop("withdrawal approved"),
    (Kind.WITHDRAWAL, State.REJECTED): gettext_noop("withdrawal rejected"),
}
MADE = {Kind.DEPOSIT: gettext_noop("deposit made"), Kind.WITHDRAWAL: gettext_noop("withdrawal made")}


@use_case
def create_token(*, symbol: str, name: str, decimals: int) -> Token:
    """Get or create the token with this symbol and its issuance account. Safe to repeat."""
    return wallets.ensure_token(symbol=symbol, name=name, decimals=decimals)


def approval_limit_minor(token: Token) -> int | None:
    """The highest amount one person may adjust alone, ``None`` without such a limit."""
    text = settings.ADJUSTMENT_APPROVAL_ABOVE
    return parse_amount(text, decimals=token.decimals) if text else None


@use_case
def deposit(
    *, user: User, token: Token, amount_minor: int, reason: str, actor: User, request_key: str, now: datetime
) -> Adjustment:
    """Create ``amount_minor`` units in the user's wallet.

    The same actor and ``request_key`` again answer the first adjustment and move nothing. Raises ``RequestKeyReused``
    when that one was a different adjustment, ``NotAllowedToAdjust``, ``OwnWallet``, ``ApprovalNeeded`` when the day's
    sum passes the limit, ``Invalid`` for an amount outside 1..9e16.
    """
    _require_right(actor, ADJUST)
    return _adjust(Kind.DEPOSIT, user, token, amount_minor, reason, actor, request_key, now)


@use_case
def withdraw(
    *, user: User, token: Token, amount_minor: int, reason: str, actor: User, request_key: str, now: datetime
) -> Adjustment:
    """Destroy ``amount_minor`` units of the user's wallet. As ``deposit``; raises ``InsufficientFunds`` too."""
    _require_right(actor, ADJUST)
    return _adjust(Kind.WITHDRAWAL, user, token, amount_minor, reason, actor, request_key, now)


@use_case
def request_adjustment(
    *,
    kind: Adjustment.Kind,
    user: User,
    token: Token,
    amount_minor: int,
    reason: str,
    actor: User,
    request_key: str,
    now: datetime,
) -> AdjustmentRequest:
    """Request an adjustment for another person to approve; no money moves. The same key answers the first request.

    Raises ``NotAllowedToAdjust``, ``OwnWallet``, ``Invalid``, ``RequestKeyReused`` when the key stood for another one.
    """
    _require_right(actor, ADJUST)
    _require_amount(amount_minor)
    asked = {"kind": kind, "user": user, "token": token, "amount_minor": amount_minor}
    _require_other(actor, user)
    _lock_people(actor, user)
    known = AdjustmentRequest.objects.filter(requester=actor, request_key=request_key).first()
    if known is not None:
        if any(getattr(known, name) != value for name, value in asked.items()):
            raise RequestKeyReused()
        return known
    request = AdjustmentRequest.objects.create(
        **asked, reason=reason, requester=actor, request_key=request_key, created_at=now
    )
    trail.record(
        actor=actor,
        action=REQUESTS[kind, State.REQUESTED],
        target=request,
        reason=reason,
        after={"user": user.username, "token": token.symbol, "amount_minor": amount_minor},
        now=now,
    )
    return request


@use_case
def approve_adjustment(*, request_id: int, actor: User, reason: str, now: datetime) -> Adjustment:
    """Make the adjustment that another person requested. It is the requester's, with the approver beside it.

    Raises ``NotAllowedToAdjust``, ``AdjustmentRequestNotFound``, ``AdjustmentDecided``, ``ApprovalRefused`` for the
    requester, ``OwnWallet`` for the receiver, ``InsufficientFunds``; nothing moves then.
    """
    request = _lock_open_request(request_id, actor)
    key = f"request:{request.pk}"
    adjustment = _adjust(
        Kind(request.kind),
        request.user,
        request.token,
        request.amount_minor,
        request.reason,
        request.requester,
        key,
        now,
        key_space=KeySpace.HOUSE,
    )
    _decide(request, State.APPROVED, actor, reason, now, adjustment)
    return adjustment


@use_case
def reject_adjustment(*, request_id: int, actor: User, reason: str, now: datetime) -> None:
    """Reject an adjustment; no money moves. Refuses as ``approve_adjustment`` does."""
    _decide(_lock_open_request(request_id, actor), State.REJECTED, actor, reason, now, None)


def _require_right(actor: User, permission: str) -> None:
    if not roles.may(actor, permission):
        raise NotAllowedToAdjust()


def _require_amount(amount_minor: int) -> None:
    if not 1 <= amount_minor <= AMOUNT_MINOR_MAX:
        raise Invalid(gettext_noop("The amount must be greater than 0"))


def _require_other(actor: User, user: User) -> None:
    if actor.pk == user.pk:
        raise OwnWallet()


def _require_alone(actor: User, user: User, token: Token, amount_minor: int, now: datetime) -> None:
    """Refuse what takes two people. Both are locked: two deposits at once must not both find room in the sum."""
    limit = approval_limit_minor(token)
    if limit is None:
        return
    alone = Adjustment.objects.filter(token=token, created_at__gt=now - ALONE_WINDOW, request__isnull=True)
    for whose in (Q(actor=actor), Q(user=user)):
        moved = alone.filter(whose).aggregate(total=Sum("amount_minor"))["total"] or 0
        if moved + amount_minor > limit:
            raise ApprovalNeeded(
                amount=format_amount_fixed(limit, decimals=token.decimals),
                symbol=token.symbol,
            )


def _lock_people(actor: User, user: User) -> None:
    """Twins with the same key, and all that counts into the same sums, wait here for each other."""
    list(User.objects.select_for_update(no_key=True).filter(pk__in=[actor.pk, user.pk]).order_by("pk"))


def _lock_open_request(request_id: int, actor: User) -> AdjustmentRequest:
    _require_right(actor, APPROVE)
    request = AdjustmentRequest.objects.select_for_update(no_key=True).filter(pk=request_id).first()
    if request is None:
        raise AdjustmentRequestNotFound()
    if request.state != State.REQUESTED:
        raise AdjustmentDecided(gettext_noop("This request was %(state)s already"), state=State(request.state))
    if request.requester_id == actor.pk:
        raise ApprovalRefused()
    _require_other(actor, request.user)
    return request


def _decide(
    request: AdjustmentRequest,
    state: AdjustmentRequest.State,
    actor: User,
    reason: str,
    now: datetime,
    adjustment: Adjustment | None,
) -> None:
    request.state = state
    request.decider = actor
    request.decided_at = now
    request.decision_reason = reason
    request.adjustment = adjustment
    request.save(update_fields=["state", "decider", "decided_at", "decision_reason", "adjustment"])
    trail.record(
        actor=actor,
        action=REQUESTS[Kind(request.kind), state],
        target=request,
        reason=reason,
        before={"state": State.REQUESTED},
        after={"state": state},
        now=now,
    )


def _adjust(
    kind: Adjustment.Kind,
    user: User,
    token: Token,
    amount_minor: int,
    reason: str,
    actor: User,
    request_key: str,
    now: datetime,
    *,
    key_space: Adjustment.KeySpace = KeySpace.CALLER,
) -> Adjustment:
    require_atomic()
    _require_amount(amount_minor)
    _require_other(actor, user)
    _lock_people(actor, user)
    wallet = wallets.ensure_wallet(user=user, token=token)
    issuance = wallets.issuance_account(token)
    debit, credit = (issuance, wallet) if kind == Kind.DEPOSIT else (wallet, issuance)
    # A row from before the spaces is the house's if a request led to it.
    of_space = Q(key_space=key_space) | Q(key_space="", request__isnull=key_space == KeySpace.CALLER)
    known = Adjustment.objects.filter(of_space, actor=actor, request_key=request_key).first()
    if known is not None:
        if (known.kind, known.user_id, known.token_id, known.amount_minor) != (
            kind,
            user.pk,
            token.pk,
            amount_minor,
        ):
            raise RequestKeyReused()
        return known
    if key_space == KeySpace.CALLER:
        _require_alone(actor, user, token, amount_minor, now)
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
    adjustment = Adjustment.objects.create(
        public_id=public_id,
        kind=kind,
        user=user,
        token=token,
        amount_minor=amount_minor,
        reason=reason,
        actor=actor,
        request_key=request_key,
        key_space=key_space,
        transfer=Transfer.objects.get(idempotency_key=key),
        created_at=now,
    )
    after = {"user": user.username, "token": token.symbol, "amount_minor": amount_minor}
    trail.record(actor=actor, action=MADE[kind], target=adjustment, reason=reason, after=after, now=now)
    outgoing.tell_adjustment(adjustment, now=now)
    return adjustment
