"""Who stands behind a command: the `--actor` that use cases write down."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.models import User


def add_actor_argument(parser: CommandParser) -> None:
    """`--actor USERNAME`: the member of staff who does this."""
    parser.add_argument("--actor", metavar="USERNAME", help="the member of staff who does this, for the record")


def named_actor(options: dict[str, Any]) -> User | None:
    """The active member of staff that `--actor` names, ``None`` without it. Raises ``CommandError``."""
    if options["actor"] is None:
        return None
    user = User.objects.filter(username=options["actor"], is_staff=True, is_active=True).first()
    if user is None:
        raise CommandError(f"No active member of staff is called {options['actor']}.")
    return user
