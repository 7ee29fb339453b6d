"""The dashboard: alarms, running sessions, and figures of the last day."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import roles
from accounts.models import User
from backoffice.panels import Cell, Table
from chat import queries as chat_queries
from core.amounts import format_amount_grouped
from core.db import clock
from gameplatform.operations.vitals import Vitals, vitals
from payments import jobs
from payments import queries as books
from payments.models import AdjustmentRequest, Token
from rooms import figures
from rooms.figures import Hour
from rooms.terms import AMOUNT_DECIMALS

DAY = timedelta(hours=24)
# Adding up every balance reads the whole table of accounts: once a minute is often enough.
BOOKS_SECONDS = 60
BOOKS_KEY = "dashboard:books"
TICK_LATE_SECONDS = 10
FAILED_JOBS_SHOWN = 10


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the template shows: to staff the platform's figures as far as it may see them, to masters their rooms'."""
    user = request.user
    assert isinstance(user, User)
    now = clock.now()
    sees_rooms, sees_money = roles.may(user, "rooms.view_session"), roles.may(user, "payments.view_account")
    now_running = vitals(now) if sees_rooms else None
    context["alarms"] = _alarms(user, now_running)
    if roles.may(user, "payments.view_job"):
        context["failed_jobs"] = _failed_jobs(now)
    if sees_rooms or roles.is_master(user):
        context.update(_play(None if sees_rooms else user, now))
    context["cards"] = [*context.get("cards", []), *_running(now_running), *_chat(user, sees_rooms, now)]
    if sees_money:
        context["books"] = _books()
    return context


def _play(owner: User | None, now: datetime) -> dict[str, Any]:
    since = now - DAY
    live = figures.live_by_status(owner)
    closed = figures.closed_since(owner=owner, since=since)
    hours = figures.by_hour(owner=owner, since=since)
    cards = [
        {"name": _("Pending sessions"), "value": live["pending"], "link": _sessions("pending")},
        {"name": _("Running sessions"), "value": live["running"], "link": _sessions("running")},
        {"name": _("Seats taken, 24 h"), "value": f"{sum(hour.seats for hour in hours):,}"},
        {"name": _("Pools, 24 h"), "value": _gold(sum(hour.pool_minor for hour in hours))},
        {"name": _("Prizes paid, 24 h"), "value": _gold(closed.prizes_minor), "detail": _sessions_text(closed.settled)},
        {"name": _("Refunded, 24 h"), "value": _gold(closed.refunds_minor), "detail": _sessions_text(closed.refunded)},
    ]
    return {
        "heading": _("The platform") if owner is None else _("Your rooms"),
        "cards": cards,
        "charts": _charts(hours, now),
        "has_hours": bool(hours),
        "aside": _aside(figures.needing_attention(owner)),
    }


def _sessions(status: str) -> str:
    return f"{reverse('admin:rooms_session_changelist')}?status__exact={status}"


def _sessions_text(count: int) -> str:
    return ngettext("%(count)s session", "%(count)s sessions", count) % {"count": f"{count:,}"}


def _gold(minor: int) -> str:
    return f"{format_amount_grouped(minor, decimals=AMOUNT_DECIMALS)} {settings.ROOM_TOKEN_SYMBOL}"


def _charts(hours: list[Hour], now: datetime) -> list[dict[str, str]]:
    by_start = {hour.starts_at: hour for hour in hours}
    first = (now - DAY).replace(minute=0, second=0, microsecond=0)
    starts = [first + timedelta(hours=n) for n in range(25)]
    labels = [timezone.localtime(start).strftime("%H:%M") for start in starts]
    found = [by_start.get(start) for start in starts]
    seats = [hour.seats if hour else 0 for hour in found]
    pools = [hour.pool_minor / 10**AMOUNT_DECIMALS if hour else 0 for hour in found]
    return [
        {"title": _("Seats taken per hour"), "data": _bars(labels, _("Seats"), seats)},
        {
            "title": _("Pool volume per hour, %(symbol)s") % {"symbol": settings.ROOM_TOKEN_SYMBOL},
            "data": _bars(labels, _("Pool"), pools),
        },
    ]


def _bars(labels: list[str], name: str, values: list[Any]) -> str:
    bars = {"label": name, "data": values, "backgroundColor": "var(--color-primary-600)", "displayYAxis": True}
    return json.dumps({"labels": labels, "datasets": [bars]})


def _aside(sessions: list[Any]) -> Table | None:
    if not sessions:
        return None
    rows = [
        [
            Cell(session.code, link=reverse("admin:rooms_session_change", args=[session.pk])),
            session.room.name,
            Cell(session.get_status_display(), tone="warning"),
            session.quarantined_at,
            session.last_error,
        ]
        for session in sessions
    ]
    return Table(headings=(_("Session"), _("Room"), _("State"), _("Set aside"), _("Last error")), rows=rows)


