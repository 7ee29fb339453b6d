"""Rooms: made, edited, paused, resumed and deleted by acts, by their master or by staff that may change rooms."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import roles
from accounts.models import Game
from backoffice.acts import Act, ActForm, ReasonForm
from backoffice.panels import Cell, Panel, Table
from backoffice.searching import as_number
from core.amounts import amount_decimal, format_amount_fixed, parse_amount
from core.errors import DomainError
from payments.admin.ledger import amount_text
from payments.models import Token
from rooms import figures, offers, prizes, queries, terms
from rooms.admin.owned import STATUS_TONES, OwnedAdmin
from rooms.admin.prize_table import PrizeTableField, percent_texts
from rooms.models import Room
from rooms.terms import AMOUNT_DECIMALS, COUNT_TERMS, TermsChange

SESSIONS_SHOWN = 20
NAME_TAKEN = {
    "ROOM_NAME_TAKEN": gettext_lazy("Choose another name; one that waits for a running session to end is taken too.")
}


TERM_LABELS = {
    "name": gettext_lazy("Name"),
    "symbol": gettext_lazy("Symbol"),
    "entry_fee_minor": gettext_lazy("Entry fee"),
    "prize_shares_bp": gettext_lazy("Prizes by rank"),
    "max_participants": gettext_lazy("Seats"),
    "join_window_seconds": gettext_lazy("Joining, seconds"),
    "run_seconds": gettext_lazy("Running, seconds"),
    "gap_seconds": gettext_lazy("Pause after a session, seconds"),
}


class TermsForm(ActForm):
    """What a room offers, as people write it."""

    name = forms.CharField(max_length=120, widget=UnfoldAdminTextInputWidget, label=gettext_lazy("Name"))
    symbol = forms.CharField(
        max_length=255, required=False, widget=UnfoldAdminTextInputWidget, label=gettext_lazy("Symbol")
    )
    entry_fee = forms.CharField(
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "placeholder": "10.00"}),
        label=gettext_lazy("Entry fee"),
    )
    prizes = PrizeTableField(
        label=gettext_lazy("Prize table"),
        help_text=gettext_lazy(
            "What part of the pool each rank gets: falling, 100 % together. A session needs as many players."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, term in COUNT_TERMS.items():
            self.fields[name] = forms.IntegerField(
                min_value=term.minimum,
                max_value=term.maximum,
                label=TERM_LABELS[name],
                widget=UnfoldAdminIntegerFieldWidget,
            )
        self.order_fields(self.field_order)

    def clean_entry_fee(self) -> int:
        """In minor units."""
        try:
            return parse_amount(self.cleaned_data["entry_fee"].strip(), decimals=AMOUNT_DECIMALS)
        except DomainError as error:
            raise forms.ValidationError(error.translated()) from error


class NewRoomForm(TermsForm):
    game = forms.ModelChoiceField(
        Game.objects.none(), empty_label=None, widget=UnfoldAdminSelectWidget, label=gettext_lazy("Game")
    )
    field_order = ("game", "name", "symbol", "entry_fee", "prizes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        games = Game.objects.filter(status=Game.Status.ACTIVE)
        self.fields["game"].queryset = games.order_by("name")  # type: ignore[attr-defined]
        if settings.DEFAULT_SYMBOL_GAME_ROOM:
            self.fields["name"].required = False
            self.fields["name"].help_text = _("Empty: the next free name of the game.")

    def starting_values(self) -> dict[str, Any]:
        return terms.counts({})


class CreateRoom(Act):
    slug = "add"
    title = gettext_lazy("Create room")
    form = NewRoomForm
    advice = {
        **NAME_TAKEN,
        "TOKEN_NOT_FOUND": gettext_lazy(
            "The token that rooms are played for does not exist yet: ask the operator to create it."
        ),
    }

    def explanation(self, obj: Any) -> str:
        return _("The room is yours and opens its first session at once; players see it immediately.")

    def run(self, *, actor: Any, obj: Any, data: dict[str, Any], now: datetime) -> str:
        room = offers.create_room(
            actor=actor,
            game_id=data["game"].pk,
            name=data["name"] or None,
            symbol=data["symbol"] or None,
            entry_fee_minor=data["entry_fee"],
            prize_table=data["prizes"],
            now=now,
            **{name: data[name] for name in COUNT_TERMS},
        )
        return _("The room %(name)s is open, its first session too.") % {"name": room.name}


class EditForm(TermsForm, ReasonForm):
    field_order = ("name", "symbol", "entry_fee", "prizes", *COUNT_TERMS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["reason"].widget.attrs["autofocus"]

    def starting_values(self) -> dict[str, Any]:
        """The terms that will hold: the waiting ones where a change waits."""
        ahead = {**offers.terms_of(self.obj), **(self.obj.pending_change or {})}
        return {
            **ahead,
            "entry_fee": format_amount_fixed(ahead["entry_fee_minor"], decimals=AMOUNT_DECIMALS),
            "prizes": percent_texts(ahead["prize_shares_bp"]),
        }

    def change(self) -> TermsChange:
        """Only what differs from what was shown."""
        data = self.cleaned_data
        shown = {**offers.terms_of(self.obj), **(self.obj.pending_change or {})}
        shown["symbol"] = shown["symbol"] or ""
        asked = {
            "name": data["name"],
            "symbol": data["symbol"],
            "entry_fee_minor": data["entry_fee"],
            "prize_shares_bp": prizes.prize_shares(data["prizes"]),
            **{name: data[name] for name in COUNT_TERMS},
        }
        return TermsChange(**{name: value for name, value in asked.items() if value != shown[name]})

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            change = self.change()
            if not change.asked():
                raise forms.ValidationError(_("Nothing is different from what holds or waits already."))
            data["change"] = change
        return data


class RoomAct(Act):
    """An act of the room's master, or of staff that may change rooms."""

    def is_allowed(self, request: HttpRequest, obj: Room) -> bool:
        return queries.manages(user=request.user, room=obj)

    def is_possible(self, obj: Room) -> bool:
        return obj.status != Room.Status.DELETED


