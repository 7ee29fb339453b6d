"""`manage.py verify_draw`: check the draws of ended sessions with the published stand-alone script."""

import importlib.util
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from rooms import proof, queries
from rooms.models import Session

SCRIPT = settings.BASE_DIR / "docs" / "verify_draw.py"


class Command(BaseCommand):
    help = "Check that ranks and prizes of drawn sessions follow from their seeds, as any player can."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("session_ids", nargs="*", type=int, help="sessions to check; without any, the newest")
        parser.add_argument("--last", type=int, default=100, metavar="N", help="how many of the newest (default 100)")

    def handle(self, *args: Any, **options: Any) -> None:
        problems = _published_check()
        wrong = 0
        sessions = self._sessions(options["session_ids"], options["last"])
        for session in tqdm(sessions, unit="session", disable=None):
            for problem in problems(proof.proof(session)):
                wrong += 1
                self.stdout.write(f"session {session.pk}: {problem}")
        if wrong:
            raise CommandError(f"{wrong} things do not follow from the published seeds.")
        self.stdout.write(self.style.SUCCESS(f"{len(sessions)} draws are as published."))

    def _sessions(self, session_ids: list[int], last: int) -> list[Session]:
        drawn = queries.drawn_sessions()
        if not session_ids:
            return list(drawn[:last])
        sessions = list(drawn.filter(pk__in=session_ids))
        missing = sorted(set(session_ids) - {session.pk for session in sessions})
        if missing:
            raise CommandError(f"No draw has ended in session {', '.join(map(str, missing))}.")
        return sessions


def _published_check() -> Callable[[dict[str, Any]], Iterable[str]]:
    """The very function that players run: a second implementation here could agree with the first one's mistakes."""
    spec = importlib.util.spec_from_file_location("verify_draw", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    check: Callable[[dict[str, Any]], Iterable[str]] = module.problems
    return check
