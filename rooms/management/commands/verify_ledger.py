"""`manage.py verify_ledger`: recompute the books and every session's money; exit code 1 when something is wrong."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from payments.audit import LEDGER_CHECKS
from payments.pot_audit import POT_CHECKS
from rooms.audit import ROOM_CHECKS


class Command(BaseCommand):
    help = (
        "Recompute all balances, hashes and session money from the transfers; name what is wrong, exit 1 if anything."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        # One snapshot for all checks: they hold while money moves.
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor.execute(
                    "SELECT (SELECT count(*) FROM payments_transfer), (SELECT count(*) FROM payments_account),"
                    " (SELECT count(*) FROM rooms_session)"
                )
                transfers, accounts, sessions = cursor.fetchone()
            for check in (*LEDGER_CHECKS, *POT_CHECKS, *ROOM_CHECKS):
                findings = list(check.run())
                wrong += len(findings)
                self.stdout.write(f"{'ok  ' if not findings else 'FAIL'} {check.invariant:<4} {check.title}")
                for finding in findings:
                    self.stdout.write(f"       {finding.where}: {finding.what}")
        looked_at = f"{transfers} transfers, {accounts} accounts, {sessions} sessions"
        if wrong:
            raise CommandError(
                f"The ledger is wrong in {wrong} places ({looked_at}). Stop payouts, keep a copy of the database, and"
                " read docs/operations.md on reconciliation."
            )
        self.stdout.write(self.style.SUCCESS(f"The ledger is right: {looked_at}."))