class EditRoom(RoomAct):
    slug = "edit"
    title = gettext_lazy("Edit terms")
    icon = "edit"
    form = EditForm
    advice = NAME_TAKEN

    def explanation(self, obj: Room) -> str:
        return _(
            "A session that is open or running keeps the terms its players saw. With one, the change waits and counts"
            " from the next session on; without one it counts at once."
        )

    def run(self, *, actor: Any, obj: Room, data: dict[str, Any], now: datetime) -> str:
        room = offers.edit_room(actor=actor, room_id=obj.pk, change=data["change"], now=now, reason=data["reason"])
        when = _("from the next session on") if room.pending_change else _("from now on")
        return _("The new terms of %(name)s count %(when)s.") % {"name": room.name, "when": when}


class PauseRoom(RoomAct):
    slug = "pause"
    title = gettext_lazy("Pause")
    icon = "pause"

    def explanation(self, obj: Room) -> str:
        return _(
            "%(name)s opens no more sessions. One that is live finishes as it would: with prizes, or with refunds."
        ) % {"name": obj.name}

    def is_possible(self, obj: Room) -> bool:
        return obj.status == Room.Status.OPEN

    def run(self, *, actor: Any, obj: Room, data: dict[str, Any], now: datetime) -> str:
        offers.switch_room(actor=actor, room_id=obj.pk, on=False, now=now, reason=data["reason"])
        return _("%(name)s is paused.") % {"name": obj.name}


class ResumeRoom(RoomAct):
    slug = "resume"
    title = gettext_lazy("Resume")
    icon = "play_arrow"

    def explanation(self, obj: Room) -> str:
        return _("%(name)s opens sessions again: the next one at once, or after the live one.") % {"name": obj.name}

    def is_possible(self, obj: Room) -> bool:
        return obj.status == Room.Status.INACTIVE

    def run(self, *, actor: Any, obj: Room, data: dict[str, Any], now: datetime) -> str:
        offers.switch_room(actor=actor, room_id=obj.pk, on=True, now=now, reason=data["reason"])
        return _("%(name)s opens sessions again.") % {"name": obj.name}


class DeleteRoom(RoomAct):
    slug = "remove"
    title = gettext_lazy("Delete")
    icon = "delete"
    is_dangerous = True

    def explanation(self, obj: Room) -> str:
        return _(
            "%(name)s disappears for players and opens no more sessions; a live one finishes as it would. Its history"
            " stays. This cannot be undone."
        ) % {"name": obj.name}

    def run(self, *, actor: Any, obj: Room, data: dict[str, Any], now: datetime) -> str:
        offers.delete_room(actor=actor, room_id=obj.pk, now=now, reason=data["reason"])
        return _("%(name)s is deleted.") % {"name": obj.name}


def _term_texts(given: dict[str, Any], token: Token) -> dict[str, str]:
    texts = {name: "–" if value in (None, "") else str(value) for name, value in given.items()}
    if "entry_fee_minor" in given:
        texts["entry_fee_minor"] = amount_text(given["entry_fee_minor"], token)
    if "prize_shares_bp" in given:
        texts["prize_shares_bp"] = " / ".join(f"{text} %" for text in percent_texts(given["prize_shares_bp"]))
    return texts


