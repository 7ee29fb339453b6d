"""What the books refuse."""

from gameplatform.core.errors import Conflict, Invalid, NotFound


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
