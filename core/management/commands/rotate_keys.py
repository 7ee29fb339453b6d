"""`manage.py rotate_keys`: after a new key was put in front of FIELD_ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from core.security import key_rotation


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret with the first of FIELD_ENCRYPTION_KEYS, so that the keys behind it can go. Safe"
        " to stop, to repeat, and while the platform runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what would be encrypted anew")

    def handle(self, *args: Any, **options: Any) -> None:
        total, lost = 0, 0
        for column in key_rotation.secret_columns():
            rotated = 0
            with tqdm(desc=str(column), unit="row", leave=False, disable=None) as bar:
                for batch in key_rotation.rotate_column(column, dry_run=options["dry_run"]):
                    bar.update(batch.looked_at)
                    rotated += batch.rotated
                    lost += len(batch.unreadable)
                    for pk in batch.unreadable:
                        self.stderr.write(f"{column}: no key opens row {pk}")
            self.stdout.write(f"{column}: {rotated} {'to encrypt' if options['dry_run'] else 'encrypted'} anew")
            total += rotated
        if lost:
            raise CommandError(f"{lost} secrets are encrypted with a key that is not in FIELD_ENCRYPTION_KEYS.")
        if options["dry_run"]:
            self.stdout.write(f"{total} secrets would be encrypted anew.")
            return
        self.stdout.write(
            self.style.SUCCESS(f"{total} secrets encrypted anew; the keys behind the first are not needed any more.")
        )
