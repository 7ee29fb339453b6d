"""Games with their tokens and service keys, players, contests and rounds in the back-office.

What decides a result is read-only here: a score comes from a player or the game's server, never from a form.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline

from gameplatform.accounts.api_keys import TooManyKeys, issue_key
from gameplatform.accounts.models import ApiKey, GameUser
from gameplatform.core import clock
from rounds import access, queries
from rounds.export import csv_lines
from rounds.models import Contest, GameAccess, GameVariable, Leaderboard, LeaderboardEntry, Round
from rounds.standings import score_text

COUNT_MAX = 10_000
RANKING_ROWS_MAX = 500
ROUND_COLUMNS = (
    "id",
    "game__name",
    "contest__multiplayer_id",
    "game_user_id",
    "game_user__username",
    "authoritative",
    "game_type",
    "score",
    "place",
    "start_time",
    "end_time",
    "submitted_at",
)
CONTEST_COLUMNS = (
    "id",
    "game__name",
    "multiplayer_id",
    "controller",
    "score_order",
    "rounds_count",
    "opens_at",
    "closes_at",
    "frozen_at",
    "created_at",
)


class BoundedPaginator(Paginator):
    """Counts no further than ``COUNT_MAX``: an exact count of millions of rows costs more than the page."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows.order_by()[:COUNT_MAX].count()


class ReadOnlyAdmin(ModelAdmin):
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class GameVariableInline(TabularInline):
    model = GameVariable
    extra = 0


@admin.register(GameAccess)
class GameAccessAdmin(ModelAdmin):
    list_display = ("game", "token", "game_status", "is_test", "created_at")
    list_filter = ("game__status", "is_test")
    list_select_related = ("game",)
    search_fields = ("game__name", "game__symbol")
    ordering = ("game__name",)
    fields = ("game", "description", "token", "is_test", "created_at")
    readonly_fields = ("token", "is_test", "created_at")
    inlines = (GameVariableInline,)
    actions = ("new_service_key", "renew_token")

    def get_readonly_fields(self, request: HttpRequest, obj: GameAccess | None = None) -> tuple[str, ...]:
        return self.readonly_fields if obj is None else ("game", *self.readonly_fields)

    def has_delete_permission(self, request: HttpRequest, obj: GameAccess | None = None) -> bool:
        return False

    @admin.display(description="status", ordering="game__status")
    def game_status(self, access: GameAccess) -> str:
        return access.game.get_status_display()

    @admin.action(description="New service key (shown once)", permissions=["change"])
    def new_service_key(self, request: HttpRequest, chosen: QuerySet[GameAccess]) -> None:
        for each in chosen.select_related("game"):
            now = clock.now()
            client = access.service_client(game=each.game, now=now)
            try:
                issued = issue_key(client=client, scopes=[ApiKey.Scope.ROUNDS], now=now)
            except TooManyKeys as error:
                self.message_user(request, f"{each.game}: {error.message}", messages.ERROR)
                continue
            self.message_user(
                request,
                format_html(
                    "{}: service-key-name <code>{}</code>, service-key-token <code>{}</code>. Copy it now: it is not"
                    " shown again.",
                    each.game,
                    client.name,
                    issued.text,
                ),
                messages.WARNING,
            )

    @admin.action(description="New game token (the old one stops working)", permissions=["change"])
    def renew_token(self, request: HttpRequest, chosen: QuerySet[GameAccess]) -> None:
        for each in chosen.select_related("game"):
            token = access.renew_token(game=each.game)
            self.message_user(request, f"{each.game}: the game token is now {token}", messages.SUCCESS)


@admin.register(GameUser)
class GameUserAdmin(ReadOnlyAdmin):
    list_display = ("username", "game", "user", "email", "credits", "score", "number_of_logins", "last_login")
    list_filter = ("game",)
    list_select_related = ("game", "user")
    search_fields = ("username__istartswith", "email__istartswith", "id__exact")
    exclude = ("password",)


