"""Run functions at the same moment on real threads with database connections of their own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection


def together(functions: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each function returned or raised, in order. All start when the last is ready."""
    barrier = threading.Barrier(len(functions))

    def run(function: Callable[[], Any]) -> Any:
        connection.ensure_connection()
        barrier.wait(timeout=30)
        try:
            return function()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))


def kinds(results: Sequence[Any]) -> dict[str, int]:
    """How many results of each type there are, by its name."""
    counted: dict[str, int] = {}
    for result in results:
        counted[type(result).__name__] = counted.get(type(result).__name__, 0) + 1
    return counted
