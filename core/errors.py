"""Refusals. A rule that says no raises a small ``DomainError`` class with a stable code.

The domain knows no HTTP status: each module of ``core.wire`` maps codes to the status and the sentence of its
own contract, in one table. The family (``NotFound``, ``Conflict`` …) is the fallback for a code a table does not name.

A message is a template, marked with ``gettext_noop``. APIs, logs and commands show ``message``, which is English
whatever language is active; pages of the back-office show ``translated()``.
"""

from typing import Any, ClassVar

from django.db.models import Choices
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _


class DomainError(Exception):
    """A refusal: nothing was changed. ``code`` is for programs, ``params`` fill the template and are for both."""

    code: ClassVar[str] = "ERROR"
    default_message: ClassVar[str] = _("The request was refused")

    def __init__(self, template: str | None = None, **params: Any) -> None:
        self.template = template if template is not None else self.default_message
        self.params = params
        super().__init__(self.template)

    def __str__(self) -> str:
        return self.message

    @property
    def message(self) -> str:
        """The message in English."""
        with translation.override(None):
            return _filled(self.template, self.params)

    def translated(self) -> str:
        """The message in the active language; a parameter that is a choice shows its label."""
        labels = {name: value.label.lower() for name, value in self.params.items() if isinstance(value, Choices)}
        return _filled(gettext(self.template) if self.template else "", {**self.params, **labels})


def _filled(template: str, params: dict[str, Any]) -> str:
    return template % params if params else template


class Invalid(DomainError):
    """The input breaks a rule."""

    code = "INVALID"
    default_message = _("Invalid parameters")


class NotFound(DomainError):
    """The object does not exist, or is not the caller's to know of."""

    code = "NOT_FOUND"
    default_message = _("Not found")


class Forbidden(DomainError):
    """The caller may know of the object but not do this."""

    code = "FORBIDDEN"
    default_message = _("Forbidden")


class Conflict(DomainError):
    """The state of the object does not allow it."""

    code = "CONFLICT"
    default_message = _("Conflict")


class Unavailable(DomainError):
    """A part the operation needs is down; trying again later is safe."""

    code = "UNAVAILABLE"
    default_message = _("The service is temporarily unavailable, please try again")
