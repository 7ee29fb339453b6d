"""Sessions and participants: what happened, to whom, and the two acts of staff: void with refund, and retry."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from backoffice.acts import Act
from backoffice.panels import Button, Cell, Panel, Table, kept_text
from backoffice.searching import as_number
from core.amounts import amount_decimal
from core.db import clock
from payments.admin.ledger import amount_text, code_text
from payments.queries import transfers_of
from rooms import lifecycle, quarantine
from rooms.admin.owned import STATUS_TONES, OwnedAdmin
from rooms.models import Outcome, Participant, Session
from rooms.proof import proof

ROWS_SHOWN = 200
Status = Session.Status
# A live session's page follows it, but for no longer: a login must not stay alive by a page that was left open.
REFRESH_SECONDS = 5
FOLLOWED_BEFORE = timedelta(minutes=10)


class SessionAct(Act):
    """An act of staff that may change sessions."""

    permission = lifecycle.CHANGE_SESSIONS


class VoidSession(SessionAct):
    slug = "void"
    needs_fresh_login = True
    title = gettext_lazy("Void and refund")
    icon = "money_off"
    is_dangerous = True
    advice = {
        "TRANSITION_REFUSED": gettext_lazy(
            "It is over: its prizes were paid or its entries refunded. See the timeline."
        )
    }

    def explanation(self, obj: Session) -> str:
        pool = amount_text(obj.entry_fee_minor * obj.participants_count, obj.token)
        return _(
            "The session ends without a winner, and all entries (%(participants_count)s) are paid back in full:"
            " %(pool)s. This cannot be undone. The room opens its next session as usual."
        ) % {"participants_count": obj.participants_count, "pool": pool}

    def is_possible(self, obj: Session) -> bool:
        return obj.status in Session.LIVE

    def run(self, *, actor: Any, obj: Session, data: dict[str, Any], now: datetime) -> str:
        lifecycle.void_session(session_id=obj.pk, now=now, actor=actor, reason=data["reason"])
        return _("Session %(code)s is void; every entry fee is refunded.") % {"code": obj.code}


class RetrySession(SessionAct):
    slug = "retry"
    needs_fresh_login = True
    title = gettext_lazy("Retry")
    icon = "replay"
    advice = {"NOT_QUARANTINED": gettext_lazy("Another person may have retried or voided it. See the timeline.")}

    def explanation(self, obj: Session) -> str:
        return _(
            "The session failed %(failures)s times and was set aside; the last error: %(last_error)s. It is given"
            " back to the clock, which tries its next step within seconds."
        ) % {"failures": obj.failures, "last_error": obj.last_error or _("none")}

    def is_possible(self, obj: Session) -> bool:
        return obj.quarantined_at is not None and obj.status in Session.LIVE

    def run(self, *, actor: Any, obj: Session, data: dict[str, Any], now: datetime) -> str:
        quarantine.retry(session_id=obj.pk, now=now, actor=actor, reason=data["reason"])
        return _("Session %(code)s will be tried again.") % {"code": obj.code}


class OutcomePanel(Panel):
    title = gettext_lazy("Outcome and draw")

    def table(self, request: HttpRequest, obj: Session) -> Table:
        outcome = Outcome.objects.filter(pk=obj.pk).first()
        rows: list[list[Any]] = [
            [
                _("Outcome"),
                _("none yet")
                if outcome is None
                else f"{Outcome.Kind(outcome.kind).label}: {amount_text(outcome.pool_minor, obj.token)}",
            ],
            [_("Decided by"), obj.get_result_mode_display()],
            [_("Commitment, published at the opening"), Cell(obj.draw_commit, is_code=True)],
            [_("Roster, published at the start"), Cell(obj.draw_roster or _("not started yet"), is_code=True)],
        ]
        return Table(headings=(), rows=rows)

    def buttons(self, request: HttpRequest, obj: Session) -> list[Button]:
        return [Button(title=_("Draw proof (JSON)"), link=reverse("admin:rooms_session_proof", args=[obj.pk]))]


class TimelinePanel(Panel):
    title = gettext_lazy("Timeline")

    def table(self, request: HttpRequest, obj: Session) -> Table:
        rows = [
            [
                step.at,
                Status(step.from_status).label if step.from_status else "–",
                Cell(Status(step.to_status).label, tone=STATUS_TONES[step.to_status]),
                # People give their own reasons.
                step.reason if step.actor else kept_text(step.reason),
                step.actor.username if step.actor else _("the clock"),
            ]
            for step in obj.transitions.select_related("actor").order_by("id")
        ]
        return Table(headings=(_("When"), _("From"), _("To"), _("Why"), _("By")), rows=rows)


class ParticipantsPanel(Panel):
    title = gettext_lazy("Participants and prizes")

    def table(self, request: HttpRequest, obj: Session) -> Table:
        places = Participant.objects.filter(session=obj).select_related("user").order_by("rank", "id")
        rows = [
            [
                Cell(place.user.username, link=reverse("admin:rooms_participant_change", args=[place.pk])),
                Cell(place.get_status_display(), tone=STATUS_TONES[place.status]),
                place.joined_at,
                Cell(amount_text(place.amount_minor, obj.token), is_number=True),
                Cell(place.rank, is_number=True),
                Cell(None if place.prize_minor is None else amount_text(place.prize_minor, obj.token), is_number=True),
            ]
            for place in places[:ROWS_SHOWN]
        ]
        listed = f"{reverse('admin:rooms_participant_changelist')}?session__id__exact={obj.pk}"
        more = Cell(_("As a list, to filter and export"), link=listed)
        headings = (_("Player"), _("State"), _("Joined"), _("Paid"), _("Rank"), _("Prize"))
        return Table(headings=headings, rows=rows, empty=_("No players yet"), more=more)


class TransfersPanel(Panel):
    title = gettext_lazy("Transfers")

    def is_shown(self, request: HttpRequest, obj: Session) -> bool:
        return request.user.has_perm("payments.view_transfer")

    def table(self, request: HttpRequest, obj: Session) -> Table:
        rows = [
            [
                Cell(transfer.pk, link=reverse("admin:payments_transfer_change", args=[transfer.pk])),
                transfer.created_at,
                code_text(transfer.code),
                Cell(amount_text(transfer.amount_minor, obj.token), is_number=True),
                Cell(transfer.idempotency_key, is_code=True),
            ]
            for transfer in transfers_of(f"session:{obj.pk}")[:ROWS_SHOWN]
        ]
        return Table(headings=(_("Transfer"), _("When"), _("Why"), _("Amount"), _("Key")), rows=rows)


class SetAsideFilter(admin.SimpleListFilter):
    title = gettext_lazy("set aside")
    parameter_name = "aside"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", _("Yes: it kept failing"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        if self.value() != "1":
            return queryset
        return queryset.filter(quarantined_at__isnull=False, status__in=Session.LIVE)


@admin.register(Session)
class SessionAdmin(OwnedAdmin):
    owner_path = "room__owner"
    list_display = (
        "id",
        "code",
        "room_name",
        "shown_status",
        "opens_at",
        "starts_at",
        "ends_at",
        "seats",
        "pool",
        "aside",
    )
    list_filter = ("status", SetAsideFilter, ("opens_at", admin.DateFieldListFilter))
    search_fields = ("id",)
    search_help_text = gettext_lazy("A session's id, or the whole name of its room")
    ordering = ("-id",)
    fields = (
        "id",
        "public_id",
        "room_name",
        "status",
        "fee",
        "seats",
        "pool",
        "opens_at",
        "starts_at",
        "ends_at",
        "over_at",
        "failures",
        "last_error",
        "quarantined_at",
    )
    readonly_fields = fields
    acts = (VoidSession(), RetrySession())
    panels = (OutcomePanel(), ParticipantsPanel(), TimelinePanel(), TransfersPanel())
    export_columns = (
        ("id", lambda session: session.pk),
        ("session", lambda session: session.code),
        ("room", lambda session: session.room.name),
        ("status", lambda session: session.status),
        ("opens at", lambda session: session.opens_at),
        ("starts at", lambda session: session.starts_at),
        ("ends at", lambda session: session.ends_at),
        ("seats taken", lambda session: session.participants_count),
        ("entry fee", lambda session: amount_decimal(session.entry_fee_minor, decimals=session.token.decimals)),
        ("token", lambda session: session.token.symbol),
    )

    def search_exactly(self, term: str) -> Q:
        number = as_number(term)
        found = Q(room__name=term)
        # The code is what the list shows, and what a player sees.
        return found if number is None else found | Q(pk=number) | Q(code=term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # The seed must not show, so it is not fetched.
        return super().get_queryset(request).select_related("room__owner", "token").defer("seed_encrypted")

    def refresh_seconds(self, obj: Session) -> int | None:
        if obj.status not in Session.LIVE or obj.quarantined_at is not None:
            return None
        next_step_at = obj.starts_at if obj.status == Session.Status.PENDING else obj.ends_at
        return REFRESH_SECONDS if abs(next_step_at - clock.now()) < FOLLOWED_BEFORE else None

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "room__id__exact" or super().lookup_allowed(lookup, value, request)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.proof_view)
        return [path("<path:object_id>/proof/", view, name="rooms_session_proof"), *super().get_urls()]

    def proof_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What is public of the draw at this moment, as ``docs/verify_draw.py`` reads it."""
        session = self.get_object(request, unquote(object_id))
        if session is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, session):
            raise PermissionDenied
        name = f'attachment; filename="proof-{session.public_id}.json"'
        return JsonResponse(proof(session), headers={"Content-Disposition": name}, json_dumps_params={"indent": 2})

    @admin.display(description=gettext_lazy("room"))
    def room_name(self, session: Session) -> str:
        return session.room.name

    @display(description=gettext_lazy("status"), ordering="status", label=STATUS_TONES)
    def shown_status(self, session: Session) -> tuple[str, str]:
        return session.status, session.get_status_display()

    @admin.display(description=gettext_lazy("entry fee"))
    def fee(self, session: Session) -> str:
        return amount_text(session.entry_fee_minor, session.token)

    @admin.display(description=gettext_lazy("seats taken"), ordering="participants_count")
    def seats(self, session: Session) -> str:
        return f"{session.participants_count} / {session.max_participants}"

    @admin.display(description=gettext_lazy("pool"))
    def pool(self, session: Session) -> str:
        return amount_text(session.entry_fee_minor * session.participants_count, session.token)

    @display(description=gettext_lazy("trouble"), label={True: "danger"})
    def aside(self, session: Session) -> tuple[bool, str] | None:
        is_aside = session.quarantined_at is not None and session.status in Session.LIVE
        return (True, _("set aside")) if is_aside else None


