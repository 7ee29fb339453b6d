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

ZWNJ, ZWJ = "\u200c", "\u200d"
# The canonical combining class of the sign that takes a consonant's vowel away.
_VIRAMA = 9
_JOINING_SCRIPTS = frozenset({"ARABIC", "SYRIAC", "MANDAIC", "MONGOLIAN", "NKO", "ADLAM"})
# Variation selector 16, and the five skin tones.
_EMOJI_STYLES = "\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
# Emoji that are arrows are symbols of mathematics to Unicode.
_EMOJI_ARROWS = frozenset("\u2194\u2195\u27a1\u2b05\u2b06\u2b07")

THE_NAME = gettext_lazy("The name")


class InvalidName(Invalid):
    """The text cannot be a name."""

    code = "INVALID_NAME"
    default_message = gettext_noop("The name is not valid")


def has_hidden_characters(text: str) -> bool:
    """Whether ``text`` holds a control, bidi-override, zero-width or otherwise invisible character.

    Joiners count where they change nothing one could see: not inside an emoji, nor in a word that is spelled with them.
    """
    return any(
        (unicodedata.category(char) in _REFUSED_CATEGORIES or char in _INVISIBLE) and not _joins(text, place)
        for place, char in enumerate(text)
    )


def _joins(text: str, place: int) -> bool:
    """Whether a joiner stands here where its script, or an emoji, needs it (after RFC 5892, appendix A)."""
    joiner = text[place]
    if joiner not in (ZWNJ, ZWJ):
        return False
    # Marks and the tones and styles of emoji belong to the character before them.
    before = text[:place].rstrip(_EMOJI_STYLES)[-1:]
    after = text[place + 1 : place + 2]
    if _is_virama(text[:place][-1:]) or (joiner == ZWJ and _is_virama(after)):
        return True
    if joiner == ZWJ:
        return _is_emoji(before) and _is_emoji(after)
    letter = next((char for char in reversed(text[:place]) if not unicodedata.combining(char)), "")
    return _script(letter) == _script(after) and _script(after) in _JOINING_SCRIPTS


def _is_virama(char: str) -> bool:
    return bool(char) and unicodedata.combining(char) == _VIRAMA


def _is_emoji(char: str) -> bool:
    return bool(char) and (unicodedata.category(char) == "So" or char in _EMOJI_ARROWS)


def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0] if char else ""


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
