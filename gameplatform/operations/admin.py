"""Exports: users see their own, superusers all. Logins and failed logins, as django-axes keeps them."""

from typing import Any

from axes.models import AccessAttempt, AccessLog
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.models import User
from backoffice import export_jobs
from backoffice.admin import ReadOnlyAdmin
from backoffice.entrance import may_enter
from backoffice.export_jobs import ExportGone
from backoffice.exports import CONTENT_TYPES
from backoffice.models import Export
from backoffice.panels import Button, Panel, Table
from core.db import clock

# An export's page shows its progress.
REFRESH_SECONDS = 2
TONES = {
    Export.State.REQUESTED: "info",
    Export.State.RUNNING: "info",
    Export.State.DONE: "success",
    Export.State.FAILED: "danger",
}


class FilePanel(Panel):
    title = gettext_lazy("The file")

    def is_shown(self, request: HttpRequest, obj: Export) -> bool:
        return obj.state == Export.State.DONE

    def table(self, request: HttpRequest, obj: Export) -> Table:
        rows: list[list[Any]] = [
            [_("Size"), filesizeformat(obj.size_bytes or 0)],
            [_("Kept until"), obj.expires_at],
        ]
        return Table(headings=(), rows=rows)

    def buttons(self, request: HttpRequest, obj: Export) -> list[Button]:
        return [Button(title=_("Download"), link=reverse("admin:backoffice_export_download", args=[obj.pk]))]


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "requester", "list_label", "format", "shown_state", "progress", "expires_at")
    list_filter = ("state", "format")
    list_select_related = ("requester",)
    ordering = ("-id",)
    fields = (
        "list_label",
        "filters",
        "format",
        "requester",
        "state",
        "progress",
        "error",
        "created_at",
        "finished_at",
    )
    readonly_fields = fields
    panels = (FilePanel(),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("requester")
        return rows if request.user.is_superuser else rows.filter(requester_id=request.user.pk)

    def has_view_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        user = request.user
        return may_enter(user) and (obj is None or bool(user.is_superuser) or obj.requester_id == user.pk)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download_view)
        return [path("<path:object_id>/download/", view, name="backoffice_export_download"), *super().get_urls()]

    def refresh_seconds(self, obj: Export) -> int | None:
        return REFRESH_SECONDS if obj.state in Export.UNFINISHED else None

    def download_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The file, to whom it belongs and as long as that person may see the list."""
        export = self.get_object(request, unquote(object_id))
        if export is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, export):
            raise PermissionDenied
        export_jobs.require_permission(export)
        assert isinstance(request.user, User)
        try:
            file = export_jobs.note_download(export=export, actor=request.user, now=clock.now())
        except ExportGone as error:
            return HttpResponse(error.translated(), status=404, content_type="text/plain; charset=utf-8")
        name = f"{export.list_label.replace('.', '-')}-{export.created_at:%Y-%m-%d}.{export.format}"
        kind = CONTENT_TYPES[export.format]
        return FileResponse(file.open("rb"), as_attachment=True, filename=name, content_type=kind)

    @display(description=gettext_lazy("state"), ordering="state", label=TONES)
    def shown_state(self, export: Export) -> tuple[str, str]:
        return export.state, export.get_state_display()

    @admin.display(description=gettext_lazy("rows"))
    def progress(self, export: Export) -> str:
        if export.state not in Export.UNFINISHED:
            return f"{export.rows_done:,}"
        done, whole = export.rows_done, max(export.rows_done, export.rows_estimated)
        words = _("%(done)s of about %(whole)s") % {"done": f"{done:,}", "whole": f"{whole:,}"}
        return format_html('<progress max="{}" value="{}"></progress> {}', whole, done, words)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnlyAdmin):
    """Wrong passwords of the last minutes: a name at the limit is locked out from that address."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "path_info", "user_agent")
    search_fields = ("username", "=ip_address")
    search_help_text = gettext_lazy("A user name, or a whole address")
    ordering = ("-attempt_time",)
    # The other sent values stay out: a password typed into the wrong field must not show.
    fields = list_display
    readonly_fields = fields


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    """Every login to the back-office, and its logout."""

    list_display = ("attempt_time", "username", "ip_address", "logout_time", "user_agent")
    list_filter = (("attempt_time", admin.DateFieldListFilter),)
    search_fields = ("username", "=ip_address")
    search_help_text = gettext_lazy("A user name, or a whole address")
    ordering = ("-id",)
    fields = list_display
    readonly_fields = fields
