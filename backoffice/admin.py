"""Base classes of the back-office's pages: bounded lists, acts, panels, exports, and the trail."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from tempfile import TemporaryFile
from typing import Any, ClassVar

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from backoffice import export_jobs
from backoffice.acts import Act, ActForm, ShownOnce
from backoffice.exports import CONTENT_TYPES, Column, XlsxWriter, csv_lines, newest_first
from backoffice.models import Export
from backoffice.paging import EstimatingPaginator, planned_rows
from backoffice.panels import Panel
from core import trail
from core.db import clock
from core.errors import DomainError
from core.models import AuditEntry

# The names of the pages that give a list as a file.
EXPORT_PAGES = {Export.Format.CSV: "export", Export.Format.XLSX: "export-xlsx"}
SEE_TRAIL = "core.view_auditentry"
# What Django names in English, in the database.
STANDARD_PERMISSIONS = {
    "add": gettext_lazy("Can add %(model)s"),
    "change": gettext_lazy("Can change %(model)s"),
    "delete": gettext_lazy("Can delete %(model)s"),
    "view": gettext_lazy("Can view %(model)s"),
}
FORM_ACTS = {
    "added": gettext_lazy("%(model)s added"),
    "changed": gettext_lazy("%(model)s changed"),
    "deleted": gettext_lazy("%(model)s deleted"),
}
SECRET_FIELDS = ("password", "password1", "password2", "usable_password")


def permission_label(permission: Permission) -> str:
    """The permission in the user's language."""
    verb, _underscore, model = permission.codename.partition("_")
    standard = STANDARD_PERMISSIONS.get(verb) if model == permission.content_type.model else None
    name = standard % {"model": permission.content_type.name} if standard else _(permission.name)
    return f"{permission.content_type} | {name}"


class PermissionsField(forms.ModelMultipleChoiceField):
    """Permissions to choose from, in the user's language."""

    def label_from_instance(self, obj: Any) -> str:
        return permission_label(obj)


