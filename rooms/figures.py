"""Sums over sessions for the back-office: each one statement over a bounded range (no locks, no writes)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import BigIntegerField, Count, F, Q, QuerySet, Sum
from django.db.models.functions import Cast, Coalesce, TruncHour

from accounts.models import User
from rooms.models import Outcome, Room, Session
from rooms.quarantine import quarantined

ATTENTION_MAX = 20
# A room's figures cover this many of its latest sessions.
RECENT_SESSIONS = 1_000


@dataclass(frozen=True, kw_only=True)
class Hour:
    """Sessions that opened in one hour: seats taken, and the fees of the seats, in minor units."""

    starts_at: datetime
    seats: int
    pool_minor: int


@dataclass(frozen=True, kw_only=True)
class Closed:
    """Closed sessions: counts, and amounts in minor units."""

    settled: int
    prizes_minor: int
    refunded: int
    refunds_minor: int


def sessions_of(owner: User | None) -> QuerySet[Session]:
    """All sessions, or those of one master's rooms."""
    return Session.objects.all() if owner is None else Session.objects.filter(room__owner=owner)


def live_by_status(owner: User | None) -> dict[str, int]:
    """How many sessions are pending and running."""
    live = sessions_of(owner).filter(status__in=Session.LIVE)
    counted = dict(live.order_by().values_list("status").annotate(Count("pk")))
    return {status.value: counted.get(status.value, 0) for status in Session.LIVE}


def needing_attention(owner: User | None) -> list[Session]:
    """Live sessions that were set aside because they kept failing, the oldest first."""
    aside = quarantined()
    return list((aside if owner is None else aside.filter(room__owner=owner))[:ATTENTION_MAX])


def by_hour(*, owner: User | None, since: datetime) -> list[Hour]:
    """Seats and fees of the sessions opened since then, by hour; hours without sessions are left out."""
    fees = Cast(F("participants_count"), BigIntegerField()) * F("entry_fee_minor")
    rows = (
        sessions_of(owner)
        .filter(opens_at__gte=since)
        .order_by()
        .values(hour=TruncHour("opens_at"))
        .annotate(seats=Sum("participants_count"), pool=Sum(fees))
        .order_by("hour")
    )
    return [Hour(starts_at=row["hour"], seats=row["seats"], pool_minor=int(row["pool"])) for row in rows]


def closed_since(*, owner: User | None, since: datetime) -> Closed:
    """How the sessions opened since then were closed, as far as they are."""
    return _closed(Outcome.objects.filter(session__in=sessions_of(owner).filter(opens_at__gte=since)))


def closed_recently(room: Room) -> Closed:
    """How the room's latest ``RECENT_SESSIONS`` were closed."""
    latest = Session.objects.filter(room=room).order_by("-id").values("pk")[:RECENT_SESSIONS]
    return _closed(Outcome.objects.filter(pk__in=latest))


def _closed(outcomes: QuerySet[Outcome]) -> Closed:
    settled, refunded = Q(kind=Outcome.Kind.SETTLED), Q(kind=Outcome.Kind.REFUNDED)
    row = outcomes.aggregate(
        settled=Count("pk", filter=settled),
        prizes=Coalesce(Sum("pool_minor", filter=settled), 0, output_field=BigIntegerField()),
        refunded=Count("pk", filter=refunded),
        refunds=Coalesce(Sum("pool_minor", filter=refunded), 0, output_field=BigIntegerField()),
    )
    return Closed(
        settled=row["settled"],
        prizes_minor=int(row["prizes"]),
        refunded=row["refunded"],
        refunds_minor=int(row["refunds"]),
    )


def latest_sessions(room: Room, limit: int) -> Sequence[Session]:
    """The room's newest sessions."""
    return list(Session.objects.filter(room=room).select_related("token").order_by("-id")[:limit])
