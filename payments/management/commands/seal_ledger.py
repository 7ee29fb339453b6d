"""`manage.py seal_ledger`: what beat does each minute, by hand."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import sealing
from core.db import clock
from payments.seals import CHAINS


class Command(BaseCommand):
    help = (
        "Seal the transfers and audit entries written so far into their hash chains, and print the latest digests: keep"
        " them elsewhere. Safe to repeat, and beside the worker."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what is not sealed yet")

    def handle(self, *args: Any, **options: Any) -> None:
        for chain in CHAINS:
            if options["dry_run"]:
                before = sealing.sealed_up_to(chain)
                waiting = chain.rows._default_manager.filter(pk__gt=before).count()
                self.stdout.write(f"Sealed up to {chain.noun} {before}; {waiting} {chain.noun_plural} would be sealed.")
            else:
                self._seal(chain)

    def _seal(self, chain: sealing.Chain) -> None:
        report = sealing.seal_rows(chain, now=clock.now())
        if report.waited_out:
            raise CommandError(
                f"Nothing was sealed: a transaction has been writing for over {sealing.PATIENCE_SECONDS:.0f} s."
                " Find it in pg_stat_activity (oldest xact_start), then run this again."
            )
        for seal in report.sealed:
            self.stdout.write(
                f"sealed {chain.noun_plural} {seal.first_id} to {seal.last_id} ({seal.count}): {seal.digest}"
            )
        count = sum(seal.count for seal in report.sealed)
        self.stdout.write(
            self.style.SUCCESS(f"{count} {chain.noun_plural} sealed in {len(report.sealed)} seals; {chain.extent()}.")
        )