class PlatformChangeList(ChangeList):
    """A list that does not offer to show all when it does already; the admin would have to count to know."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class PlatformAdmin(ModelAdmin):
    """A model's pages. Subclasses list their acts, panels and export columns.

    What the admin's own forms change goes into the audit trail instead of the admin's log.
    """

    paginator = EstimatingPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_filter_sheet = False
    change_form_outer_before_template = "backoffice/acts.html"
    change_form_outer_after_template = "backoffice/panels.html"
    list_before_template = "backoffice/list_tools.html"

    acts: ClassVar[Sequence[Act]] = ()
    creation: ClassVar[Act | None] = None
    panels: ClassVar[Sequence[Panel]] = ()
    export_columns: ClassVar[Sequence[Column]] = ()

    # --- Lists

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PlatformChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        chosen = self.search_exactly(term) if term else None
        if chosen is not None:
            return queryset.filter(chosen), False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, search_term)
        return found

    def search_exactly(self, term: str) -> Q | None:
        """How a search term finds its rows by index; ``None``: the admin's way, by ``search_fields``."""
        return None

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.related_model is Permission:
            kwargs.setdefault("form_class", PermissionsField)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def export_view(self, request: HttpRequest, *, format: Export.Format) -> HttpResponseBase:
        """The list as it is filtered, as a file: a short one at once, a long one by a worker."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            chosen = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse(f"admin:{self._url_name('changelist')}"))
        filters, at_once = request.GET.urlencode(), settings.EXPORT_ROWS_AT_ONCE
        if chosen.order_by()[: at_once + 1].count() > at_once:
            rows = max(planned_rows(chosen), at_once + 1)
            act = PrepareExport(list_label=self.opts.label_lower, filters=filters, format=format, rows=rows)
            return self._perform(request, act, None)
        export_jobs.note_taken_at_once(
            requester=request.user,  # type: ignore[arg-type]
            list_label=self.opts.label_lower,
            filters=filters,
            format=format,
            now=clock.now(),
        )
        return self._file_at_once(chosen, format)

    def _file_at_once(self, chosen: QuerySet[Any], format: Export.Format) -> HttpResponseBase:
        name, kind = f"{self.opts.model_name}.{format}", CONTENT_TYPES[format]
        if format == Export.Format.CSV:
            disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
            return StreamingHttpResponse(csv_lines(chosen, self.export_columns), content_type=kind, headers=disposition)
        # A workbook is a ZIP archive: its first byte is known when its last row is.
        file = TemporaryFile()  # noqa: SIM115 (the response closes it)
        # As the CSV, which is written when the request's language is over, and as a worker writes it.
        with translation.override(None):
            writer = XlsxWriter(file, [heading for heading, _ in self.export_columns])
            for row in newest_first(chosen):
                writer.add([cell(row) for _, cell in self.export_columns])
            writer.close()
        file.seek(0)
        return FileResponse(file, as_attachment=True, filename=name, content_type=kind)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        query = request.GET.urlencode()
        links = [
            (format.label, f"{reverse('admin:' + self._url_name(EXPORT_PAGES[format]))}?{query}")
            for format in Export.Format
            if self.export_columns
        ]
        return super().changelist_view(request, {**(extra_context or {}), "export_links": links})

    # --- Acts and panels

    def extend(self, *, acts: Sequence[Act] = (), panels: Sequence[Panel] = ()) -> None:
        """Add what an app above brings to the pages of an app below. Call it before the site's URLs are made."""
        self.acts = (*self.acts, *acts)  # type: ignore[misc]
        self.panels = (*self.panels, *panels)  # type: ignore[misc]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path(
                f"<path:object_id>/{act.slug}/",
                view(partial(self.act_view, act=act)),
                name=self._url_name(act.slug),
            )
            for act in self.acts
        ]
        if self.export_columns:
            own += [
                path(f"{page}/", view(partial(self.export_view, format=format)), name=self._url_name(page))
                for format, page in EXPORT_PAGES.items()
            ]
        return own + super().get_urls()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.creation is None:
            return super().add_view(request, form_url, extra_context)
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._perform(request, self.creation, None)

    def act_view(self, request: HttpRequest, object_id: str, *, act: Act) -> HttpResponse:
        """The page of one act: GET asks, POST does."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not (self.has_view_permission(request, obj) and act.is_allowed(request, obj)):
            raise PermissionDenied
        return self._perform(request, act, obj)

    def _perform(self, request: HttpRequest, act: Act, obj: Any) -> HttpResponse:
        form = act.form(request.POST or None, obj=obj, user=request.user)
        refusal: str = ""
        advice: str | Promise = ""
        if request.method == "POST" and form.is_valid():
            if act.needs_fresh_login:
                question = self.admin_site.demand_recent_password(request, what=str(act.title), back=self._page_of(obj))
                if question is not None:
                    return question
            try:
                done = act.run(actor=request.user, obj=obj, data=form.cleaned_data, now=clock.now())
            except DomainError as error:
                refusal, advice = error.translated(), act.advice.get(error.code, "")
            else:
                if isinstance(done, ShownOnce):
                    # Not as a message: those travel in a cookie.
                    return TemplateResponse(
                        request, "backoffice/shown_once.html", {**self._page_context(request, act, obj), "shown": done}
                    )
                messages.success(request, done)
                return HttpResponseRedirect(act.landing(obj) or self._page_of(obj))
        context = {
            **self._page_context(request, act, obj),
            "explanation": act.explanation(obj),
            "form": form,
            "media": self.media + form.media,
            "refusal": refusal,
            "advice": advice,
        }
        status = 409 if refusal else 400 if form.errors else 200
        return TemplateResponse(request, "backoffice/act.html", context, status=status)

    def _page_context(self, request: HttpRequest, act: Act, obj: Any) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": act.title,
            "subtitle": None,
            "opts": self.opts,
            "original": obj,
            "act": act,
            "back": self._page_of(obj),
        }

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = context.get("original")
        if obj is not None:
            context["acts"] = [
                {"act": act, "link": reverse(f"admin:{self._url_name(act.slug)}", args=[obj.pk])}
                for act in self.acts
                if act.is_possible(obj) and act.is_allowed(request, obj)
            ]
            context["panels"] = [panel.shown(request, obj) for panel in self.panels if panel.is_shown(request, obj)]
            context["subtitle"] = str(obj)
            if request.user.has_perm(SEE_TRAIL):
                context["trail_link"] = self.trail_of(obj)
        answer = super().render_change_form(request, context, *args, **kwargs)
        if obj is not None and request.method == "GET" and (seconds := self.refresh_seconds(obj)):
            answer.headers["Refresh"] = str(seconds)
        return answer

    def refresh_seconds(self, obj: Any) -> int | None:
        """Seconds until the object's page reloads itself; ``None``: never."""
        return None

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The admin's own log is not kept: an object's history is its audit trail."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not (self.has_view_permission(request, obj) and request.user.has_perm(SEE_TRAIL)):
            raise PermissionDenied
        return HttpResponseRedirect(self.trail_of(obj))

    def trail_of(self, obj: Any) -> str:
        """Where this object's audit trail is."""
        target = self.trail_object(obj)
        return trail_link(target._meta.label_lower, target.pk)

    def trail_object(self, obj: Any) -> Model:
        """What the acts on this object are recorded against."""
        target: Model = obj
        return target

    def _url_name(self, what: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{what}"

    def _page_of(self, obj: Any) -> str:
        if obj is None:
            return reverse(f"admin:{self._url_name('changelist')}")
        return reverse(f"admin:{self._url_name('change')}", args=[obj.pk])

    # --- What forms change, into the audit trail (the admin calls these inside its transaction)

    def construct_change_message(
        self, request: HttpRequest, form: forms.BaseForm, formsets: Any, add: bool = False
    ) -> dict[str, dict[str, Any]]:
        names = [name for name in form.changed_data if name in form.fields]
        before = {} if add else {name: _plain(name, form.initial.get(name)) for name in names}
        after = {name: _plain(name, form.cleaned_data.get(name)) for name in names}
        for formset in formsets or ():
            what = english(formset.model._meta.verbose_name_plural)
            rows_before, rows_after = _changed_rows(formset)
            if rows_before or rows_after:
                before[what], after[what] = rows_before, rows_after
        return {"before": before, "after": after}

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:
        self._record(request, obj, "added", message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:
        self._record(request, obj, "changed", message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        for obj in queryset:
            self._record(request, obj, "deleted", {})

    def _record(self, request: HttpRequest, obj: Model, what: str, message: dict[str, Any]) -> None:
        trail.record(
            actor=request.user,  # type: ignore[arg-type]
            action=f"{english(self.opts.verbose_name)} {what}",
            target=obj,
            before=message.get("before") or None,
            after=message.get("after") or None,
            now=clock.now(),
        )


class PrepareExport(Act):
    """The page of an export that is too long to be sent at once; made for each request."""

    slug = "export"
    title = gettext_lazy("Prepare the file")
    icon = "download"
    form = ActForm

    def __init__(self, *, list_label: str, filters: str, format: Export.Format, rows: int) -> None:
        self.list_label, self.filters, self.format, self.rows = list_label, filters, format, rows
        self.export: Export | None = None

    def explanation(self, obj: Any) -> str:
        return _(
            "The list has about %(rows)s rows: too many to be sent at once. The %(format)s file is prepared in the"
            " background, and waits for you under “Exports” for %(days)s days."
        ) % {"rows": f"{self.rows:,}", "format": self.format.label, "days": settings.EXPORT_KEEP_DAYS}

    def run(self, *, actor: Any, obj: Any, data: dict[str, Any], now: datetime) -> str:
        self.export = export_jobs.request_export(
            requester=actor,
            request_key=data["request_key"],
            list_label=self.list_label,
            filters=self.filters,
            format=self.format,
            rows_estimated=self.rows,
            now=now,
        )
        return _("The file is being prepared.")

    def landing(self, obj: Any) -> str | None:
        return None if self.export is None else reverse("admin:backoffice_export_change", args=[self.export.pk])


class ReadOnlyAdmin(PlatformAdmin):
    """Pages that show and never change: the rows are written by the platform alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def english(text: Any) -> str:
    """The text in English: recorded and exported texts do not depend on the user's language."""
    with translation.override(None):
        return str(text)


def act_name(action: str) -> str:
    """What the trail calls an act, in the active language."""
    model, _space, verb = action.rpartition(" ")
    if model and verb in FORM_ACTS:
        return FORM_ACTS[verb] % {"model": _(model)}
    return _(action)


def trail_link(object_type: str, object_id: object) -> str:
    """The audit trail of one object."""
    where = reverse("admin:core_auditentry_changelist")
    return f"{where}?object_type__exact={object_type}&object_id__exact={object_id}"


def _changed_rows(formset: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The inline rows that a form added, changed or removed, as they were and as they are."""
    before, after = [], []
    for form in formset.forms:
        if not form.has_changed():
            continue
        of_the_formset = ("DELETE", formset.fk.name, formset.model._meta.pk.name)
        names = [name for name in form.fields if name not in of_the_formset]
        if form.instance.pk is not None and form.initial:
            before.append({name: _plain(name, form.initial.get(name)) for name in names})
        if form not in formset.deleted_forms:
            after.append({name: _plain(name, form.cleaned_data.get(name)) for name in names})
    return before, after


def _plain(name: str, value: Any) -> Any:
    """A form value as JSON; secrets as the fact that they changed."""
    if name in SECRET_FIELDS:
        return "(secret)"
    if isinstance(value, QuerySet | list | tuple | set):
        return sorted(str(item) for item in value)
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "by_whom", "what", "on_what", "object_name", "reason", "ip")
    list_filter = (("at", admin.DateFieldListFilter),)
    list_select_related = ("actor",)
    ordering = ("-id",)
    fields = ("at", "by_whom", "what", "object_type", "object_id", "object_name", "reason", "before", "after", "ip")
    export_columns = (
        ("at", lambda entry: entry.at),
        ("actor", lambda entry: entry.who()),
        ("action", lambda entry: entry.action),
        ("object type", lambda entry: entry.object_type),
        ("object id", lambda entry: entry.object_id),
        ("object", lambda entry: entry.object_name),
        ("reason", lambda entry: entry.reason),
        ("before", lambda entry: entry.before),
        ("after", lambda entry: entry.after),
        ("address", lambda entry: entry.ip),
    )
    search_fields = ("action",)
    search_help_text = gettext_lazy("An object (rooms.room:12), a user name, or a word of the act")

    def search_exactly(self, term: str) -> Q:
        kind, _, key = term.partition(":")
        if key:
            return Q(object_type=kind.strip().lower(), object_id=key.strip())
        return Q(actor__username__iexact=term) | Q(action__icontains=term) | Q(object_name__istartswith=term)

    def trail_of(self, obj: AuditEntry) -> str:
        """What else was done to the entry's object."""
        return trail_link(obj.object_type, obj.object_id)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in ("object_type__exact", "object_id__exact") or super().lookup_allowed(lookup, value, request)

    @admin.display(description=gettext_lazy("who"))
    def by_whom(self, entry: AuditEntry) -> str:
        return entry.who()

    @admin.display(description=gettext_lazy("action"))
    def what(self, entry: AuditEntry) -> str:
        return act_name(entry.action)

    @admin.display(description=gettext_lazy("object"))
    def on_what(self, entry: AuditEntry) -> str:
        try:
            kind = apps.get_model(entry.object_type)._meta.verbose_name
        except LookupError:
            kind = entry.object_type
        return f"{kind} {entry.object_id}"
