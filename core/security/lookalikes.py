"""Names that look the same: letters of other scripts that the eye takes for ASCII (Unicode's confusables)."""

import functools

from confusable_homoglyphs.utils import load


@functools.cache
def _twins() -> dict[int, str]:
    """Each character beyond ASCII that looks like one of ASCII, and that one."""
    return {
        ord(char): twin["c"]
        for char, twins in load("confusables.json").items()
        if len(char) == 1 and not char.isascii()
        for twin in twins
        if len(twin["c"]) == 1 and twin["c"].isascii()
    }


def look_of(name: str) -> str:
    """``name`` in lower case, with the characters of ASCII that it seems to have; empty when it has no such twin."""
    if name.isascii():
        return ""
    seen = name.translate(_twins())
    return "" if seen == name else seen.lower()
