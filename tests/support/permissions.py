"""Who may do what: the rows of the authorisation matrix, and how they are made.

Each app has its rows in ``<app>/tests/permissions.py``: ``ROWS``, a dict from (route name, method) to a ``Row``.
``tests/test_authorisation_matrix.py`` finds them, holds them against the URL configuration and tries each.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

# Nobody; the player whose things the request names; another; the master of the room in question; another; staff.
ROLES = ("anonymous", "player", "rival", "master", "other_master", "staff")


@dataclass(frozen=True)
class Ask:
    """What is sent: the arguments of the route's path, the query and the JSON body."""

    path: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """The status for each role, in the order of ``ROLES``, of one valid request."""

    statuses: tuple[int, ...]
    ask: Callable[[SimpleNamespace], Ask] = lambda world: Ask()


def everybody(status: int, ask: Callable[[SimpleNamespace], Ask] = Row.ask) -> Row:
    """Open to the whole world."""
    return Row((status,) * len(ROLES), ask)


def signed_in(status: int, ask: Callable[[SimpleNamespace], Ask] = Row.ask) -> Row:
    """For everybody with a token."""
    return Row((401, *[status] * (len(ROLES) - 1)), ask)


def staff_only(status: int, ask: Callable[[SimpleNamespace], Ask] = Row.ask) -> Row:
    """For staff."""
    return Row((401, 403, 403, 403, 403, status), ask)
