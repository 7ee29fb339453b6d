import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.roles import MasterStep, create_master, master_step
from core.db import clock
from core.errors import DomainError

DONE = {
    MasterStep.CREATE: "Created the master {}.",
    MasterStep.PROMOTE: "{} is a master now. Its password stays as it was.",
    MasterStep.NOTHING: "{} is a master already. Nothing was changed.",
}
PLANNED = {
    MasterStep.CREATE: "Would create the master {}.",
    MasterStep.PROMOTE: "Would make {} a master.",
    MasterStep.NOTHING: "{} is a master already. Nothing to do.",
}


class Command(BaseCommand):
    help = "Create a master (who owns rooms), or make an existing user one. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read a new user's password from standard input"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")

    def handle(self, *args: Any, **options: Any) -> None:
        username = options["username"]
        step = master_step(username)
        if options["dry_run"]:
            self.stdout.write(PLANNED[step].format(username))
            return
        password = _read_password(from_stdin=options["password_stdin"]) if step is MasterStep.CREATE else None
        try:
            done = create_master(username=username, password=password, now=clock.now())
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(DONE[done].format(username))


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    try:
        password = getpass.getpass("Password: ")
        repeated = getpass.getpass("Password (again): ")
    except EOFError:
        raise CommandError("Nobody is there to be asked for a password: give it with --password-stdin.") from None
    if repeated != password:
        raise CommandError("The two passwords differ.")
    return password