@admin.register(Participant)
class ParticipantAdmin(OwnedAdmin):
    owner_path = "room__owner"
    list_display = ("id", "player", "room_name", "session_code", "shown_status", "joined_at", "paid", "rank", "prize")
    list_filter = ("status",)
    search_fields = ("id",)
    search_help_text = gettext_lazy("A user name, or a participant's id")
    ordering = ("-id",)
    fields = (
        "public_id",
        "player",
        "room_name",
        "session_code",
        "status",
        "paid",
        "joined_at",
        "closed_at",
        "rank",
        "prize",
        "entry_tx_hash",
        "refund_tx_hash",
        "prize_tx_hash",
    )
    readonly_fields = fields
    export_columns = (
        ("id", lambda place: place.pk),
        ("player", lambda place: place.user.username),
        ("room", lambda place: place.room.name),
        ("session", lambda place: place.session.code),
        ("status", lambda place: place.status),
        ("paid", lambda place: amount_decimal(place.amount_minor, decimals=place.session.token.decimals)),
        ("rank", lambda place: place.rank),
        (
            "prize",
            lambda place: (
                None
                if place.prize_minor is None
                else amount_decimal(place.prize_minor, decimals=place.session.token.decimals)
            ),
        ),
        ("token", lambda place: place.session.token.symbol),
        ("joined at", lambda place: place.joined_at),
    )

    def search_exactly(self, term: str) -> Q:
        number = as_number(term)
        return Q(user__username__iexact=term) if number is None else Q(pk=number) | Q(user__username__iexact=term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("user", "room__owner", "session__token")
        return rows.defer("session__seed_encrypted")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "session__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=gettext_lazy("player"))
    def player(self, place: Participant) -> str:
        return place.user.username

    @admin.display(description=gettext_lazy("room"))
    def room_name(self, place: Participant) -> str:
        return place.room.name

    @admin.display(description=gettext_lazy("session"))
    def session_code(self, place: Participant) -> str:
        return place.session.code

    @display(description=gettext_lazy("status"), ordering="status", label=STATUS_TONES)
    def shown_status(self, place: Participant) -> tuple[str, str]:
        return place.status, place.get_status_display()

    @admin.display(description=gettext_lazy("paid"), ordering="amount_minor")
    def paid(self, place: Participant) -> str:
        return amount_text(place.amount_minor, place.session.token)

    @admin.display(description=gettext_lazy("prize"), ordering="prize_minor")
    def prize(self, place: Participant) -> str:
        return "–" if place.prize_minor is None else amount_text(place.prize_minor, place.session.token)
