"""Read search terms as ids that an index can find."""

import uuid

# Larger than any bigint has room for.
_DIGITS_MAX = 18


def as_number(term: str) -> int | None:
    """The id that the term is, if it is one."""
    return int(term) if term.isascii() and term.isdecimal() and len(term) <= _DIGITS_MAX else None


def as_uuid(term: str) -> uuid.UUID | None:
    """The UUID that the term is, if it is one."""
    try:
        return uuid.UUID(term)
    except ValueError:
        return None
