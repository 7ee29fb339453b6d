"""Reading rooms, sessions and participants as plain rows (no locks, no writes).

Hot lists read ``values()``: building model instances and nested serializers costs more than the query. Counts shown to
players are kept on the session row; nothing here counts over participants without a narrow filter.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Max, QuerySet
from django.utils.translation import gettext_noop

from accounts import roles
from accounts.models import Game, User
from rooms.errors import NotMaster, SessionNotFound, SessionNotOut
from rooms.models import Outcome, Participant, Room, Session
from rooms.terms import TERM_NAMES
from rounds.models import Round

Row = Mapping[str, Any]

# An exact total over millions of rows costs more than the page; beyond this it is reported as this.
TOTAL_MAX = 10_000

# The permission of staff to manage other owners' rooms.
MANAGE = "rooms.change_room"

ROOM_FIELDS = (
    "id",
    *TERM_NAMES,
    "status",
    "pending_change",
    "event_seq",
    "conversation_id",
    "game__id",
    "game__name",
    "game__symbol",
    "game__status",
    "owner__id",
    "owner__username",
    *(
        f"current_session__{name}"
        for name in (
            "id",
            "code",
            "status",
            "opens_at",
            "starts_at",
            "ends_at",
            "entry_fee_minor",
            "participants_count",
            "max_participants",
        )
    ),
)

PARTICIPANT_FIELDS = (
    "id",
    "status",
    "amount_minor",
    "wallet_address",
    "joined_at",
    "closed_at",
    "entry_tx_hash",
    "refund_tx_hash",
    "rank",
    "prize_minor",
    "user__id",
    "user__username",
    "user__fullname",
    "user__avatar",
    "session__id",
    "session__code",
    "session__status",
    "session__starts_at",
    "session__entry_fee_minor",
    "session__participants_count",
    "room__id",
    "room__name",
    "room__symbol",
    "room__entry_fee_minor",
    "room__prize_shares_bp",
)
JOINER_FIELDS = (
    *PARTICIPANT_FIELDS,
    "user__email",
    "room__game__id",
    "room__game__name",
    "room__game__symbol",
    "room__owner__id",
    "room__owner__username",
)
SESSION_FIELDS = ("id", "code", "status", "starts_at", "prize_shares_bp", "room_id")


def visible_rooms() -> QuerySet[Room]:
    """Every room that is not deleted, newest first."""
    return Room.objects.exclude(status=Room.Status.DELETED).order_by("-id")


def room_rows(rooms: QuerySet[Room], now: datetime) -> Sequence[Row]:
    """Rooms with their game, owner and current session as they are at ``now``: one statement whatever their number."""
    rows = list(rooms.values(*ROOM_FIELDS))
    for row in rows:
        _complete(row, now)
    return rows


def room_row(room_id: int, now: datetime) -> Row | None:
    """One visible room, or ``None``."""
    row: Row | None = next(iter(room_rows(visible_rooms().filter(pk=room_id), now)), None)
    return row


def room_exists(room_id: int) -> bool:
    """Whether there is such a visible room."""
    return visible_rooms().filter(pk=room_id).exists()


def _complete(row: dict[str, Any], now: datetime) -> None:
    """Add what follows from the current session: what it holds, and whether a join could succeed."""
    status = row["current_session__status"]
    if status is None:
        row["held_minor"] = 0
        return
    count = row["current_session__participants_count"]
    row["held_minor"] = pool_minor(
        status=status, entry_fee_minor=row["current_session__entry_fee_minor"], participants_count=count
    )
    row["current_session__can_join"] = can_join(
        status=status,
        opens_at=row["current_session__opens_at"],
        starts_at=row["current_session__starts_at"],
        count=count,
        seats=row["current_session__max_participants"],
        now=now,
    )


def can_join(*, status: str, opens_at: datetime, starts_at: datetime, count: int, seats: int, now: datetime) -> bool:
    """Whether a join could succeed at ``now``: computed from the clock and the count, never stored."""
    return status == Session.Status.PENDING and opens_at <= now < starts_at and count < seats


def participants() -> QuerySet[Participant]:
    """Every participation, newest first."""
    return Participant.objects.order_by("-id")


def participant_rows(chosen: QuerySet[Participant]) -> Sequence[Row]:
    """Participations with their user, session and room: one statement."""
    return list(chosen.values(*PARTICIPANT_FIELDS))


def entries_of(session_ids: Iterable[int]) -> QuerySet[Participant]:
    """The places held in these sessions to the end, in the order of joining; those given back are left out."""
    return Participant.objects.filter(session_id__in=session_ids).exclude(status=Participant.Status.LEFT).order_by("id")


def latest_participations(user: User) -> QuerySet[Participant]:
    """The user's own place in the newest session it took part in, per room; sessions that came to nothing do not count.

    Contract: rooms, "Endpoints".
    """
    own = Participant.objects.filter(
        user=user,
        status=Participant.Status.PAID,
        session__status__in=[Session.Status.PENDING, Session.Status.RUNNING, Session.Status.ENDED],
    )
    newest = own.values("room_id").annotate(newest=Max("id")).values("newest")
    return Participant.objects.filter(pk__in=newest).order_by("-id")


def expired_sessions() -> QuerySet[Session]:
    """Sessions that were called off and refunded, newest first."""
    return Session.objects.filter(status__in=[Session.Status.OUT, Session.Status.VOID]).order_by("-id")


def session_with_room(session_id: int) -> Session | None:
    """One session with its room and game, or ``None``."""
    return Session.objects.select_related("room__game", "room__owner", "contest").filter(pk=session_id).first()


def latest_session(room_id: int) -> Session | None:
    """The room's newest session, or ``None``."""
    return Session.objects.filter(room_id=room_id).order_by("-id").first()


