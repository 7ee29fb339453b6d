"""The chat in the back-office: everything is read here; what changes something is a use case behind a list action."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from chat import messages as chat_messages
from chat import moderation, tenant_rooms
from chat.access import Caller
from chat.models import Conversation, Member, Message, ModerationAct, Report, Sanction
from gameplatform.accounts.models import User
from gameplatform.core import clock
from gameplatform.core.errors import DomainError

MUTE_FOR = timedelta(days=1)
REASON = "back-office"


class ReadOnlyAdmin(ModelAdmin):
    """Rows to look at, of tables too large to be counted."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        return [field.name for field in self.model._meta.fields]

    def act(self, request: HttpRequest, rows: Iterable[Any], use_case: Callable[[Caller, Any], object]) -> None:
        """Run a use case per row as the staff member, and say how many it was done to and why not to the others."""
        user = request.user
        assert isinstance(user, User)
        caller, done = Caller(staff=user), 0
        for row in rows:
            try:
                use_case(caller, row)
                done += 1
            except DomainError as error:
                self.message_user(request, f"{row}: {error.message}", messages.WARNING)
        self.message_user(request, f"Done for {done}.")


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "client", "is_active", "participant_count", "message_count", "last_message_at")
    list_filter = ("kind", "is_active")
    list_select_related = ("client",)
    search_fields = ("name", "=id")
    ordering = ("-created_at",)
    actions = ["deactivate", "activate"]

    @admin.action(description="Deactivate: history stays, nothing is added", permissions=["change"])
    def deactivate(self, request: HttpRequest, rows: models.QuerySet[Conversation]) -> None:
        self.act(
            request,
            rows,
            lambda caller, room: tenant_rooms.deactivate_room(caller=caller, room_id=room.pk, now=clock.now()),
        )

    @admin.action(description="Activate again", permissions=["change"])
    def activate(self, request: HttpRequest, rows: models.QuerySet[Conversation]) -> None:
        self.act(
            request,
            rows,
            lambda caller, room: tenant_rooms.activate_room(caller=caller, room_id=room.pk, now=clock.now()),
        )


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    list_display = ("user_name", "user_id", "conversation", "account", "joined_at")
    list_select_related = ("conversation", "account")
    search_fields = ("=user_id", "user_name", "=conversation__id")
    ordering = ("-id",)
    actions = ["mute", "kick", "ban"]

    @admin.action(description="Mute for a day", permissions=["change"])
    def mute(self, request: HttpRequest, rows: models.QuerySet[Member]) -> None:
        now = clock.now()
        self.act(
            request,
            rows,
            lambda caller, member: moderation.mute(**_target(caller, member), expires_at=now + MUTE_FOR, now=now),
        )

    @admin.action(description="Kick", permissions=["change"])
    def kick(self, request: HttpRequest, rows: models.QuerySet[Member]) -> None:
        self.act(request, rows, lambda caller, member: moderation.kick(**_target(caller, member), now=clock.now()))

    @admin.action(description="Ban for good", permissions=["change"])
    def ban(self, request: HttpRequest, rows: models.QuerySet[Member]) -> None:
        self.act(
            request,
            rows,
            lambda caller, member: moderation.ban(**_target(caller, member), expires_at=None, now=clock.now()),
        )


def _target(caller: Caller, member: Member) -> dict[str, Any]:
    return {
        "caller": caller,
        "room_id": member.conversation_id,
        "acting_as": None,
        "user_id": member.user_id,
        "reason": REASON,
    }


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "conversation", "seq", "sender_id", "short", "is_deleted")
    list_filter = ("is_deleted",)
    list_select_related = ("conversation",)
    search_fields = ("=id", "=sender_id", "=conversation__id")
    ordering = ("-created_at",)
    actions = ["take_down", "restore"]

    @admin.display(description="content")
    def short(self, message: Message) -> str:
        return message.content[:80]

    @admin.action(description="Delete (can be restored)", permissions=["change"])
    def take_down(self, request: HttpRequest, rows: models.QuerySet[Message]) -> None:
        self.act(request, rows, lambda caller, message: _take_down(caller, message))

    @admin.action(description="Restore", permissions=["change"])
    def restore(self, request: HttpRequest, rows: models.QuerySet[Message]) -> None:
        self.act(
            request,
            rows,
            lambda caller, message: chat_messages.restore_message(
                caller=caller, message_id=message.pk, acting_as=None, now=clock.now()
            ),
        )


def _take_down(caller: Caller, message: Message) -> None:
    chat_messages.delete_message(caller=caller, message_id=message.pk, acting_as=None, now=clock.now())


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "reporter_id", "reason", "short", "resolved_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter),)
    list_select_related = ("message",)
    ordering = ("-created_at",)
    actions = ["resolve", "take_down"]

    @admin.display(description="content")
    def short(self, report: Report) -> str:
        return report.content[:80]

    @admin.action(description="Resolve: nothing to do", permissions=["change"])
    def resolve(self, request: HttpRequest, rows: models.QuerySet[Report]) -> None:
        self.act(
            request,
            rows,
            lambda caller, report: moderation.resolve_report(staff=caller, report_id=report.pk, now=clock.now()),
        )

    @admin.action(description="Delete the message and resolve", permissions=["change"])
    def take_down(self, request: HttpRequest, rows: models.QuerySet[Report]) -> None:
        def take_down(caller: Caller, report: Report) -> None:
            _take_down(caller, report.message)
            moderation.resolve_report(staff=caller, report_id=report.pk, now=clock.now())

        self.act(request, rows, take_down)


@admin.register(Sanction)
class SanctionAdmin(ReadOnlyAdmin):
    list_display = ("user_id", "kind", "conversation", "reason", "created_at", "expires_at", "lifted_at")
    list_filter = ("kind", ("lifted_at", admin.EmptyFieldListFilter))
    list_select_related = ("conversation",)
    search_fields = ("=user_id", "=conversation__id")
    ordering = ("-created_at",)
    actions = ["lift"]

    @admin.action(description="Lift", permissions=["change"])
    def lift(self, request: HttpRequest, rows: models.QuerySet[Sanction]) -> None:
        self.act(
            request,
            rows,
            lambda caller, sanction: moderation.lift(
                caller=caller,
                room_id=sanction.conversation_id,
                acting_as=None,
                user_id=sanction.user_id,
                kind=Sanction.Kind(sanction.kind),
                now=clock.now(),
            ),
        )


@admin.register(ModerationAct)
class ModerationActAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "actor", "act", "user_id", "conversation_id", "reason", "expires_at")
    list_filter = ("act",)
    list_select_related = ("client",)
    search_fields = ("actor", "=user_id", "=conversation_id")
    ordering = ("-created_at", "-id")

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False
