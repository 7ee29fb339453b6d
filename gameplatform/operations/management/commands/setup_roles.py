from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from gameplatform.operations import groups


class Command(BaseCommand):
    help = "Make the groups of staff (support, finance, moderator, operator) and give them their permissions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be given")

    def handle(self, *args: Any, **options: Any) -> None:
        given = groups.missing_permissions() if options["dry_run"] else groups.set_up_groups()
        for name, permissions in given.items():
            self.stdout.write(f"{name}: {', '.join(permissions)}")
        verb = "would be given" if options["dry_run"] else "given"
        count = sum(len(permissions) for permissions in given.values())
        self.stdout.write(f"{len(groups.GROUPS)} groups, {count} permissions {verb}.")
