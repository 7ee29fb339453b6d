"""Games with their tokens and service keys, players, contests and rounds in the back-office.

What decides a result is read-only here: a score comes from a player or the game's server, never from a form.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline

from accounts import api_keys
from accounts.models import ApiKey, GameUser
from backoffice.acts import Act, ShownOnce
from backoffice.admin import PlatformAdmin, ReadOnlyAdmin
from backoffice.panels import Cell, Panel, Table, linked
from backoffice.searching import as_number
from rounds import access, leaderboards, queries
from rounds.models import Contest, GameAccess, GameVariable, Leaderboard, LeaderboardEntry, Round
from rounds.standings import score_text

RANKING_ROWS_MAX = 200


def _score(score: Decimal | None) -> Decimal | None:
    """The score as a cell of a file: a number with its own digits."""
    return None if score is None else Decimal(score_text(score))


class GameVariableInline(TabularInline):
    model = GameVariable
    extra = 0


class NewServiceKey(Act):
    slug = "service-key"
    permission = api_keys.ISSUE
    title = gettext_lazy("New service key")
    icon = "key"
    advice = {
        "TOO_MANY_KEYS": gettext_lazy("Revoke the one that is no longer used, on the page of the game's API client.")
    }

    def explanation(self, obj: GameAccess) -> str:
        return _(
            "The server of %(game)s gets a further key for its rounds. Name and token are shown once, on the next page."
        ) % {"game": obj.game}

    def run(self, *, actor: Any, obj: GameAccess, data: dict[str, Any], now: datetime) -> ShownOnce:
        scopes = [ApiKey.Scope.ROUNDS]
        issued = api_keys.issue_key_for_game(game=obj.game, scopes=scopes, actor=actor, reason=data["reason"], now=now)
        return ShownOnce(
            done=_("The server of %(game)s has a new service key: %(prefix)s.")
            % {"game": obj.game, "prefix": issued.key.prefix},
            secrets=[("service-key-name", issued.key.client.name), ("service-key-token", issued.text)],
        )


class RenewToken(Act):
    slug = "renew-token"
    permission = access.RENEW_TOKEN
    title = gettext_lazy("New game token")
    icon = "autorenew"
    is_dangerous = True

    def explanation(self, obj: GameAccess) -> str:
        return _(
            "%(game)s gets a new token at once. Copies of the game that send the old one can no longer sign players"
            " up; who is signed in stays so."
        ) % {"game": obj.game}

    def run(self, *, actor: Any, obj: GameAccess, data: dict[str, Any], now: datetime) -> ShownOnce:
        token = access.renew_token(game=obj.game, actor=actor, reason=data["reason"], now=now)
        # A message would travel in a cookie.
        return ShownOnce(
            done=_("%(game)s has a new token; the old one no longer works.") % {"game": obj.game},
            secrets=[(_("Token"), token)],
        )


@admin.register(GameAccess)
class GameAccessAdmin(PlatformAdmin):
    list_display = ("game", "game_status", "is_test", "created_at")
    list_filter = ("game__status", "is_test")
    list_select_related = ("game",)
    search_fields = ("game__name", "game__symbol")
    ordering = ("game__name",)
    fields = ("game", "description", "token", "is_test", "created_at")
    readonly_fields = ("token", "is_test", "created_at")
    inlines = (GameVariableInline,)
    acts = (NewServiceKey(), RenewToken())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("game")

    def get_readonly_fields(self, request: HttpRequest, obj: GameAccess | None = None) -> tuple[str, ...]:
        return self.readonly_fields if obj is None else ("game", *self.readonly_fields)

    def has_delete_permission(self, request: HttpRequest, obj: GameAccess | None = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("status"), ordering="game__status")
    def game_status(self, access: GameAccess) -> str:
        return access.game.get_status_display()


@admin.register(GameUser)
class GameUserAdmin(ReadOnlyAdmin):
    list_display = ("username", "game", "user", "email", "credits", "score", "number_of_logins", "last_login")
    list_filter = ("game",)
    list_select_related = ("game", "user")
    search_fields = ("username",)
    search_help_text = gettext_lazy("The beginning of a name or email address, or an id")
    ordering = ("-id",)
    exclude = ("password",)
    export_columns = (
        ("id", lambda player: player.pk),
        ("username", lambda player: player.username),
        ("game", lambda player: player.game.name),
        ("email", lambda player: player.email),
        ("credits", lambda player: player.credits),
        ("score", lambda player: player.score),
        ("logins", lambda player: player.number_of_logins),
        ("last login", lambda player: player.last_login),
    )

    def search_exactly(self, term: str) -> Q:
        number = as_number(term)
        found = Q(username__istartswith=term) | Q(email__istartswith=term)
        return found if number is None else found | Q(pk=number)


class RankingPanel(Panel):
    """Who stands where now: the first rows of the contest, as players see them."""

    title = gettext_lazy("Ranking")

    def table(self, request: HttpRequest, obj: Contest) -> Table:
        found = queries.contest_table(contest_id=obj.pk, limit=RANKING_ROWS_MAX)
        rows = [
            [
                Cell(row["place"], is_number=True),
                row["username"],
                Cell(None if row["score"] is None else score_text(row["score"]), is_number=True),
                row["submitted_at"],
                Cell(row["id"], link=reverse("admin:rounds_round_change", args=[row["id"]])),
            ]
            for row in found
        ]
        order = obj.get_score_order_display().lower()
        note = _("%(shown)s of %(all)s rounds, %(order)s.") % {
            "shown": len(rows),
            "all": obj.rounds_count,
            "order": order,
        }
        if obj.frozen_at is not None:
            ended = _("It has ended: the places are final.")
            note = f"{note} {ended}"
        return Table(
            headings=(_("Place"), _("Player"), _("Score"), _("Submitted"), _("Round")),
            rows=rows,
            note=note,
            empty=_("No round yet"),
        )


@admin.register(Contest)
class ContestAdmin(ReadOnlyAdmin):
    list_display = (
        "multiplayer_id",
        "game",
        "controller",
        "score_order",
        "rounds_count",
        "opens_at",
        "closes_at",
        "frozen_at",
        "created_at",
    )
    list_filter = ("controller", "score_order", "game", ("created_at", admin.DateFieldListFilter))
    list_select_related = ("game",)
    search_fields = ("multiplayer_id",)
    search_help_text = gettext_lazy("A multiplayer id, or a contest's id")
    ordering = ("-id",)
    panels = (RankingPanel(),)
    export_columns = (
        ("id", lambda contest: contest.pk),
        ("game", lambda contest: contest.game.name),
        ("multiplayer id", lambda contest: contest.multiplayer_id),
        ("controller", lambda contest: contest.controller),
        ("score order", lambda contest: contest.score_order),
        ("rounds", lambda contest: contest.rounds_count),
        ("opens at", lambda contest: contest.opens_at),
        ("closes at", lambda contest: contest.closes_at),
        ("frozen at", lambda contest: contest.frozen_at),
        ("created at", lambda contest: contest.created_at),
    )

    def search_exactly(self, term: str) -> Q:
        number = as_number(term)
        return Q(pk__in=[]) if number is None else Q(multiplayer_id=number) | Q(pk=number)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("game", "master")


@admin.register(Round)
class RoundAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "game",
        "game_user",
        "in_contest",
        "authoritative",
        "game_type",
        "shown_score",
        "place",
        "submitted_at",
    )
    list_filter = ("game", "authoritative", ("created_at", admin.DateFieldListFilter))
    list_select_related = ("game", "game_user", "contest")
    search_fields = ("id",)
    search_help_text = gettext_lazy("The id of a round, a player of the game, or a contest")
    ordering = ("-id",)
    fields = (
        "game",
        "game_user",
        "in_contest",
        "authoritative",
        "game_type",
        "shown_score",
        "place",
        "start_time",
        "end_time",
        "submitted_at",
        "metadata",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields
    export_columns = (
        ("id", lambda row: row.pk),
        ("game", lambda row: row.game.name),
        ("multiplayer id", lambda row: None if row.contest is None else row.contest.multiplayer_id),
        ("player id", lambda row: row.game_user_id),
        ("player", lambda row: row.game_user.username),
        ("authoritative", lambda row: row.authoritative),
        ("game type", lambda row: row.game_type),
        ("score", lambda row: _score(row.score)),
        ("place", lambda row: row.place),
        ("started at", lambda row: row.start_time),
        ("ended at", lambda row: row.end_time),
        ("submitted at", lambda row: row.submitted_at),
    )

    def search_exactly(self, term: str) -> Q:
        number = as_number(term)
        return Q(pk__in=[]) if number is None else Q(pk=number) | Q(game_user_id=number) | Q(contest_id=number)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("game", "game_user", "contest")

    @admin.display(description=gettext_lazy("contest"), ordering="contest")
    def in_contest(self, row: Round) -> str:
        return "–" if row.contest is None else linked(row.contest)

    @admin.display(description=gettext_lazy("score"))
    def shown_score(self, row: Round) -> str:
        return "–" if row.score is None else score_text(row.score)


@admin.register(Leaderboard)
class LeaderboardAdmin(ReadOnlyAdmin):
    list_display = ("name", "game", "score_order", "created_at")
    list_filter = ("game",)
    list_select_related = ("game",)
    search_fields = ("name",)
    search_help_text = gettext_lazy("The beginning of a name")
    ordering = ("-id",)

    def search_exactly(self, term: str) -> Q:
        return Q(name__istartswith=term)


class RemoveEntry(Act):
    slug = "remove"
    permission = leaderboards.REMOVE_ENTRY
    title = gettext_lazy("Take off the board")
    icon = "delete"
    is_dangerous = True

    def explanation(self, obj: LeaderboardEntry) -> str:
        return _("The score of %(username)s on %(board)s is deleted. This cannot be undone.") % {
            "username": obj.game_user.username,
            "board": obj.leaderboard.name,
        }

    def run(self, *, actor: Any, obj: LeaderboardEntry, data: dict[str, Any], now: datetime) -> str:
        removed = leaderboards.remove_entry(actor=actor, entry_id=obj.pk, reason=data["reason"], now=now)
        if not removed:
            return _("Another person has removed it.")
        return _("The entry is off %(board)s.") % {"board": obj.leaderboard.name}

    def landing(self, obj: LeaderboardEntry) -> str:
        # The entry is no more.
        return reverse("admin:rounds_leaderboardentry_changelist")


@admin.register(LeaderboardEntry)
class LeaderboardEntryAdmin(ReadOnlyAdmin):
    list_display = ("leaderboard", "game_user", "shown_score", "created_at")
    list_filter = ("leaderboard__game", ("created_at", admin.DateFieldListFilter))
    list_select_related = ("leaderboard", "game_user")
    search_fields = ("game_user__id",)
    search_help_text = gettext_lazy("The id of a player of the game, or the beginning of a leaderboard's name")
    ordering = ("-id",)
    fields = ("leaderboard", "game_user", "shown_score", "metadata", "created_at")
    readonly_fields = fields
    acts = (RemoveEntry(),)
    export_columns = (
        ("id", lambda entry: entry.pk),
        ("leaderboard", lambda entry: entry.leaderboard.name),
        ("player id", lambda entry: entry.game_user_id),
        ("player", lambda entry: entry.game_user.username),
        ("score", lambda entry: _score(entry.score)),
        ("created at", lambda entry: entry.created_at),
    )

    def search_exactly(self, term: str) -> Q:
        number = as_number(term)
        return Q(leaderboard__name__istartswith=term) if number is None else Q(game_user_id=number)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("leaderboard", "game_user")

    @admin.display(description=gettext_lazy("score"))
    def shown_score(self, entry: LeaderboardEntry) -> str:
        return score_text(entry.score)
