"""A wallet's whole statement, oldest first, for files (reading only)."""

from collections.abc import Iterator
from datetime import datetime

from django.db import connection, transaction

from payments.queries import StatementLine

_BATCH_ROWS = 1_000


def lines_between(
    *, account_id: int, since: datetime | None = None, until: datetime | None = None
) -> Iterator[StatementLine]:
    """The account's transfers with ``since`` <= time < ``until``, each with the balance after it, as of one instant.

    The balance is counted from the account's first transfer on, not taken from its row. One transaction stays open
    while the iterator is being used up.
    """
    balance_minor, last_id = 0, 0
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        while True:
            cursor.execute(
                """(SELECT id, amount_minor AS amount, code, reference, tx_hash, created_at FROM payments_transfer
                        WHERE credit_account_id = %(account)s AND id > %(last)s ORDER BY id LIMIT %(limit)s)
                    UNION ALL
                    (SELECT id, -amount_minor, code, reference, tx_hash, created_at FROM payments_transfer
                        WHERE debit_account_id = %(account)s AND id > %(last)s ORDER BY id LIMIT %(limit)s)
                    ORDER BY id LIMIT %(limit)s""",
                {"account": account_id, "last": last_id, "limit": _BATCH_ROWS},
            )
            rows = cursor.fetchall()
            for transfer_id, amount, code, reference, tx_hash, created_at in rows:
                balance_minor += amount
                last_id = transfer_id
                if (since is None or created_at >= since) and (until is None or created_at < until):
                    yield StatementLine(
                        transfer_id=transfer_id,
                        amount_minor=amount,
                        balance_after_minor=balance_minor,
                        code=code,
                        reference=reference,
                        tx_hash=tx_hash,
                        created_at=created_at,
                    )
            if len(rows) < _BATCH_ROWS:
                return
