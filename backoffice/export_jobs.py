"""Long lists become files by a worker: asked for once, written by one run at a time, begun again when that run dies.

Nothing is queued: the tick looks for what is unfinished. A run proves by its claim that the export is still its own;
one that was taken for dead and is not finds its claim gone and stops.
"""

import logging
import os
import secrets
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_noop

from backoffice.exports import Column, CsvWriter, Writer, XlsxWriter, newest_first
from backoffice.models import Export
from core import trail
from core.db.transactions import use_case
from core.errors import NotFound

logger = logging.getLogger(__name__)

# A run that has said nothing for so long is dead; a working one speaks each second.
SILENT_AFTER = timedelta(seconds=120)
SPEAK_SECONDS = 1.0
ATTEMPTS_MAX = 3
FILE_NAME_BYTES = 24
PART_SUFFIX = ".part"
ORPHAN_AFTER_SECONDS = 24 * 3600
# "expo" in ASCII: who holds this advisory lock decides which export is next.
_CLAIM_LOCK = 0x6578706F


class ExportGone(NotFound):
    """The export's file was deleted after its time, or never made."""

    code = "EXPORT_GONE"
    default_message = gettext_noop("The file is not there any more; export the list again")


class _Lost(Exception):
    """Another run has taken the export over."""


@use_case
def request_export(
    *,
    requester: AbstractBaseUser,
    request_key: str,
    list_label: str,
    filters: str,
    format: Export.Format,
    rows_estimated: int,
    now: datetime,
) -> Export:
    """An export that a worker begins within seconds; the same ``request_key`` again answers the first one."""
    export, is_new = Export.objects.get_or_create(
        requester_id=requester.pk,
        request_key=request_key,
        defaults={
            "list_label": list_label,
            "filters": filters,
            "format": format,
            "rows_estimated": rows_estimated,
            "created_at": now,
            "expires_at": now + timedelta(days=settings.EXPORT_KEEP_DAYS),
        },
    )
    if is_new:
        _record(requester, gettext_noop("export requested"), export, now)
    return export


@use_case
def note_taken_at_once(
    *, requester: AbstractBaseUser, list_label: str, filters: str, format: Export.Format, now: datetime
) -> None:
    """Record the export of a short list, which makes no row of its own."""
    after = {"list": list_label, "filters": filters, "format": format}
    trail.record(actor=requester, action=gettext_noop("list exported"), target=requester, after=after, now=now)


@use_case
def note_download(*, export: Export, actor: AbstractBaseUser, now: datetime) -> Path:
    """The file of a finished export, its download noted in the trail. Raises ``ExportGone``."""
    path = folder() / export.file_name
    if export.state != Export.State.DONE or not path.is_file():
        raise ExportGone()
    _record(actor, gettext_noop("export downloaded"), export, now)
    return path


def require_permission(export: Export) -> None:
    """Raise ``PermissionDenied`` when the requester may not see the list any more."""
    pages, request = _pages(export), _request(export)
    if not (admin.site.has_permission(request) and pages.has_view_permission(request)):
        raise PermissionDenied


def rows_of(export: Export) -> QuerySet[Any]:
    """The list as its requester would see it now. Raises ``PermissionDenied``."""
    require_permission(export)
    request = _request(export)
    found: QuerySet[Any] = _pages(export).get_changelist_instance(request).get_queryset(request)
    return found


def _pages(export: Export) -> ModelAdmin:
    return admin.site._registry[apps.get_model(export.list_label)]


def _request(export: Export) -> HttpRequest:
    """The request that asked for the list, as far as the admin reads one."""
    request = HttpRequest()
    request.method = "GET"
    request.GET = QueryDict(export.filters)
    # Read again: rights may have been taken away since.
    request.user = get_user_model().objects.get(pk=export.requester_id)
    return request


def run_next(*, clock: Callable[[], datetime]) -> Export | None:
    """Write the export whose turn it is; ``None`` when there is none, or another is being written.

    Any number of workers may call this at once.
    """
    export = _claim(now=clock())
    if export is None:
        return None
    path = folder() / f"{secrets.token_urlsafe(FILE_NAME_BYTES)}.{export.format}"
    part = path.with_name(path.name + PART_SUFFIX)
    try:
        rows = _write(export, part, clock)
        os.replace(part, path)
        _finish(export=export, file_name=path.name, rows=rows, size_bytes=path.stat().st_size, now=clock())
    except _Lost:
        path.unlink(missing_ok=True)
    except Exception as error:
        logger.exception("export %s could not be written", export.pk)
        if isinstance(error, OperationalError | InterfaceError):
            # That it failed is noted on a new connection when this one is what broke.
            connection.close_if_unusable_or_obsolete()
        path.unlink(missing_ok=True)
        _give_back(export=export, error=type(error).__name__, now=clock())
    finally:
        part.unlink(missing_ok=True)
    return export