def standings(session_id: int) -> Sequence[Row]:
    """The ranked entries of a session that ended, best first."""
    ranked = Participant.objects.filter(session_id=session_id, rank__isnull=False).order_by("rank")
    return list(
        ranked.values(
            "id", "public_id", "rank", "prize_minor", "prize_tx_hash", "amount_minor", "user__id", "user__username"
        )
    )


def outcome(session_id: int) -> Outcome | None:
    """How the session was closed, ``None`` while it is live."""
    return Outcome.objects.filter(pk=session_id).first()


def pool_minor(*, status: str, entry_fee_minor: int, participants_count: int) -> int:
    """What a session's escrow holds: the fees of its live entries, nothing once it is over (I7)."""
    return entry_fee_minor * participants_count if status in Session.LIVE else 0


def bounded_total(rows: QuerySet[Any]) -> int:
    """The number of rows, counted up to ``TOTAL_MAX``."""
    return rows.order_by()[:TOTAL_MAX].count()


def manages(*, user: User | AnonymousUser, room: Room) -> bool:
    """Whether the user manages the room: as its master, or as staff with the permission."""
    return (roles.is_master(user) and room.owner_id == user.pk) or roles.may(user, MANAGE)


def recorded_refund(*, actor: User, session_id: int) -> tuple[Session, Sequence[Row]]:
    """A called-off session and what each participant got back, for those who manage its room.

    The refund is part of the transaction that called the session off, so there is never one left to make: asking again
    answers the same record (contract: rooms, "process-refund"). Raises ``NotMaster``, ``SessionNotFound``,
    ``SessionNotOut``.
    """
    if not (actor.is_master or roles.may(actor, MANAGE)):
        raise NotMaster()
    session = session_with_room(session_id)
    if session is None or not manages(user=actor, room=session.room):
        raise SessionNotFound(gettext_noop("Session not found"))
    if session.status not in (Session.Status.OUT, Session.Status.VOID):
        raise SessionNotOut()
    return session, participant_rows(refunded_in(session_id))


def refunded_in(session_id: int) -> QuerySet[Participant]:
    """The places a session refunded when it was called off, in the order of joining."""
    return Participant.objects.filter(session_id=session_id, status=Participant.Status.REFUNDED).order_by("id")


def paid_into(session: Session) -> int:
    """The fees of the entries that were held to the end, in minor units, also after they were paid out or back."""
    return session.entry_fee_minor * session.participants_count


def joiner_row(participant_id: int) -> Row | None:
    """One participation in detail, or ``None``; ``held_minor`` is what its session holds."""
    row = Participant.objects.filter(pk=participant_id).values(*JOINER_FIELDS).first()
    if row is None:
        return None
    held_minor = pool_minor(
        status=row["session__status"],
        entry_fee_minor=row["session__entry_fee_minor"],
        participants_count=row["session__participants_count"],
    )
    return {**row, "held_minor": held_minor}


def drawn_sessions() -> QuerySet[Session]:
    """Sessions ranked by a finished draw, newest first."""
    return Session.objects.filter(status=Session.Status.ENDED, result_mode=Game.ResultMode.DRAW).order_by("-id")


def scores(session: Session) -> dict[int, Decimal | None]:
    """The entries' scores by user, in sessions that scores decide."""
    if session.contest_id is None:
        return {}
    rounds = Round.objects.filter(contest_id=session.contest_id, authoritative=True)
    return dict(rounds.values_list("game_user__user_id", "score"))
