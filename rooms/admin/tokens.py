"""A frozen token is released here: only rooms knows all the checks that its books must pass."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.acts import Act
from payments import freezing
from payments.models import Token
from rooms import reconciliation


class ReleaseToken(Act):
    slug = "release"
    permission = freezing.RELEASE
    needs_fresh_login = True
    title = gettext_lazy("Release")
    icon = "lock_open"
    is_dangerous = True
    advice = {
        "BOOKS_STILL_WRONG": gettext_lazy(
            "Run `manage.py verify_ledger`, correct what it names by a new transfer, and try again."
        ),
        "TOKEN_NOT_FROZEN": gettext_lazy("Another person may have released it. See the audit trail."),
    }

    def explanation(self, obj: Token) -> str:
        return _(
            "Payments in %(symbol)s were stopped (%(reason)s). They go on if the books are right:"
            " every check is made again first, which takes a while on large books."
        ) % {"symbol": obj.symbol, "reason": obj.payouts_frozen_reason}

    def is_possible(self, obj: Token) -> bool:
        return obj.payouts_frozen_at is not None

    def run(self, *, actor: Any, obj: Token, data: dict[str, Any], now: datetime) -> str:
        reconciliation.release(symbol=obj.symbol, actor=actor, reason=data["reason"], now=now)
        return _("Payments in %(symbol)s go on.") % {"symbol": obj.symbol}