def folder() -> Path:
    """Where the files are: readable for the platform's own user only."""
    path = Path(settings.EXPORT_DIR)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def expired(now: datetime) -> QuerySet[Export]:
    """The exports whose time is over, however they ended."""
    return Export.objects.filter(expires_at__lte=now).order_by("expires_at")


def prune(now: datetime) -> int:
    """Delete what is ``expired`` with its files, and files that no export names any more; how many exports."""
    count = 0
    for export in expired(now):
        if export.file_name:
            (folder() / export.file_name).unlink(missing_ok=True)
        export.delete()
        count += 1
    known = set(Export.objects.exclude(file_name="").values_list("file_name", flat=True))
    for path in folder().iterdir():
        if path.name not in known and time.time() - path.stat().st_mtime > ORPHAN_AFTER_SECONDS:
            path.unlink(missing_ok=True)
    return count


@use_case
def _claim(*, now: datetime) -> Export | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CLAIM_LOCK])
    alive = Q(state=Export.State.RUNNING, heard_at__gt=now - SILENT_AFTER)
    unfinished = Export.objects.filter(state__in=Export.UNFINISHED).order_by("id")
    # One at a time: the worker's threads are there for the sessions.
    if unfinished.filter(alive).exists():
        return None
    for export in unfinished.select_related("requester"):
        if export.attempts < ATTEMPTS_MAX:
            export.state, export.claim, export.heard_at = Export.State.RUNNING, uuid.uuid4(), now
            export.attempts, export.rows_done = export.attempts + 1, 0
            export.save(update_fields=["state", "claim", "heard_at", "attempts", "rows_done"])
            return export
        _fail(export, "The worker died each time", now)
    return None


def _write(export: Export, part: Path, clock: Callable[[], datetime]) -> int:
    columns: Sequence[Column] = getattr(_pages(export), "export_columns", ())
    rows, count, spoke_at = rows_of(export), 0, time.monotonic()
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        headings = [heading for heading, _ in columns]
        writer: Writer = (
            XlsxWriter(file, headings, folder=str(part.parent))
            if export.format == Export.Format.XLSX
            else CsvWriter(file, headings)
        )
        for row in newest_first(rows):
            writer.add([cell(row) for _, cell in columns])
            count += 1
            if time.monotonic() - spoke_at >= SPEAK_SECONDS:
                spoke_at = time.monotonic()
                _speak(export, count, clock())
        writer.close()
    _speak(export, count, clock())
    return count


def _speak(export: Export, rows_done: int, now: datetime) -> None:
    """Say that the run is alive and how far it is. Raises ``_Lost``."""
    own = Export.objects.filter(pk=export.pk, claim=export.claim, state=Export.State.RUNNING)
    if not own.update(rows_done=rows_done, heard_at=now):
        raise _Lost


@use_case
def _finish(*, export: Export, file_name: str, rows: int, size_bytes: int, now: datetime) -> None:
    own = Export.objects.filter(pk=export.pk, claim=export.claim, state=Export.State.RUNNING)
    finished = own.update(
        state=Export.State.DONE,
        file_name=file_name,
        rows_done=rows,
        rows_estimated=rows,
        size_bytes=size_bytes,
        finished_at=now,
        expires_at=now + timedelta(days=settings.EXPORT_KEEP_DAYS),
    )
    if not finished:
        raise _Lost


@use_case
def _give_back(*, export: Export, error: str, now: datetime) -> None:
    own = Export.objects.select_for_update().filter(pk=export.pk, claim=export.claim, state=Export.State.RUNNING)
    row = own.first()
    if row is None:
        return
    if row.attempts >= ATTEMPTS_MAX:
        _fail(row, error, now)
        return
    row.state, row.claim = Export.State.REQUESTED, None
    row.save(update_fields=["state", "claim"])


def _fail(export: Export, error: str, now: datetime) -> None:
    export.state, export.error, export.finished_at, export.claim = Export.State.FAILED, error, now, None
    export.save(update_fields=["state", "error", "finished_at", "claim"])


def _record(actor: AbstractBaseUser, action: str, export: Export, now: datetime) -> None:
    after = {"list": export.list_label, "filters": export.filters, "format": export.format}
    trail.record(actor=actor, action=action, target=export, after=after, now=now)
