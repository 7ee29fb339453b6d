"""What the books refuse."""

from gameplatform.core.errors import Conflict, Forbidden, Invalid, NotFound


class InsufficientFunds(Invalid):
    """An account would go below zero. Nothing was moved."""

    code = "INSUFFICIENT_FUNDS"
    default_message = "Insufficient balance"


class TokenNotFound(NotFound):
    """No token has this symbol."""

    code = "TOKEN_NOT_FOUND"
    default_message = "Token not found"


class RequestKeyReused(Conflict):
    """The caller's key stands for another adjustment already."""

    code = "IDEMPOTENCY_KEY_REUSED"
    default_message = "This idempotency key was used for another request"


class NotAllowedToAdjust(Forbidden):
    """Creating and destroying tokens needs the permission for it."""

    code = "NOT_ALLOWED_TO_ADJUST"
    default_message = "Only staff with the permission to adjust wallets may do this"


class ApprovalNeeded(Forbidden):
    """The amount is above what one person may move alone."""

    code = "APPROVAL_NEEDED"


class ApprovalRefused(Forbidden):
    """Who asked for an adjustment cannot be the one who approves it."""

    code = "APPROVAL_REFUSED"
    default_message = "You asked for this adjustment: somebody else has to approve it"


class AdjustmentRequestNotFound(NotFound):
    """No such request."""

    code = "ADJUSTMENT_REQUEST_NOT_FOUND"
    default_message = "Adjustment request not found"


class AdjustmentDecided(Conflict):
    """The request was approved or rejected before."""

    code = "ADJUSTMENT_DECIDED"
    default_message = "This request was decided already"
