"""Recompute the books from the transfers and name what is wrong (building blocks of `manage.py verify_ledger`).

Each check is one set-based query and answers with the first wrong rows, worst first. They see one snapshot when the
caller runs them in one repeatable-read transaction, so they hold while money moves.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

FINDINGS_MAX = 20


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One broken invariant: which (I1…), where, what was found, and in which token (None: it cannot be told)."""

    invariant: str
    where: str
    what: str
    token: str | None = None


@dataclass(frozen=True, kw_only=True)
class Check(ABC):
    """A named check: ``title`` for people.

    ``is_money``: a finding means that tokens may go to people who do not own them, so payments in them stop.
    """

    invariant: str
    title: str
    is_money: bool

    @abstractmethod
    def run(self) -> Iterator[Finding]:
        """The first findings, none when all is well."""

    def tokens(self) -> set[str | None]:
        """The tokens of all findings, not only of the first."""
        return {finding.token for finding in self.run()}


@dataclass(frozen=True, kw_only=True)
class SqlCheck(Check):
    """``query`` selects the wrong rows as (where, what) or (where, what, token)."""

    query: str

    def run(self) -> Iterator[Finding]:
        with connection.cursor() as cursor:
            cursor.execute(f"{self.query} LIMIT {FINDINGS_MAX}")
            for where, what, *token in cursor.fetchall():
                yield Finding(invariant=self.invariant, where=where, what=what, token=token[0] if token else None)

    def tokens(self) -> set[str | None]:
        with connection.cursor() as cursor:
            cursor.execute(self.query)
            return {row[2] if len(row) > 2 else None for row in cursor.fetchall()}


def check_by_sql(invariant: str, title: str, query: str, *, is_money: bool = False) -> Check:
    """A check whose query selects the wrong rows as (where, what) or, better for money, (where, what, token symbol)."""
    return SqlCheck(invariant=invariant, title=title, query=query, is_money=is_money)


# In a query over ``payments_transfer t``: names the older transfer that ``t`` repeats, if there is one.
REPEATS = """coalesce((SELECT '; it repeats transfer ' || min(o.id) FROM payments_transfer o
    WHERE (o.reference, o.debit_account_id, o.credit_account_id, o.code, o.amount_minor)
        = (t.reference, t.debit_account_id, t.credit_account_id, t.code, t.amount_minor) AND o.id < t.id), '')"""

LEDGER_CHECKS = (
    check_by_sql(
        "I1",
        "every transfer joins two accounts of its token",
        """SELECT 'transfer ' || t.id, format('token %s, debit account token %s, credit account token %s',
                t.token_id, d.token_id, c.token_id), k.symbol
           FROM payments_transfer t LEFT JOIN payments_token k ON k.id = t.token_id
           LEFT JOIN payments_account d ON d.id = t.debit_account_id
           LEFT JOIN payments_account c ON c.id = t.credit_account_id
           WHERE d.token_id IS DISTINCT FROM t.token_id OR c.token_id IS DISTINCT FROM t.token_id
                OR t.debit_account_id = t.credit_account_id OR t.amount_minor <= 0
           ORDER BY t.id""",
        is_money=True,
    ),
    check_by_sql(
        "I2",
        "the balances of each token sum to 0",
        """SELECT 'token ' || k.symbol, format('balances sum to %s', sum(a.balance_minor)), k.symbol
           FROM payments_account a JOIN payments_token k ON k.id = a.token_id
           GROUP BY k.symbol HAVING sum(a.balance_minor) <> 0 ORDER BY k.symbol""",
        is_money=True,
    ),
    check_by_sql(
        "I3",
        "every balance is the sum of its transfers, and at least 0 but for issuance",
        """SELECT 'account ' || a.id, format('%s holds %s, its transfers sum to %s',
                a.kind, a.balance_minor, coalesce(m.total, 0)), k.symbol
           FROM payments_account a JOIN payments_token k ON k.id = a.token_id LEFT JOIN (
                SELECT account, sum(amount) AS total FROM (
                    SELECT credit_account_id AS account, amount_minor AS amount FROM payments_transfer
                    UNION ALL SELECT debit_account_id, -amount_minor FROM payments_transfer) x GROUP BY account
           ) m ON m.account = a.id
           WHERE a.balance_minor <> coalesce(m.total, 0) OR (a.kind <> 'issuance' AND a.balance_minor < 0)
           ORDER BY a.id""",
        is_money=True,
    ),
    check_by_sql(
        "I4",
        "every transfer's hash is the hash of its content",
        """SELECT 'transfer ' || t.id, 'the row does not have the content it was booked with', k.symbol
           FROM payments_transfer t LEFT JOIN payments_token k ON k.id = t.token_id
           WHERE t.tx_hash <> transfer_hash(t.debit_account_id, t.credit_account_id, t.token_id, t.amount_minor,
                t.code, t.reference, t.idempotency_key, t.batch, t.corrects_id, t.created_at)
           ORDER BY t.id""",
        is_money=True,
    ),
    check_by_sql(
        "I15",
        "every transfer's code is on the list and fits its two accounts",
        """SELECT 'transfer ' || t.id, format('%s from %s to %s is not on the list', t.code, d.kind, c.kind), k.symbol
           FROM payments_transfer t JOIN payments_token k ON k.id = t.token_id
           JOIN payments_account d ON d.id = t.debit_account_id JOIN payments_account c ON c.id = t.credit_account_id
           WHERE NOT transfer_fits(t.code, d.kind, c.kind) ORDER BY t.id""",
        is_money=True,
    ),
    check_by_sql(
        "I16",
        "every unit created or destroyed has its adjustment",
        f"""SELECT 'transfer ' || t.id, format('%s of %s units has %s%s', t.code, t.amount_minor,
               CASE WHEN a.id IS NULL THEN 'no adjustment' ELSE 'an adjustment for another movement' END, {REPEATS}),
               k.symbol
           FROM payments_account i JOIN payments_token k ON k.id = i.token_id
           JOIN payments_transfer t ON i.id IN (t.debit_account_id, t.credit_account_id)
           LEFT JOIN payments_adjustment a ON a.transfer_id = t.id
           LEFT JOIN payments_account w ON w.kind = 'wallet' AND w.owner_id = a.user_id AND w.token_id = a.token_id
           WHERE i.kind = 'issuance' AND (a.kind, w.id, a.amount_minor) IS DISTINCT FROM (t.code,
               CASE a.kind WHEN 'deposit' THEN t.credit_account_id ELSE t.debit_account_id END, t.amount_minor)
           ORDER BY t.id""",
        is_money=True,
    ),
)
