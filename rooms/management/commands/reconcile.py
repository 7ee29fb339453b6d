"""`manage.py reconcile`: what beat does each hour, by hand; and the release of a frozen token."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.actors import add_actor_argument, named_actor
from core.db import clock
from core.errors import DomainError
from rooms import reconciliation


class Command(BaseCommand):
    help = (
        "Run the money checks; on a breach raise the alarm and freeze all payments of the tokens concerned, exit 1."
        " With --unfreeze, let payments of a token go on again, if its books are right."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--unfreeze", metavar="TOKEN", help="release this token; needs --reason and --actor")
        parser.add_argument("--reason", help="why it may be released, for the record")
        add_actor_argument(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say what would be frozen or released")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["unfreeze"]:
            self._release(options)
        else:
            self._reconcile(dry_run=options["dry_run"])

    def _reconcile(self, *, dry_run: bool) -> None:
        newly_frozen: list[str] = []
        if dry_run:
            breach = reconciliation.look()
        else:
            breach, newly_frozen = reconciliation.reconcile(now=clock.now())
        for finding in breach.findings:
            self.stdout.write(f"{finding.invariant:<4} {finding.token or 'any token'}: {finding.where}: {finding.what}")
        if not breach.findings:
            self.stdout.write(self.style.SUCCESS("All money is where it belongs."))
            return
        if dry_run:
            verdict = f"Payments would be frozen in: {', '.join(breach.symbols)}."
        else:
            old = [symbol for symbol in breach.symbols if symbol not in newly_frozen]
            verdict = f"Frozen now: {', '.join(newly_frozen) or 'none'}; before: {', '.join(old) or 'none'}."
        raise CommandError(f"The books are wrong. {verdict} Read docs/operations.md, 'When the books are wrong'.")

    def _release(self, options: dict[str, Any]) -> None:
        symbol, reason, actor = options["unfreeze"].upper(), options["reason"], named_actor(options)
        if not reason or actor is None:
            raise CommandError("--unfreeze needs --reason and --actor: the release is recorded with both.")
        try:
            if options["dry_run"]:
                reconciliation.require_releasable(symbol)
                self.stdout.write(f"Would release {symbol}.")
                return
            reconciliation.release(symbol=symbol, actor=actor, reason=reason, now=clock.now())
        except DomainError as refusal:
            raise CommandError(f"{symbol} was not released. {refusal.message}.") from refusal
        self.stdout.write(self.style.SUCCESS(f"{symbol} is released: payments go on."))
