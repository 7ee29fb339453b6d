"""Waiting for what other processes do."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(what: Callable[[], T], *, seconds: float = 40.0) -> T:
    """What ``what`` answers as soon as that is true; fails when it is not in time."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"it never happened: {found!r}"
        time.sleep(0.1)
    return found
