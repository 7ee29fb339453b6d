from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.rights import grant_rights, rights
from core.db import clock
from core.errors import DomainError


class Command(BaseCommand):
    help = "Set the rights of a member of staff without a second superuser: for the first ones, and in need."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--superuser", action="store_true")
        parser.add_argument("--group", action="append", dest="groups", default=[], help="repeatable")
        parser.add_argument("--reason", required=True, help="kept in the audit trail")

    def handle(self, *args: Any, **options: Any) -> None:
        username = options["username"]
        try:
            wanted = rights(is_staff=True, is_superuser=options["superuser"], groups=options["groups"])
            grant_rights(username=username, wanted=wanted, reason=options["reason"], now=clock.now())
        except User.DoesNotExist:
            raise CommandError(f"There is no user {username}.") from None
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{username} has these rights now.")
