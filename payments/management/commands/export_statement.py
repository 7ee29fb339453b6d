"""`manage.py export_statement`: one user's wallet as a CSV file."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from accounts.models import User
from core.amounts import format_amount_fixed
from core.errors import DomainError
from core.spreadsheets import safe_cell
from payments import queries, wallets
from payments.models import Token
from payments.statements import lines_between

COLUMNS = ("transfer", "time", "amount", "balance_after", "code", "reference", "tx_hash")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Write a user's statement in one token to a CSV file, oldest first, with the balance after each line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, metavar="USERNAME")
        parser.add_argument("--token", required=True, metavar="SYMBOL")
        parser.add_argument("--from", dest="since", type=_moment, metavar="TIME", help="ISO date or time, inclusive")
        parser.add_argument("--to", dest="until", type=_moment, metavar="TIME", help="ISO date or time, exclusive; UTC")
        parser.add_argument("--output", required=True, type=Path, metavar="FILE", help="a file there is replaced whole")
        parser.add_argument("--dry-run", action="store_true", help="only count; write no file")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"No user is called {options['user']}.")
        try:
            token = wallets.token_by_symbol(options["token"])
        except DomainError as refusal:
            raise CommandError(f"No token has the symbol {options['token']}.") from refusal
        output: Path = options["output"]
        if options["dry_run"]:
            count = self._write(None, user, token, options)
            self.stdout.write(f"Would write {count} to {output}.")
            return
        # Under another name until it is whole: a reader never sees half a statement.
        unfinished = output.with_name(f".{output.name}.unfinished")
        try:
            with unfinished.open("w", newline="", encoding="utf-8") as file:
                count = self._write(file, user, token, options)
            unfinished.replace(output)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
        finally:
            unfinished.unlink(missing_ok=True)
        self.stdout.write(self.style.SUCCESS(f"{count} written to {output}."))

    def _write(self, file: TextIO | None, user: User, token: Token, options: dict[str, Any]) -> str:
        account_id = queries.wallet_account_id(user=user, symbol=token.symbol)
        writer = csv.writer(file) if file else None
        if writer:
            writer.writerow(COLUMNS)
        count = came_in = went_out = 0
        lines = (
            lines_between(account_id=account_id, since=options["since"], until=options["until"]) if account_id else ()
        )
        for line in tqdm(lines, unit="line", leave=False, disable=None):
            count += 1
            came_in += max(line.amount_minor, 0)
            went_out -= min(line.amount_minor, 0)
            if writer:
                cells = (
                    line.transfer_id,
                    line.created_at.astimezone(UTC),
                    format_amount_fixed(line.amount_minor, decimals=token.decimals),
                    format_amount_fixed(line.balance_after_minor, decimals=token.decimals),
                    line.code,
                    line.reference,
                    line.tx_hash,
                )
                writer.writerow([safe_cell(cell) for cell in cells])
        sums = [format_amount_fixed(amount, decimals=token.decimals) for amount in (came_in, went_out)]
        return f"{count} lines ({sums[0]} {token.symbol} in, {sums[1]} out)"
