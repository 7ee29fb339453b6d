"""Names people see: one normal form, and nothing in them that the eye cannot see."""

import unicodedata

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, gettext_noop

from core.errors import Invalid

# Control, format (bidi overrides, zero-width marks), surrogate, private-use and unassigned code points, and
# line and paragraph separators: each can make two names look the same, or one name spill over its line.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks by category, invisible on the screen.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")

THE_NAME = gettext_lazy("The name")


class InvalidName(Invalid):
    """The text cannot be a name."""

    code = "INVALID_NAME"
    default_message = gettext_noop("The name is not valid")


def has_hidden_characters(text: str) -> bool:
    """Whether ``text`` holds a control, bidi-override, zero-width or otherwise invisible character."""
    return any(unicodedata.category(char) in _REFUSED_CATEGORIES or char in _INVISIBLE for char in text)


def clean_name(text: str, *, max_length: int, label: str | Promise = THE_NAME) -> str:
    """``text`` in NFC without outer spaces.

    Raises ``InvalidName`` when that is empty, longer than ``max_length`` or holds hidden characters.
    """
    name = unicodedata.normalize("NFC", text).strip(" ")
    if not name:
        raise InvalidName(gettext_noop("%(label)s must not be empty"), label=label)
    if len(name) > max_length:
        raise InvalidName(gettext_noop("%(label)s must have at most %(max)s characters"), label=label, max=max_length)
    if has_hidden_characters(name):
        raise InvalidName(gettext_noop("%(label)s must not contain control or invisible characters"), label=label)
    return name
