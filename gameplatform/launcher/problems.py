"""Why the launcher cannot go on, in one sentence that also says what to do."""

import errno
import os

_FULL = (errno.ENOSPC, errno.EDQUOT)


class LauncherError(Exception):
    """One sentence for the person at the terminal; the launcher prints it and exits with 1."""


class StopRequested(Exception):
    """Ctrl-C or SIGTERM came while the launcher was waiting for something."""


def sentence_for(error: OSError) -> str:
    """The operating system's refusal in words."""
    path = f" ({os.fsdecode(error.filename)})" if isinstance(error.filename, str | bytes) else ""
    if error.errno in _FULL:
        return f"The disk is full{path}. Free some space, or choose a folder on another disk with --data DIR."
    if isinstance(error, PermissionError):
        return f"No permission{path}. Choose a folder of your own with --data DIR."
    return f"{error.strerror or error}{path}."
