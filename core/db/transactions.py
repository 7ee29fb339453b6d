"""Transactions: a use case is one durable transaction, tried again after a deadlock.

A module holds either use cases (``@use_case``: the outermost transaction) or building blocks (``require_atomic()``:
never open one). The edge has ``one_transaction``. Nothing else in the platform opens transactions.
"""

import functools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

import psycopg
from django.db import OperationalError, connection, transaction

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 4
BACKOFF_SECONDS = 0.02


_is_joined = ContextVar("_is_joined", default=False)


@contextmanager
def one_transaction() -> Iterator[None]:
    """The outermost transaction of an edge that has something to write with its one use case.

    The use case inside is a savepoint: its refusal undoes it alone, and its deadlock is tried again, while what the
    edge writes and holds stays.
    """
    with transaction.atomic(durable=True):
        outer = _is_joined.set(True)
        try:
            yield
        finally:
            _is_joined.reset(outer)


def use_case(function: Callable[P, R]) -> Callable[P, R]:
    """Run ``function`` as the outermost transaction, or as the use case of ``one_transaction``.

    A deadlock or serialisation failure rolled everything back, so it is safe to run it again: up to ``ATTEMPTS`` times
    with a growing, random pause. Calling a use case inside any other transaction is a programming error and raises.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic(durable=not _is_joined.get()):
                    return function(*args, **kwargs)
            except OperationalError as error:
                if attempt == ATTEMPTS or not _is_worth_another_try(error):
                    raise
                time.sleep(random.uniform(0, BACKOFF_SECONDS * 2**attempt))
        raise AssertionError("unreachable")

    return run


def _is_worth_another_try(error: OperationalError) -> bool:
    return isinstance(error.__cause__, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure)


def require_atomic() -> None:
    """Assert that a building block runs inside its caller's transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError("This building block must run inside a use case's transaction.")
