"""Check that exports can be written (`check --deploy`)."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error


def check_export_folder(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E001: long exports could not be written. The folder itself may still be missing; a worker makes it."""
    folder = Path(settings.EXPORT_DIR)
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"EXPORT_DIR is {folder}, and nothing can be written to {there}.",
            hint="Give this process a folder that it may write to and shares with the other web servers and workers.",
            id="backoffice.E001",
        )
    ]
