"""Pots, jobs and players: to look at, and to try a failed job again. Money moves by jobs only."""

import json
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from backoffice.acts import Act
from backoffice.admin import PlatformAdmin, ReadOnlyAdmin
from backoffice.panels import Cell, Panel, Table, kept_text
from backoffice.searching import as_number, as_uuid
from payments import jobs
from payments.admin.ledger import account_cell, amount_text, code_text
from payments.models import Account, Allowance, Job, PlayerProfile, PlayerSession, Pot, PotGame, PotMember
from payments.queries import transfers_of

ROWS_SHOWN = 200
POT_TONES = {"open": "success", "ended": "plain", "closed": "warning"}
JOB_TONES = {"pending": "info", "success": "success", "failed": "danger"}


class HoldingsPanel(Panel):
    title = gettext_lazy("Holds")

    def is_shown(self, request: HttpRequest, obj: Pot) -> bool:
        return request.user.has_perm("payments.view_account")

    def table(self, request: HttpRequest, obj: Pot) -> Table:
        accounts = Account.objects.filter(escrow_id=obj.escrow_id).select_related("token", "owner")
        rows = [
            [account_cell(account), Cell(amount_text(account.balance_minor, account.token), is_number=True)]
            for account in accounts.order_by("token__symbol")
        ]
        return Table(headings=(_("Account"), _("Balance")), rows=rows, empty=_("Nothing was paid in yet"))


class PotMembersPanel(Panel):
    title = gettext_lazy("Members")

    def table(self, request: HttpRequest, obj: Pot) -> Table:
        members = PotMember.objects.filter(pot=obj).select_related("player").order_by("id")[:ROWS_SHOWN]
        rows = [
            [
                Cell(
                    member.player.plyr_id, link=reverse("admin:payments_playerprofile_change", args=[member.player_id])
                ),
                member.joined_at,
                member.left_at,
            ]
            for member in members
        ]
        return Table(headings=(_("Player"), _("Joined"), _("Left")), rows=rows, empty=_("No players yet"))


class PotTransfersPanel(Panel):
    title = gettext_lazy("Transfers")

    def is_shown(self, request: HttpRequest, obj: Pot) -> bool:
        return request.user.has_perm("payments.view_transfer")

    def table(self, request: HttpRequest, obj: Pot) -> Table:
        rows = [
            [
                Cell(transfer.pk, link=reverse("admin:payments_transfer_change", args=[transfer.pk])),
                transfer.created_at,
                code_text(transfer.code),
                Cell(amount_text(transfer.amount_minor, transfer.token), is_number=True),
                Cell(transfer.idempotency_key, is_code=True),
            ]
            for transfer in transfers_of(f"pot:{obj.pk}")[:ROWS_SHOWN]
        ]
        return Table(headings=(_("Transfer"), _("When"), _("Why"), _("Amount"), _("Key")), rows=rows)


