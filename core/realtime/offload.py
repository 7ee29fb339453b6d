"""Blocking work (the ORM, Redis) for code on an event loop, in a few threads that keep their database connections.

asgiref's ``sync_to_async`` would run all of a process's work in one single thread; a few let several sockets of a
process work with the database at once, and no more than it can use.
"""

import asyncio
import contextvars
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connections

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 4

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="offload")


async def offload(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of ``function(*args, **kwargs)``, run in another thread; what it logs belongs to the same request."""
    call = functools.partial(contextvars.copy_context().run, function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_threads, _run, call)


def _run(call: Callable[[], R]) -> R:
    # What a request does at its beginning and end: a connection that broke or is too old is not used again.
    close_old_connections()
    try:
        return call()
    finally:
        close_old_connections()


def close_connections() -> None:
    """Close the threads' database connections, so that nobody holds the database when it is dropped (tests)."""
    # Each thread must take exactly one of the calls: none returns before all have begun.
    everybody = threading.Barrier(THREADS)

    def close() -> None:
        everybody.wait()
        connections.close_all()

    for future in [_threads.submit(close) for _ in range(THREADS)]:
        future.result()
