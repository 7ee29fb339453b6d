"""Messages and what was reported about them."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from backoffice.acts import Act
from backoffice.admin import ReadOnlyAdmin
from backoffice.panels import Panel, Table
from backoffice.searching import as_uuid
from chat import messages, moderation, queries
from chat.access import CHANGE_MESSAGE, CHANGE_REPORT
from chat.admin.acting import as_staff
from chat.admin.rooms import MESSAGE_HEADINGS, TEXT_SHOWN, message_cells
from chat.models import Message, Report

# How many messages before and after the one in question are shown with it.
AROUND = 10


class DeleteMessage(Act):
    slug = "take-down"
    title = gettext_lazy("Delete message")
    icon = "delete"
    is_dangerous = True
    permission = CHANGE_MESSAGE
    advice = {"MESSAGE_NOT_FOUND": gettext_lazy("Another person has deleted it.")}

    def explanation(self, obj: Message) -> str:
        return _("The message of %(name)s disappears from the room. It can be restored.") % {"name": obj.sender_name}

    def is_possible(self, obj: Message) -> bool:
        return not obj.is_deleted

    def run(self, *, actor: Any, obj: Message, data: dict[str, Any], now: datetime) -> str:
        messages.delete_message(
            caller=as_staff(actor), message_id=obj.pk, acting_as=None, reason=data["reason"], now=now
        )
        return _("The message is deleted.")


class RestoreMessage(Act):
    slug = "restore"
    title = gettext_lazy("Restore message")
    icon = "restore_from_trash"
    permission = CHANGE_MESSAGE
    advice = {"ROOM_INACTIVE": gettext_lazy("Reopen the conversation first.")}

    def explanation(self, obj: Message) -> str:
        return _("The message of %(name)s is shown again in its old place.") % {"name": obj.sender_name}

    def is_possible(self, obj: Message) -> bool:
        return obj.is_deleted

    def run(self, *, actor: Any, obj: Message, data: dict[str, Any], now: datetime) -> str:
        messages.restore_message(
            caller=as_staff(actor), message_id=obj.pk, acting_as=None, reason=data["reason"], now=now
        )
        return _("The message is restored.")


class AroundPanel(Panel):
    """The message among its neighbours: what was said before often explains it."""

    title = gettext_lazy("In its conversation")

    def table(self, request: HttpRequest, obj: Message | Report) -> Table:
        message = obj.message if isinstance(obj, Report) else obj
        near = queries.messages_of(message.conversation_id, include_deleted=True)
        near = near.filter(seq__gte=message.seq - AROUND, seq__lte=message.seq + AROUND)
        return Table(headings=MESSAGE_HEADINGS, rows=[message_cells(each) for each in near])


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "conversation", "seq", "sender_name", "sender_id", "short", "state")
    list_filter = ("is_deleted",)
    list_select_related = ("conversation",)
    search_fields = ("id",)
    search_help_text = gettext_lazy("A message's or conversation's id, or the user id of a member")
    ordering = ("-created_at",)
    fields = (
        "id",
        "conversation",
        "seq",
        "sender_name",
        "sender_id",
        "message_type",
        "content",
        "meta",
        "is_deleted",
        "created_at",
        "edited_at",
        "deleted_at",
        "deleted_by",
    )
    readonly_fields = fields
    acts = (DeleteMessage(), RestoreMessage())
    panels = (AroundPanel(),)

    def search_exactly(self, term: str) -> Q:
        key = as_uuid(term)
        return Q(sender_id=term) if key is None else Q(pk=key) | Q(conversation_id=key) | Q(sender_id=term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("conversation")

    @admin.display(description=gettext_lazy("content"))
    def short(self, message: Message) -> str:
        return message.content[:TEXT_SHOWN]

    @display(description=gettext_lazy("state"), label={True: "warning"})
    def state(self, message: Message) -> tuple[bool, str] | None:
        return (True, _("deleted")) if message.is_deleted else None


class ReportAct(Act):
    """An act on a report that is open."""

    permission = CHANGE_REPORT

    def is_possible(self, obj: Report) -> bool:
        return obj.resolved_at is None


class UpholdReport(ReportAct):
    slug = "uphold"
    title = gettext_lazy("Delete the message")
    icon = "delete"
    is_dangerous = True

    def explanation(self, obj: Report) -> str:
        return _("The message of %(name)s disappears from the room, and the report is closed.") % {
            "name": obj.message.sender_name
        }

    def run(self, *, actor: Any, obj: Report, data: dict[str, Any], now: datetime) -> str:
        closed = moderation.uphold_report(staff=as_staff(actor), report_id=obj.pk, reason=data["reason"], now=now)
        return _("The message is deleted and the report closed.") if closed else _("The report was closed already.")


class DismissReport(ReportAct):
    slug = "dismiss"
    title = gettext_lazy("Dismiss")
    icon = "done"

    def explanation(self, obj: Report) -> str:
        return _("The message stays as it is, and the report is closed.")

    def run(self, *, actor: Any, obj: Report, data: dict[str, Any], now: datetime) -> str:
        closed = moderation.resolve_report(staff=as_staff(actor), report_id=obj.pk, reason=data["reason"], now=now)
        return _("The report is closed.") if closed else _("The report was closed already.")


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "reporter_id", "reason", "sender", "short", "resolved_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter),)
    list_select_related = ("message",)
    ordering = ("-created_at",)
    fields = ("created_at", "reporter_id", "reason", "sender", "content", "resolved_at")
    readonly_fields = fields
    acts = (UpholdReport(), DismissReport())
    panels = (AroundPanel(),)
    export_columns = (
        ("at", lambda report: report.created_at),
        ("reporter", lambda report: report.reporter_id),
        ("reason", lambda report: report.reason),
        ("sender", lambda report: report.message.sender_id),
        ("content", lambda report: report.content),
        ("resolved at", lambda report: report.resolved_at),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("message__conversation")

    @admin.display(description=gettext_lazy("sender"))
    def sender(self, report: Report) -> str:
        return report.message.sender_name

    @admin.display(description=gettext_lazy("content"))
    def short(self, report: Report) -> str:
        return report.content[:TEXT_SHOWN]
