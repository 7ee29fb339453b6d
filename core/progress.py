"""Progress of a long command: a bar for a person at a terminal, a plain line now and then for a log."""

import re
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType

from django.utils.translation import gettext_noop
from tqdm import tqdm

from core.errors import Invalid

LINE_EVERY_SECONDS = 5.0
_PERIOD = re.compile(r"([1-9][0-9]{0,4})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Progress:
    """``with Progress("deleted", total=9_000, say=self.stderr.write) as progress: progress.add(1_000)``."""

    def __init__(self, verb: str, *, total: int, say: Callable[[str], object]) -> None:
        self._verb, self._total, self._say = verb, total, say
        self._done = 0
        self._said_at = time.monotonic()
        self._bar = tqdm(total=total, desc=verb, file=sys.stderr) if sys.stderr.isatty() else None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def add(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        elif time.monotonic() - self._said_at >= LINE_EVERY_SECONDS:
            self._said_at = time.monotonic()
            self._say(f"{self._verb} {self._done} of {self._total}")


def parse_period(text: str) -> timedelta:
    """``90d``, ``12h``, ``30m`` or ``45s``. Raises ``Invalid``."""
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise Invalid(gettext_noop("A period looks like 90d, 12h, 30m or 45s"))
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
