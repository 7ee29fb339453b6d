"""`manage.py seal_ledger`: what beat does each minute, by hand."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.db import clock
from payments import seals
from payments.models import Transfer


class Command(BaseCommand):
    help = "Seal the transfers booked so far into the hash chain. Stops nobody; safe to repeat and beside the worker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what is not sealed yet")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            before = seals.sealed_up_to()
            waiting = Transfer.objects.filter(pk__gt=before).count()
            self.stdout.write(f"Sealed up to transfer {before}; {waiting} transfers would be sealed.")
            return
        report = seals.seal_ledger(now=clock.now())
        if report.waited_out:
            raise CommandError(
                f"Nothing was sealed: somebody has been posting for over {seals.PATIENCE_SECONDS:.0f} s without an end."
                " Find it in pg_stat_activity (oldest xact_start), then run this again."
            )
        for seal in report.sealed:
            self.stdout.write(
                f"sealed transfers {seal.first_transfer_id} to {seal.last_transfer_id} ({seal.count}): {seal.digest}"
            )
        count = sum(seal.count for seal in report.sealed)
        self.stdout.write(self.style.SUCCESS(f"{count} transfers sealed in {len(report.sealed)} seals."))
