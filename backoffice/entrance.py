"""Who may enter the back-office."""

from typing import Any


def may_enter(user: Any) -> bool:
    """Active staff and active masters."""
    return bool(user.is_active and (user.is_staff or getattr(user, "is_master", False)))
