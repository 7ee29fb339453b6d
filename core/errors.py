"""Refusals. A rule that says no raises a small ``DomainError`` class with a stable code.

The domain knows no HTTP status: each module of ``core.wire`` maps codes to the status and the sentence of its
own contract, in one table. The family (``NotFound``, ``Conflict`` …) is the fallback for a code a table does not name.
"""

from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal: nothing was changed. ``message`` is for people, ``code`` for programs, ``details`` for both."""

    code: ClassVar[str] = "ERROR"
    default_message: ClassVar[str] = "The request was refused"

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = message if message is not None else self.default_message
        self.details = details
        super().__init__(self.message)


class Invalid(DomainError):
    """The input breaks a rule."""

    code = "INVALID"
    default_message = "Invalid parameters"


class NotFound(DomainError):
    """The object does not exist, or is not the caller's to know of."""

    code = "NOT_FOUND"
    default_message = "Not found"


class Forbidden(DomainError):
    """The caller may know of the object but not do this."""

    code = "FORBIDDEN"
    default_message = "Forbidden"


class Conflict(DomainError):
    """The state of the object does not allow it."""

    code = "CONFLICT"
    default_message = "Conflict"


class Unavailable(DomainError):
    """A part the operation needs is down; trying again later is safe."""

    code = "UNAVAILABLE"
    default_message = "The service is temporarily unavailable, please try again"
