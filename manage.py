#!/usr/bin/env python
"""Entry point of every management command.

``--data DIR`` may be given to any command: it names the folder that ``manage.py up`` keeps its services in, so that
a command run beside a started platform finds the same database. It is taken out here, before the settings are read.
"""

import os
import sys


def take_data_option(argv: list[str]) -> list[str]:
    """Move ``--data DIR`` / ``--data=DIR`` from the arguments to the environment."""
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--data":
            directory = next(words, None)
            if directory is None:
                sys.exit("--data needs a folder, for example --data var")
            os.environ["GAMEPLATFORM_DATA"] = directory
        elif word.startswith("--data="):
            os.environ["GAMEPLATFORM_DATA"] = word.removeprefix("--data=")
        else:
            rest.append(word)
    return rest


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gameplatform.settings")
    argv = take_data_option(sys.argv)
    if argv[1:2] == ["up"]:
        # It makes what the settings need, so it runs before there are any.
        from gameplatform.launcher.up import main as up  # noqa: PLC0415 - only for this command

        sys.exit(up(argv[2:]))
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415 - after the environment is set
    except ImportError:
        sys.exit("Django is not installed in this Python. Run ./bin/up, or activate .venv first.")
    from django.db import OperationalError  # noqa: PLC0415 - as above

    try:
        execute_from_command_line(argv)
    except OperationalError as error:
        # Only what never got as far as a server has no code of PostgreSQL's.
        if getattr(error.__cause__, "sqlstate", None) is not None:
            raise
        reason = str(error).strip().splitlines()[0]
        sys.exit(f"The database does not answer: {reason}. Start it, or name another with --data or DATABASE_URL.")


if __name__ == "__main__":
    main()
