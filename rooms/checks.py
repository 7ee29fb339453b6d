"""All checks of the platform's money: each app's in one list, run in one snapshot."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from payments.audit import LEDGER_CHECKS, Check
from payments.pot_audit import POT_CHECKS
from payments.seal_audit import SEAL_CHECKS
from rooms.audit import ROOM_CHECKS

# A new part of the platform adds its tuple here; `verify_ledger` and `reconcile` then run it.
ALL_CHECKS: tuple[Check, ...] = (*LEDGER_CHECKS, *SEAL_CHECKS, *POT_CHECKS, *ROOM_CHECKS)


@contextmanager
def one_snapshot() -> Iterator[None]:
    """One read-only snapshot for all checks inside, so that they hold while money moves."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
