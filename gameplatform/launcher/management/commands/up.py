"""``manage.py up`` among Django's commands: for ``manage.py help``. What it does stands in ``launcher.up``."""

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from gameplatform.launcher import up as launcher


class Command(BaseCommand):
    help = launcher.__doc__ or ""
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        launcher.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(launcher.run(argparse.Namespace(**options)))
