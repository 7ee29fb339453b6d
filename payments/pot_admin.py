"""Pots, jobs and players in the back-office: to look at, and to try a failed job again. Money moves by jobs only."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin, TabularInline

from gameplatform.accounts.models import User
from gameplatform.core import clock
from gameplatform.core.tokens import format_amount
from payments import jobs
from payments.errors import JobNotFailed
from payments.models import Account, Allowance, Job, PlayerProfile, PlayerSession, Pot, PotGame, PotMember


class ReadOnly:
    """Rows that only use cases write."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PotMemberInline(ReadOnly, TabularInline):
    model = PotMember
    fields = ("player", "joined_at", "left_at")
    extra = 0
    ordering = ("id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PotMember]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("player")
        return rows


@admin.register(Pot)
class PotAdmin(ReadOnly, ModelAdmin):
    list_display = ("number", "game", "status", "members_count", "capacity", "deadline", "created_at")
    list_select_related = ("game",)
    list_filter = ("status", "game")
    search_fields = ("=number", "=address")
    ordering = ("-id",)
    show_full_result_count = False
    fields = (
        "game",
        "number",
        "address",
        "status",
        "held",
        "members_count",
        "capacity",
        "deadline",
        "created_at",
        "over_at",
    )
    readonly_fields = ("held",)
    inlines = (PotMemberInline,)

    @admin.display(description="Holds")
    def held(self, pot: Pot) -> str:
        accounts = Account.objects.filter(escrow_id=pot.escrow_id).select_related("token").order_by("token__symbol")
        sums = ((format_amount(a.balance_minor, decimals=a.token.decimals), a.token.symbol) for a in accounts)
        return format_html_join(", ", "{} {}", sums) or "nothing"


@admin.register(Job)
class JobAdmin(ReadOnly, ModelAdmin):
    list_display = ("public_id", "kind", "game", "status", "attempts", "error_message", "created_at", "finished_at")
    list_select_related = ("game",)
    list_filter = ("status", "kind", "game")
    search_fields = ("=public_id",)
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("try_again",)
    exclude = ("request_digest",)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and request.user.has_perm("payments.change_job")

    @admin.action(
        description="Try failed jobs again (the game's server was told that they failed)", permissions=["retry"]
    )
    def try_again(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        assert isinstance(request.user, User)
        retried = 0
        for public_id in chosen.values_list("public_id", flat=True):
            try:
                jobs.retry_failed(public_id=public_id, actor=request.user, now=clock.now())
                retried += 1
            except JobNotFailed:
                continue
        self.message_user(request, f"{retried} jobs are tried again within seconds.", messages.SUCCESS)


@admin.register(PotGame)
class PotGameAdmin(ModelAdmin):
    list_display = ("game", "public_id", "owner", "last_pot_number")
    list_select_related = ("game", "owner")
    autocomplete_fields = ("owner",)
    fields = ("game", "public_id", "owner", "last_pot_number")
    readonly_fields = ("last_pot_number",)

    def has_delete_permission(self, request: HttpRequest, obj: PotGame | None = None) -> bool:
        # The row counts the game's pots.
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: PotGame | None = None) -> tuple[str, ...]:
        return ("last_pot_number",) if obj is None else ("game", "last_pot_number")


class AllowanceInline(ReadOnly, TabularInline):
    model = Allowance
    fields = ("game", "token", "amount_minor", "expires_at")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Allowance]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("game", "token")
        return rows


class PlayerSessionInline(ReadOnly, TabularInline):
    model = PlayerSession
    fields = ("game", "nonce", "expires_at")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlayerSession]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("game")
        return rows


@admin.register(PlayerProfile)
class PlayerProfileAdmin(ReadOnly, ModelAdmin):
    list_display = ("plyr_id", "user", "is_guest", "otp_locked_until", "created_at")
    list_select_related = ("user",)
    list_filter = ("is_guest",)
    search_fields = ("plyr_id", "=primary_address")
    ordering = ("-id",)
    show_full_result_count = False
    fields = (
        "plyr_id",
        "user",
        "primary_address",
        "mirror_address",
        "is_guest",
        "guest_claimed",
        "otp_failures",
        "otp_locked_until",
        "created_at",
    )
    readonly_fields = ("otp_failures", "otp_locked_until")
    inlines = (PlayerSessionInline, AllowanceInline)
