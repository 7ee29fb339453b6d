"""Who can sign in to the demo, and with what: random passwords, kept in the data folder for its owner only."""

import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

FILE_NAME = "demo-logins.json"
PASSWORD_BYTES = 12


class Role(Enum):
    """What somebody of the demo is there for."""

    STAFF = "staff"
    MASTER = "master"
    PLAYER = "player"


CAST = {
    "demo_staff": Role.STAFF,
    "demo_master": Role.MASTER,
    "demo_player1": Role.PLAYER,
    "demo_player2": Role.PLAYER,
    "demo_player3": Role.PLAYER,
}


@dataclass(frozen=True, kw_only=True)
class Login:
    """A name and its password."""

    username: str
    password: str


class LoginsUnreadable(Exception):
    """The file is there but does not hold logins; the message says what to do."""


def known_logins(folder: Path) -> dict[str, Login]:
    """The logins kept in this folder, by username; none when there is no file. Raises ``LoginsUnreadable``."""
    path = folder / FILE_NAME
    try:
        passwords = json.loads(path.read_text())
        return {name: Login(username=name, password=str(password)) for name, password in passwords.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise LoginsUnreadable(f"{path} cannot be read as demo logins. Remove it, then run seed_demo again.") from error


def complete_logins(folder: Path) -> dict[str, Login]:
    """A login for everybody of the cast: the kept one, or else a new one, not kept yet. Raises ``LoginsUnreadable``."""
    fresh = {name: Login(username=name, password=secrets.token_urlsafe(PASSWORD_BYTES)) for name in CAST}
    return fresh | known_logins(folder)


def keep_logins(folder: Path, logins: dict[str, Login]) -> None:
    """Write the file in one step, readable by its owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f".{FILE_NAME}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump({login.username: login.password for login in logins.values()}, file, indent=2)
            file.write("\n")
        Path(temporary).replace(folder / FILE_NAME)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