@admin.register(Contest)
class ContestAdmin(ReadOnlyAdmin):
    list_display = (
        "multiplayer_id",
        "game",
        "controller",
        "score_order",
        "rounds_count",
        "ranking",
        "opens_at",
        "closes_at",
        "frozen_at",
        "created_at",
    )
    list_filter = ("controller", "score_order", "game", "created_at")
    list_select_related = ("game",)
    search_fields = ("multiplayer_id__exact", "id__exact")
    actions = ("export_csv",)

    def get_urls(self) -> list[URLPattern]:
        ranking = self.admin_site.admin_view(self.ranking_view)
        urls: list[URLPattern] = super().get_urls()
        return [path("<int:contest_id>/ranking/", ranking, name="rounds_contest_ranking"), *urls]

    @admin.display(description="ranking")
    def ranking(self, contest: Contest) -> str:
        return format_html('<a href="{}">Ranking</a>', reverse("admin:rounds_contest_ranking", args=[contest.pk]))

    def ranking_view(self, request: HttpRequest, contest_id: int) -> HttpResponse:
        """Who stands where now: the first rows of the contest, as players see them."""
        contest = get_object_or_404(Contest.objects.select_related("game"), pk=contest_id)
        if not self.has_view_permission(request, contest):
            raise PermissionDenied
        rows = queries.contest_table(contest_id=contest.pk, limit=RANKING_ROWS_MAX)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Ranking of {contest.game}, multiplayer round {contest.multiplayer_id}",
            "opts": self.model._meta,
            "contest": contest,
            "shown": len(rows),
            "table": {
                "headers": ["Place", "Player", "Score", "Submitted", "Round"],
                "rows": [[_or_dash(row["place"]), *_ranking_cells(row)] for row in rows],
            },
        }
        return TemplateResponse(request, "admin/rounds/contest_ranking.html", context)

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_csv(self, request: HttpRequest, chosen: QuerySet[Contest]) -> StreamingHttpResponse:
        return _csv("contests.csv", CONTEST_COLUMNS, chosen)


@admin.register(Round)
class RoundAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "game",
        "game_user",
        "contest",
        "authoritative",
        "game_type",
        "score",
        "place",
        "submitted_at",
    )
    list_filter = ("game", "authoritative", "created_at")
    list_select_related = ("game", "game_user", "contest")
    search_fields = ("id__exact", "game_user__id__exact", "contest__multiplayer_id__exact")
    actions = ("export_csv",)

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_csv(self, request: HttpRequest, chosen: QuerySet[Round]) -> StreamingHttpResponse:
        return _csv("rounds.csv", ROUND_COLUMNS, chosen)


@admin.register(Leaderboard)
class LeaderboardAdmin(ReadOnlyAdmin):
    list_display = ("name", "game", "score_order", "created_at")
    list_filter = ("game",)
    list_select_related = ("game",)
    search_fields = ("name__istartswith",)


@admin.register(LeaderboardEntry)
class LeaderboardEntryAdmin(ReadOnlyAdmin):
    list_display = ("leaderboard", "game_user", "score", "created_at")
    list_filter = ("leaderboard__game", "created_at")
    list_select_related = ("leaderboard", "game_user")
    search_fields = ("leaderboard__name__istartswith", "game_user__id__exact")

    def has_delete_permission(self, request: HttpRequest, obj: LeaderboardEntry | None = None) -> bool:
        # A board is only as good as its worst cheat: staff may take an entry off it.
        return request.user.has_perm("rounds.delete_leaderboardentry")


def _ranking_cells(row: queries.Row) -> list[Any]:
    link = format_html('<a href="{}">{}</a>', reverse("admin:rounds_round_change", args=[row["id"]]), row["id"])
    score = row["score"]
    return [row["username"], _or_dash(None if score is None else score_text(score)), row["submitted_at"], link]


def _or_dash(value: Any) -> Any:
    return "–" if value is None else value


def _csv(name: str, columns: tuple[str, ...], chosen: QuerySet[Any]) -> StreamingHttpResponse:
    rows = chosen.order_by("id").values_list(*columns).iterator(chunk_size=1_000)
    response = StreamingHttpResponse(csv_lines(columns, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