@admin.register(Pot)
class PotAdmin(ReadOnlyAdmin):
    list_display = ("number", "game", "shown_status", "members_count", "capacity", "deadline", "created_at")
    list_filter = ("status", "game")
    list_select_related = ("game",)
    search_fields = ("number",)
    search_help_text = gettext_lazy("A pot's number, or its address")
    ordering = ("-id",)
    fields = ("game", "number", "address", "status", "members_count", "capacity", "deadline", "created_at", "over_at")
    readonly_fields = fields
    panels = (HoldingsPanel(), PotMembersPanel(), PotTransfersPanel())
    export_columns = (
        ("id", lambda pot: pot.pk),
        ("game", lambda pot: pot.game.name),
        ("number", lambda pot: pot.number),
        ("address", lambda pot: pot.address),
        ("status", lambda pot: pot.status),
        ("members", lambda pot: pot.members_count),
        ("capacity", lambda pot: pot.capacity),
        ("deadline", lambda pot: pot.deadline),
        ("created at", lambda pot: pot.created_at),
        ("over at", lambda pot: pot.over_at),
    )

    def search_exactly(self, term: str) -> Q:
        number = as_number(term)
        return Q(address=term) if number is None else Q(number=number) | Q(address=term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("game")

    @display(description=gettext_lazy("status"), ordering="status", label=POT_TONES)
    def shown_status(self, pot: Pot) -> tuple[str, str]:
        return pot.status, pot.get_status_display()


class RetryJob(Act):
    slug = "retry"
    permission = jobs.RETRY
    needs_fresh_login = True
    title = gettext_lazy("Try again")
    icon = "replay"
    advice = {"JOB_NOT_FAILED": gettext_lazy("Another person may have retried it already.")}

    def explanation(self, obj: Job) -> str:
        return _(
            "The job failed (%(error)s), and the game's server was told so: it may have asked again, which would do it"
            " twice. The job is tried again within seconds."
        ) % {"error": kept_text(obj.error_message) or obj.error_code or _("no reason was kept")}

    def is_possible(self, obj: Job) -> bool:
        return obj.status == Job.Status.FAILED

    def run(self, *, actor: Any, obj: Job, data: dict[str, Any], now: datetime) -> str:
        jobs.retry_failed(public_id=obj.public_id, actor=actor, reason=data["reason"], now=now)
        return _("The job %(job)s is tried again within seconds.") % {"job": obj.public_id}


class AskedPanel(Panel):
    title = gettext_lazy("What was asked and what came of it")

    def table(self, request: HttpRequest, obj: Job) -> Table:
        rows = [
            [_("Asked"), Cell(json.dumps(obj.arguments, indent=2), is_code=True)],
            [_("Came of it"), Cell(None if obj.result is None else json.dumps(obj.result, indent=2), is_code=True)],
            [_("Receipt"), Cell(obj.receipt_hash, is_code=True)],
        ]
        return Table(headings=(), rows=rows)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "kind", "game", "shown_status", "attempts", "error_code", "created_at", "finished_at")
    list_filter = ("status", "kind", "game")
    list_select_related = ("game",)
    search_fields = ("public_id",)
    search_help_text = gettext_lazy("A job's id")
    ordering = ("-id",)
    fields = (
        "public_id",
        "kind",
        "game",
        "client",
        "status",
        "attempts",
        "error_code",
        "what_went_wrong",
        "retried_by",
        "created_at",
        "due_at",
        "finished_at",
    )
    readonly_fields = fields
    acts = (RetryJob(),)
    panels = (AskedPanel(),)
    export_columns = (
        ("id", lambda job: job.public_id),
        ("kind", lambda job: job.kind),
        ("game", lambda job: job.game.name),
        ("status", lambda job: job.status),
        ("attempts", lambda job: job.attempts),
        ("error", lambda job: job.error_code),
        ("message", lambda job: job.error_message),
        ("created at", lambda job: job.created_at),
        ("finished at", lambda job: job.finished_at),
    )

    def search_exactly(self, term: str) -> Q:
        key = as_uuid(term)
        # A term that is no id finds nothing.
        return Q(pk__in=[]) if key is None else Q(public_id=key)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("game", "client", "retried_by")

    @admin.display(description=gettext_lazy("error message"))
    def what_went_wrong(self, job: Job) -> str:
        return kept_text(job.error_message)

    @display(description=gettext_lazy("status"), ordering="status", label=JOB_TONES)
    def shown_status(self, job: Job) -> tuple[str, str]:
        return job.status, job.get_status_display()


@admin.register(PotGame)
class PotGameAdmin(PlatformAdmin):
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


class PlayerSessionsPanel(Panel):
    title = gettext_lazy("Sessions with games")

    def table(self, request: HttpRequest, obj: PlayerProfile) -> Table:
        sessions = PlayerSession.objects.filter(player=obj).select_related("game").order_by("-expires_at")[:ROWS_SHOWN]
        rows = [[session.game.name, Cell(session.nonce, is_number=True), session.expires_at] for session in sessions]
        return Table(headings=(_("Game"), _("Logins"), _("Ends")), rows=rows, empty=_("Never signed in"))


class AllowancesPanel(Panel):
    title = gettext_lazy("What games may take")

    def table(self, request: HttpRequest, obj: PlayerProfile) -> Table:
        allowances = Allowance.objects.filter(player=obj).select_related("game", "token").order_by("game", "token")
        rows = [
            [each.game.name, Cell(amount_text(each.amount_minor, each.token), is_number=True), each.expires_at]
            for each in allowances[:ROWS_SHOWN]
        ]
        return Table(headings=(_("Game"), _("Still"), _("Until")), rows=rows, empty=_("No game may take anything"))


@admin.register(PlayerProfile)
class PlayerProfileAdmin(ReadOnlyAdmin):
    list_display = ("plyr_id", "user", "is_guest", "created_at")
    list_filter = ("is_guest",)
    list_select_related = ("user",)
    search_fields = ("plyr_id",)
    search_help_text = gettext_lazy("The beginning of a plyrId, or a whole address")
    ordering = ("-id",)
    fields = (
        "plyr_id",
        "user",
        "primary_address",
        "mirror_address",
        "is_guest",
        "guest_claimed",
        "created_at",
    )
    readonly_fields = fields
    panels = (PlayerSessionsPanel(), AllowancesPanel())
    export_columns = (
        ("id", lambda player: player.pk),
        ("plyrId", lambda player: player.plyr_id),
        ("user", lambda player: player.user.username),
        ("guest", lambda player: player.is_guest),
        ("created at", lambda player: player.created_at),
    )

    def search_exactly(self, term: str) -> Q:
        return Q(plyr_id__startswith=term.lower()) | Q(primary_address=term) | Q(mirror_address=term)
