"""`manage.py play`: bots that play over HTTP and check their money to the last unit."""

import argparse
import asyncio
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Game
from gameplatform.demo.client import PlayError
from gameplatform.demo.lobby import ANY_MODE
from gameplatform.demo.logins import FILE_NAME, Login, LoginsUnreadable, known_logins
from gameplatform.demo.playing import Plan, play
from gameplatform.demo.seeding import STAFF

PLAYERS_MAX = 500
MODES = (Game.ResultMode.DRAW.value, Game.ResultMode.SCORE.value, ANY_MODE)
TERMINAL_REPORT_SECONDS = 1.0
REPORT_SECONDS = 10.0
CALM_REPORT_SECONDS = 60.0


def _players(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= PLAYERS_MAX:
        raise argparse.ArgumentTypeError(f"a number from 1 to {PLAYERS_MAX}")
    return int(text)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes <= 7 * 24 * 60:
        raise argparse.ArgumentTypeError("a number of minutes, at most a week")
    return minutes


class Command(BaseCommand):
    help = (
        "Let bots play on a running platform, by HTTP only: they register, join, leave, score, and keep book of their"
        " money. In the end (or on Ctrl-C) every wallet is compared with the books; exit code 1 when one differs."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base-url", default=settings.PLATFORM_URL, help="default: %(default)s")
        parser.add_argument("--players", type=_players, default=8, help="how many bots (default: %(default)s)")
        length = parser.add_mutually_exclusive_group()
        length.add_argument("--minutes", type=_minutes, default=2.0, help="default: %(default)s")
        length.add_argument("--forever", action="store_true", help="play calmly until stopped, one report a minute")
        parser.add_argument(
            "--mode", choices=MODES, default=ANY_MODE, help="join only rooms decided this way (default: %(default)s)"
        )
        parser.add_argument("--staff-username", help="who gives tokens to the bots (default: the demo's staff)")
        parser.add_argument("--staff-password-file", type=Path, help="a file with that password in its first line")

    def handle(self, *args: Any, **options: Any) -> None:
        is_terminal = self.stdout.isatty()
        plan = Plan(
            base_url=options["base_url"],
            players=options["players"],
            seconds=None if options["forever"] else options["minutes"] * 60,
            staff=_staff(options["staff_username"], options["staff_password_file"]),
            token=settings.ROOM_TOKEN_SYMBOL,
            mode=options["mode"],
            report_seconds=_report_seconds(is_terminal=is_terminal, is_calm=options["forever"]),
        )
        self._say(f"{plan.players} players on {plan.base_url}; Ctrl-C lets them finish")
        try:
            is_right = asyncio.run(play(plan, say=self._say, progress=self._over_write if is_terminal else self._say))
        except PlayError as error:
            raise CommandError(str(error)) from error
        except asyncio.CancelledError:
            raise CommandError("Stopped before the reconciliation.") from None
        if not is_right:
            raise CommandError("The players' books and the platform disagree, see above.")

    def _say(self, line: str) -> None:
        self.stdout.write(f"\r\033[K{line}" if self.stdout.isatty() else line)
        self.stdout.flush()

    def _over_write(self, line: str) -> None:
        # One that wraps could not be written over.
        self.stdout.write(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}", ending="")
        self.stdout.flush()


def _report_seconds(*, is_terminal: bool, is_calm: bool) -> float:
    if is_calm:
        return CALM_REPORT_SECONDS
    return TERMINAL_REPORT_SECONDS if is_terminal else REPORT_SECONDS


def _staff(username: str | None, password_file: Path | None) -> Login:
    if (username is None) != (password_file is None):
        raise CommandError("--staff-username and --staff-password-file belong together.")
    if username is not None and password_file is not None:
        try:
            lines = password_file.read_text().splitlines()
        except OSError as error:
            raise CommandError(f"{password_file} cannot be read: {error.strerror}") from error
        return Login(username=username, password=lines[0] if lines else "")
    try:
        login = known_logins(settings.DATA_DIR).get(STAFF)
    except LoginsUnreadable as error:
        raise CommandError(str(error)) from error
    if login is None:
        raise CommandError(
            f"{settings.DATA_DIR / FILE_NAME} has no staff login. Run manage.py seed_demo, name the platform's folder"
            " with --data DIR, or give --staff-username and --staff-password-file."
        )
    return login
