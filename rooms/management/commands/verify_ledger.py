"""`manage.py verify_ledger`: recompute the books and every session's money; exit code 1 when something is wrong."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from tqdm import tqdm

from core.db import functions
from payments.seals import CHAINS
from rooms.checks import ALL_CHECKS, one_snapshot


class Command(BaseCommand):
    help = (
        "Recompute all balances, hashes, seals and session money from the transfers; name what is wrong, exit 1 if"
        " anything. Reads only; safe while money moves."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--expect-digest",
            action="append",
            default=[],
            metavar="DIGEST",
            help="a digest kept elsewhere: one of the seals must still have it; may be given several times",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        wrong: dict[str, int] = {}
        with one_snapshot():
            looked_at = _extent()
            lost = _lost(options["expect_digest"])
            with tqdm(ALL_CHECKS, unit="check", leave=False, disable=None) as bar:
                for check in bar:
                    bar.set_description(check.invariant)
                    findings = list(check.run())
                    if findings:
                        wrong[check.invariant] = len(findings)
                    bar.clear()
                    self.stdout.write(f"{'FAIL' if findings else 'ok  '} {check.invariant:<4} {check.title}")
                    for finding in findings:
                        self.stdout.write(f"       {finding.where}: {finding.what}")
        if names := functions.differing():
            self.stderr.write(f"The database runs other SQL functions than this code: {', '.join(names)}")
        for digest in lost:
            wrong["--expect-digest"] = len(lost)
            self.stdout.write(f"FAIL no seal has the kept digest {digest}: seals were removed or made again")
        seconds = f"{time.monotonic() - started:.1f} s"
        if wrong:
            raise CommandError(
                f"The ledger is wrong: {', '.join(f'{name} in {count}' for name, count in wrong.items())} places"
                f" ({looked_at}; {seconds}). Keep a copy of the database and read docs/operations.md, 'When the books"
                " are wrong'."
            )
        self.stdout.write(self.style.SUCCESS(f"The ledger is right: {looked_at}; {len(ALL_CHECKS)} checks, {seconds}."))


def _extent() -> str:
    """How much there was to look at, and how far it is sealed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM payments_transfer), (SELECT count(*) FROM payments_account),"
            " (SELECT count(*) FROM rooms_session)"
        )
        transfers, accounts, sessions = cursor.fetchone()
    counts = f"{transfers} transfers, {accounts} accounts, {sessions} sessions"
    return "; ".join([counts, *(chain.extent() for chain in CHAINS)])


def _lost(digests: list[str]) -> list[str]:
    """Those of the kept digests that no seal has."""
    return [d for d in digests if not any(chain.seals._default_manager.filter(digest=d).exists() for chain in CHAINS)]
