"""Reading the books: balances and statements (no locks, no writes)."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q, Sum

from accounts.models import User
from payments.models import Account, Transfer


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What a user owns of one token, in minor units."""

    symbol: str
    decimals: int
    balance_minor: int


@dataclass(frozen=True, kw_only=True)
class StatementLine:
    """One transfer as its wallet's owner sees it: ``amount_minor`` is negative when it was paid out."""

    transfer_id: int
    amount_minor: int
    balance_after_minor: int
    code: str
    reference: str
    tx_hash: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Circulation:
    """A token's units in existence, and the sum of all its balances, which is 0 unless the books are wrong (I2)."""

    symbol: str
    decimals: int
    supply_minor: int
    sum_minor: int


def circulation() -> list[Circulation]:
    """Every token's. One statement that reads all accounts: not for every request."""
    rows = (
        Account.objects.order_by("token__symbol")
        .values_list("token__symbol", "token__decimals")
        .annotate(issued=Sum("balance_minor", filter=Q(kind=Account.Kind.ISSUANCE)), total=Sum("balance_minor"))
    )
    return [
        Circulation(symbol=symbol, decimals=decimals, supply_minor=-int(issued or 0), sum_minor=int(total))
        for symbol, decimals, issued, total in rows
    ]


def balances(user: User) -> list[Balance]:
    """The user's wallets, by token symbol. One statement."""
    rows = (
        Account.objects.filter(kind=Account.Kind.WALLET, owner=user)
        .order_by("token__symbol")
        .values_list("token__symbol", "token__decimals", "balance_minor")
    )
    return [Balance(symbol=s, decimals=d, balance_minor=b) for s, d, b in rows]


def wallet_account_id(*, user: User, symbol: str) -> int | None:
    """The id of the user's wallet in this token, ``None`` while the user has none."""
    return (
        Account.objects.filter(kind=Account.Kind.WALLET, owner=user, token__symbol=symbol.upper())
        .values_list("pk", flat=True)
        .first()
    )


def statement(*, account_id: int, before_transfer_id: int | None, limit: int) -> list[StatementLine]:
    """The account's transfers, newest first, with the running balance; continue with the last ``transfer_id``.

    The balance after each line is the present balance minus all that came later, computed in the same snapshot.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH lines AS (
                (SELECT id, amount_minor AS amount, code, reference, tx_hash, created_at FROM payments_transfer
                    WHERE credit_account_id = %(account)s AND id < %(before)s ORDER BY id DESC LIMIT %(limit)s)
                UNION ALL
                (SELECT id, -amount_minor, code, reference, tx_hash, created_at FROM payments_transfer
                    WHERE debit_account_id = %(account)s AND id < %(before)s ORDER BY id DESC LIMIT %(limit)s)
            ), later AS (
                SELECT coalesce((SELECT sum(amount_minor) FROM payments_transfer
                            WHERE credit_account_id = %(account)s AND id >= %(before)s), 0)
                     - coalesce((SELECT sum(amount_minor) FROM payments_transfer
                            WHERE debit_account_id = %(account)s AND id >= %(before)s), 0) AS total
            )
            SELECT lines.id, amount, a.balance_minor - later.total
                    - coalesce(sum(amount) OVER (ORDER BY lines.id DESC
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0),
                code, reference, tx_hash, lines.created_at
            FROM lines, later, payments_account a WHERE a.id = %(account)s ORDER BY lines.id DESC LIMIT %(limit)s
            """,
            {"account": account_id, "before": before_transfer_id or 2**63 - 1, "limit": limit},
        )
        return [
            StatementLine(
                transfer_id=i,
                amount_minor=int(a),
                balance_after_minor=int(b),
                code=c,
                reference=r,
                tx_hash=h,
                created_at=t,
            )
            for i, a, b, c, r, h, t in cursor.fetchall()
        ]


def supply_minor(symbol: str) -> int:
    """Units of the token in existence: what issuance has given out."""
    balance = (
        Account.objects.filter(kind=Account.Kind.ISSUANCE, token__symbol=symbol)
        .values_list("balance_minor", flat=True)
        .first()
    )
    return -(balance or 0)


def transfers_of(reference: str) -> list[Transfer]:
    """All transfers of one business object, for example ``session:42``, oldest first, their tokens loaded."""
    return list(Transfer.objects.filter(reference=reference).select_related("token").order_by("id"))
