"""A frozen token is released here: only rooms knows all the checks that its books must pass."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import roles
from accounts.models import User
from backoffice.acts import Act
from payments.admin.ledger import TokenAdmin
from payments.models import Token
from rooms import reconciliation


class ReleaseToken(Act):
    slug = "release"
    needs_fresh_login = True
    title = gettext_lazy("Release")
    icon = "lock_open"
    is_dangerous = True
    advice = {
        "BOOKS_STILL_WRONG": gettext_lazy(
            "Run `manage.py verify_ledger`, correct what it names by a new transfer, and try again."
        ),
        "TOKEN_NOT_FROZEN": gettext_lazy("Somebody else may have released it. See the audit trail."),
    }

    def explanation(self, obj: Token) -> str:
        return _(
            "Payments in %(symbol)s were stopped (%(reason)s). They go on if the books are right:"
            " every check is made again first, which takes a while on large books."
        ) % {"symbol": obj.symbol, "reason": obj.payouts_frozen_reason}

    def is_allowed(self, request: HttpRequest, obj: Token) -> bool:
        return isinstance(request.user, User) and roles.may(request.user, "payments.change_token")

    def is_possible(self, obj: Token) -> bool:
        return obj.payouts_frozen_at is not None

    def run(self, *, actor: Any, obj: Token, data: dict[str, Any], now: datetime) -> str:
        reconciliation.release(symbol=obj.symbol, actor=actor, reason=data["reason"], now=now)
        return _("Payments in %(symbol)s go on.") % {"symbol": obj.symbol}


TokenAdmin.acts.append(ReleaseToken())
