"""Password hashes, one at a time per process.

A hash costs 0.2 s of a core and a process has few request threads, so strangers who log in could take all of them.
One hash runs, one more waits at most ``WAIT_SECONDS``; any other is refused at once.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import hashers

from core.errors import Unavailable

WAIT_SECONDS = 0.2


class Turnstile:
    """Lets one thread in and one more wait; a thread that is in may enter again."""

    def __init__(self) -> None:
        self._inside = threading.RLock()
        self._place_to_wait = threading.Semaphore(1)

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Raises ``Unavailable`` when the wait is over, or one waits already."""
        if not self._inside.acquire(blocking=False):
            self._wait()
        try:
            yield
        finally:
            self._inside.release()

    def _wait(self) -> None:
        if not self._place_to_wait.acquire(blocking=False):
            raise Unavailable
        try:
            if not self._inside.acquire(timeout=WAIT_SECONDS):
                raise Unavailable
        finally:
            self._place_to_wait.release()


_turnstile = Turnstile()


class _OneAtATime:
    """Mixed in before a hasher of Django's. All of them share one turnstile, whoever asks and for what."""

    def encode(self, *args: Any, **kwargs: Any) -> Any:
        with _turnstile.passing():
            return super().encode(*args, **kwargs)  # type: ignore[misc]

    def verify(self, *args: Any, **kwargs: Any) -> Any:
        with _turnstile.passing():
            return super().verify(*args, **kwargs)  # type: ignore[misc]


class Argon2PasswordHasher(_OneAtATime, hashers.Argon2PasswordHasher):
    pass


class PBKDF2PasswordHasher(_OneAtATime, hashers.PBKDF2PasswordHasher):
    """For hashes that were brought along; the next log-in replaces them."""