def _running(found: Vitals | None) -> list[dict[str, Any]]:
    if found is None:
        return []
    return [
        {"name": _("Open sockets"), "value": _known(found.sockets)},
        {"name": _("Tasks waiting"), "value": _known(found.tasks_waiting)},
    ]


def _known(value: int | None) -> str:
    return _("unknown") if value is None else f"{value:,}"


def _chat(user: User, sees_rooms: bool, now: datetime) -> list[dict[str, Any]]:
    cards: list[dict[str, Any]] = []
    if sees_rooms or roles.may(user, "chat.view_message"):
        said = chat_queries.posted_since(now - timedelta(minutes=1))
        cards.append({"name": _("Chat messages, last minute"), "value": _up_to(said)})
    if roles.may(user, "chat.view_report"):
        link = f"{reverse('admin:chat_report_changelist')}?resolved_at__isempty=1"
        cards.append({"name": _("Open reports"), "value": _up_to(chat_queries.open_reports()), "link": link})
    return cards


def _up_to(count: int) -> str:
    return f"{count:,}{'+' if count == chat_queries.TOTAL_MAX else ''}"


def _failed_jobs(now: datetime) -> Table | None:
    failed = jobs.failed_since(now - DAY, limit=FAILED_JOBS_SHOWN)
    if not failed:
        return None
    rows = [
        [
            Cell(job.public_id, link=reverse("admin:payments_job_change", args=[job.pk])),
            job.game.name,
            job.get_kind_display(),
            job.finished_at,
            job.error_code,
        ]
        for job in failed
    ]
    more = Cell(_("All failed jobs"), link=f"{reverse('admin:payments_job_changelist')}?status__exact=failed")
    return Table(headings=(_("Job"), _("Game"), _("What"), _("Failed"), _("Error")), rows=rows, more=more)


def _alarms(user: User, running: Vitals | None) -> list[dict[str, str]]:
    alarms = []
    if running is not None:
        age = running.tick_age_seconds
        if not running.is_redis_there:
            text = _("Redis is away: joins are refused, and whether sessions move is unknown.")
            alarms.append({"tone": "danger", "text": text})
        elif age is None:
            alarms.append(
                {"tone": "danger", "text": _("No tick on record: sessions do not move. Are worker and beat running?")}
            )
        elif age > TICK_LATE_SECONDS:
            alarms.append(
                {
                    "tone": "danger",
                    "text": _("The last tick was %(age)s s ago: sessions do not move.") % {"age": f"{age:.0f}"},
                }
            )
        else:
            alarms.append(
                {
                    "tone": "success",
                    "text": _("Sessions move: the last tick was %(age)s s ago.") % {"age": f"{max(age, 0):.0f}"},
                }
            )
    if roles.may(user, "payments.view_token"):
        for token in Token.objects.filter(payouts_frozen_at__isnull=False).order_by("symbol"):
            text = _("Payments in %(symbol)s are stopped: %(reason)s") % {
                "symbol": token.symbol,
                "reason": token.payouts_frozen_reason,
            }
            link = reverse("admin:payments_token_change", args=[token.pk])
            alarms.append({"tone": "danger", "text": text, "link": link})
    if roles.may(user, "payments.view_adjustmentrequest"):
        waiting = AdjustmentRequest.objects.filter(state=AdjustmentRequest.State.REQUESTED).count()
        if waiting:
            link = f"{reverse('admin:payments_adjustmentrequest_changelist')}?state__exact=requested"
            text = ngettext(
                "%(count)s adjustment waiting for a second person.",
                "%(count)s adjustments waiting for a second person.",
                waiting,
            ) % {"count": waiting}
            alarms.append({"tone": "warning", "text": text, "link": link})
    return alarms


def _books() -> Table:
    found = cache.get_or_set(BOOKS_KEY, books.circulation, BOOKS_SECONDS) or []
    rows = [
        [
            token.symbol,
            Cell(format_amount_grouped(token.supply_minor, decimals=token.decimals), is_number=True),
            Cell(_("balanced"), tone="success")
            if token.sum_minor == 0
            else Cell(
                _("off by %(amount)s") % {"amount": format_amount_grouped(token.sum_minor, decimals=token.decimals)},
                tone="danger",
            ),
        ]
        for token in found
    ]
    note = _("Every balance added up; looked at once in %(seconds)s s.") % {"seconds": BOOKS_SECONDS}
    return Table(headings=(_("Token"), _("In circulation"), _("Books")), rows=rows, note=note, empty=_("No token yet"))
