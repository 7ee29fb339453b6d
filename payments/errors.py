"""What the books refuse."""

from gameplatform.core.errors import Conflict, Invalid, NotFound, Unavailable


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


class TokenFrozen(Unavailable):
    """Payments in the token are stopped until staff has looked at its books. Nothing was moved."""

    code = "TOKEN_FROZEN"
    default_message = "Payments in this token are temporarily unavailable, please try again later"


class TokenNotFrozen(Conflict):
    """There is nothing to release."""

    code = "TOKEN_NOT_FROZEN"
    default_message = "The token is not frozen"


class BooksStillWrong(Conflict):
    """A token is released when its books are right again."""

    code = "BOOKS_STILL_WRONG"
    default_message = "The books of this token are still wrong"
