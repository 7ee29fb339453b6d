"""Freeze all payments in a token, and release them (use cases). ``ledger_post`` refuses them.

A posting that began before the freeze was committed may still end; every later one is refused, whole.
"""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from accounts.models import User
from core import trail
from core.db.transactions import use_case
from payments.errors import TokenNotFound, TokenNotFrozen
from payments.models import Token, TokenFreezeStep

RELEASE = "payments.change_token"


@use_case
def freeze(*, token_id: int, now: datetime, reason: str, actor: User | None = None) -> bool:
    """Freeze the token; False when it was frozen already. Without an ``actor`` the platform itself did."""
    token = _lock(token_id)
    if token.payouts_frozen_at is not None:
        return False
    _step(token, TokenFreezeStep.Kind.FROZEN, now=now, actor=actor, reason=reason)
    return True


@use_case
def release(*, token_id: int, now: datetime, reason: str, actor: User) -> None:
    """Release the token; waiting settlements go on within a minute. Raises ``TokenNotFrozen``.

    The caller has checked the books: see ``rooms.reconciliation.release``.
    """
    token = _lock(token_id)
    if token.payouts_frozen_at is None:
        raise TokenNotFrozen()
    _step(token, TokenFreezeStep.Kind.RELEASED, now=now, actor=actor, reason=reason)


def _lock(token_id: int) -> Token:
    token = Token.objects.select_for_update(no_key=True).filter(pk=token_id).first()
    if token is None:
        raise TokenNotFound()
    return token


def _step(token: Token, kind: TokenFreezeStep.Kind, *, now: datetime, actor: User | None, reason: str) -> None:
    is_frozen = kind == TokenFreezeStep.Kind.FROZEN
    before = _freeze_of(token)
    token.payouts_frozen_at = now if is_frozen else None
    token.payouts_frozen_reason = reason if is_frozen else ""
    token.save(update_fields=["payouts_frozen_at", "payouts_frozen_reason"])
    TokenFreezeStep.objects.create(token=token, kind=kind, at=now, actor=actor, reason=reason)
    trail.record(
        actor=actor,
        by_platform=actor is None,
        action=gettext_noop("token frozen") if is_frozen else gettext_noop("token released"),
        target=token,
        reason=reason,
        before=before,
        after=_freeze_of(token),
        now=now,
    )


def _freeze_of(token: Token) -> dict[str, Any]:
    return {"frozen_at": token.payouts_frozen_at, "reason": token.payouts_frozen_reason}