class TermsPanel(Panel):
    title = gettext_lazy("Terms")

    def table(self, request: HttpRequest, obj: Room) -> Table:
        now = _term_texts(offers.terms_of(obj), obj.token)
        if not obj.pending_change:
            return Table(headings=("", _("Now")), rows=[[TERM_LABELS[name], now[name]] for name in TERM_LABELS])
        waiting = _term_texts(obj.pending_change, obj.token)
        rows = [
            [TERM_LABELS[name], now[name], Cell(waiting[name], tone="warning") if name in waiting else ""]
            for name in TERM_LABELS
        ]
        note = _("A change waits for the live session to end; its players keep the terms they saw.")
        return Table(headings=("", _("Now"), _("From the next session on")), rows=rows, note=note)


class VolumePanel(Panel):
    title = gettext_lazy("Volume")

    def table(self, request: HttpRequest, obj: Room) -> Table:
        closed = figures.closed_recently(obj)
        rows = [
            [
                _("Settled with prizes"),
                Cell(closed.settled, is_number=True),
                amount_text(closed.prizes_minor, obj.token),
            ],
            [
                _("Called off and refunded"),
                Cell(closed.refunded, is_number=True),
                amount_text(closed.refunds_minor, obj.token),
            ],
        ]
        note = _("The latest %(count)s sessions.") % {"count": f"{figures.RECENT_SESSIONS:,}"}
        return Table(headings=("", _("Sessions"), _("Paid out or back")), rows=rows, note=note)


class SessionsPanel(Panel):
    title = gettext_lazy("Sessions")

    def table(self, request: HttpRequest, obj: Room) -> Table:
        rows = [
            [
                Cell(session.code, link=reverse("admin:rooms_session_change", args=[session.pk])),
                Cell(session.get_status_display(), tone=STATUS_TONES[session.status]),
                session.starts_at,
                session.ends_at,
                Cell(f"{session.participants_count} / {session.max_participants}", is_number=True),
                Cell(amount_text(session.entry_fee_minor * session.participants_count, session.token), is_number=True),
            ]
            for session in figures.latest_sessions(obj, SESSIONS_SHOWN)
        ]
        more = Cell(
            _("All sessions of this room"), link=f"{reverse('admin:rooms_session_changelist')}?room__id__exact={obj.pk}"
        )
        headings = (_("Session"), _("State"), _("Starts"), _("Ends"), _("Seats"), _("Pool"))
        return Table(headings=headings, rows=rows, empty=_("No session yet"), more=more)


@admin.register(Room)
class RoomAdmin(OwnedAdmin):
    owner_path = "owner"
    list_display = ("name", "game", "owner", "shown_status", "fee", "prizes", "live", "waiting")
    list_filter = ("status", "game")
    search_fields = ("name",)
    search_help_text = gettext_lazy("The beginning of a room's name, or its id")
    ordering = ("-id",)
    fields = ("status", "game_name", "owner_name", "live", "next_open_at", "created_at", "deleted_at")
    readonly_fields = fields
    creation = CreateRoom()
    acts = (EditRoom(), PauseRoom(), ResumeRoom(), DeleteRoom())
    panels = (TermsPanel(), SessionsPanel(), VolumePanel())
    export_columns = (
        ("id", lambda room: room.pk),
        ("name", lambda room: room.name),
        ("game", lambda room: room.game.name),
        ("master", lambda room: room.owner.username),
        ("status", lambda room: room.status),
        ("entry fee", lambda room: amount_decimal(room.entry_fee_minor, decimals=room.token.decimals)),
        ("prizes", lambda room: " / ".join(percent_texts(room.prize_shares_bp))),
        ("seats", lambda room: room.max_participants),
    )

    def search_exactly(self, term: str) -> Q:
        found = Q(name__istartswith=term)
        number = as_number(term)
        return found if number is None else found | Q(pk=number)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("game", "owner", "token", "current_session")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return roles.is_master(request.user) or roles.may(request.user, queries.MANAGE)

    @display(description=gettext_lazy("status"), ordering="status", label=STATUS_TONES)
    def shown_status(self, room: Room) -> tuple[str, str]:
        return room.status, room.get_status_display()

    @admin.display(description=gettext_lazy("game"))
    def game_name(self, room: Room) -> str:
        return room.game.name

    @admin.display(description=gettext_lazy("master"))
    def owner_name(self, room: Room) -> str:
        return room.owner.username

    @admin.display(description=gettext_lazy("entry fee"), ordering="entry_fee_minor")
    def fee(self, room: Room) -> str:
        return amount_text(room.entry_fee_minor, room.token)

    @admin.display(description=gettext_lazy("prizes"))
    def prizes(self, room: Room) -> str:
        return " / ".join(percent_texts(room.prize_shares_bp))

    @admin.display(description=gettext_lazy("current session"))
    def live(self, room: Room) -> str:
        session = room.current_session
        return (
            "–"
            if session is None
            else f"{session.get_status_display()}, {session.participants_count}/{session.max_participants}"
        )

    @display(description=gettext_lazy("change"), label={"waits": "warning"})
    def waiting(self, room: Room) -> tuple[str, str] | None:
        return None if room.pending_change is None else ("waits", _("waits"))
