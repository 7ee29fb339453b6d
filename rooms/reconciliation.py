"""Hourly reconciliation: a breach raises an alarm and freezes the tokens concerned.

Staff release a token, with a reason, once its books are right again.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext_noop

from accounts import roles
from accounts.models import User
from payments import freezing, wallets
from payments.audit import Finding
from payments.errors import BooksStillWrong, TokenNotFrozen
from payments.models import Token
from rooms.checks import ALL_CHECKS, one_snapshot

logger = logging.getLogger(__name__)

_REASON_LENGTH_MAX = 200


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A breach: the first findings of each money check, and the symbols of the tokens concerned."""

    findings: list[Finding] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)


def look() -> Breach:
    """Run all money checks in one read-only snapshot.

    A finding that names no token concerns them all.
    """
    findings: list[Finding] = []
    concerned: set[str | None] = set()
    with one_snapshot():
        for check in ALL_CHECKS:
            if check.is_money and (found := list(check.run())):
                findings += found
                concerned |= check.tokens()
        known = list(Token.objects.order_by("symbol").values_list("symbol", flat=True))
    return Breach(findings=findings, symbols=[s for s in known if s in concerned or None in concerned])


def reconcile(*, now: datetime) -> tuple[Breach, list[str]]:
    """Check, raise the alarm, freeze. Returns the breach and the symbols of the newly frozen tokens."""
    breach = look()
    for finding in breach.findings:
        logger.error(
            "ledger_breach invariant=%s symbol=%s where=%r what=%r",
            finding.invariant,
            finding.token or "*",
            finding.where,
            finding.what,
        )
    newly_frozen = []
    for symbol in breach.symbols:
        first = next((f for f in breach.findings if f.token in (symbol, None)), breach.findings[0])
        reason = f"reconciliation: {first.invariant} {first.where}: {first.what}"[:_REASON_LENGTH_MAX]
        if freezing.freeze(token_id=wallets.token_by_symbol(symbol).pk, now=now, reason=reason):
            newly_frozen.append(symbol)
            logger.error("ledger_frozen symbol=%s reason=%r", symbol, reason)
    return breach, newly_frozen


def release(*, symbol: str, actor: User, reason: str, now: datetime) -> None:
    """Release a frozen token. Raises ``NotPermitted``, and as ``require_releasable``."""
    roles.require(actor, freezing.RELEASE)
    token = require_releasable(symbol)
    freezing.release(token_id=token.pk, now=now, reason=reason, actor=actor)
    logger.warning("ledger_released symbol=%s actor=%s reason=%r", token.symbol, actor.username, reason)


def require_releasable(symbol: str) -> Token:
    """A frozen token whose books are right. Raises ``TokenNotFound``, ``TokenNotFrozen``, ``BooksStillWrong``."""
    token = wallets.token_by_symbol(symbol)
    if token.payouts_frozen_at is None:
        raise TokenNotFrozen()
    breach = look()
    if token.symbol in breach.symbols:
        first = breach.findings[0]
        raise BooksStillWrong(
            gettext_noop("The books are still wrong: %(invariant)s %(where)s: %(what)s"),
            invariant=first.invariant,
            where=first.where,
            what=first.what,
        )
    return token
