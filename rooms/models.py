"""Rooms, their sessions, and who takes part. The database holds what must never be broken; see the constraints.

States move only along ``rooms.transitions``; money moves only through the functions in ``rooms/sql``.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, Game
from chat.models import Conversation
from payments.models import Escrow, Token
from rounds.models import Contest


class Room(models.Model):
    """A standing offer: entry fee, prize table and windows, run again and again as sessions.

    ``prize_shares_bp`` are the prizes by rank in basis points (10,000 = 100 %). ``pending_change`` holds the terms that
    replace the present ones when the live session is over; ``next_open_at`` says when the next session is due.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        INACTIVE = "inactive", _("Inactive")
        DELETED = "deleted", _("Deleted")

    name = models.CharField(_("name"), max_length=120)
    symbol = models.CharField(max_length=255, null=True, blank=True)
    game = models.ForeignKey(Game, models.PROTECT, related_name="rooms", verbose_name=_("game"))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="rooms", verbose_name=_("owner"))
    token = models.ForeignKey(Token, models.PROTECT, related_name="+")
    entry_fee_minor = models.BigIntegerField()
    prize_shares_bp = ArrayField(models.PositiveSmallIntegerField())
    max_participants = models.PositiveIntegerField()
    join_window_seconds = models.PositiveIntegerField()
    run_seconds = models.PositiveIntegerField()
    # The pause between a session's end and the next one's opening.
    gap_seconds = models.PositiveIntegerField(db_default=10)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    pending_change = models.JSONField(null=True, blank=True)
    # A name that waits in pending_change is taken already.
    pending_name = models.CharField(max_length=120, null=True, blank=True)
    conversation = models.OneToOneField(Conversation, models.PROTECT, null=True, blank=True, related_name="room")
    current_session = models.ForeignKey("rooms.Session", models.SET_NULL, null=True, blank=True, related_name="+")
    next_open_at = models.DateTimeField(_("next open at"), null=True, blank=True)
    open_failures = models.PositiveSmallIntegerField(default=0)
    # Number of the room's latest event (RoomEvent.seq).
    event_seq = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(_("created at"))
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        constraints = [
            models.UniqueConstraint(fields=["name"], condition=~Q(status="deleted"), name="room_name_unique"),
            models.CheckConstraint(condition=Q(entry_fee_minor__gt=0), name="room_fee_positive"),
            models.CheckConstraint(
                condition=Q(prize_shares_bp__len__gte=1, prize_shares_bp__len__lte=20),
                name="room_prizes_1_to_20",
            ),
            models.CheckConstraint(
                condition=Q(max_participants__gte=models.F("prize_shares_bp__len")),
                name="room_seats_for_all_prizes",
            ),
            models.CheckConstraint(condition=Q(status__in=["open", "inactive", "deleted"]), name="room_status_known"),
        ]
        indexes = [
            models.Index(fields=["owner", "-id"], name="room_owner"),
            models.Index(fields=["game", "-id"], name="room_game"),
            models.Index(
                fields=["next_open_at"],
                condition=Q(status="open", next_open_at__isnull=False),
                name="room_due",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RoomNameSequence(models.Model):
    """The number of the last generated room name of a game (``GOLD_SLOT_001``)."""

    game = models.OneToOneField(Game, models.CASCADE, primary_key=True, related_name="+")
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("room name sequence")

    def __str__(self) -> str:
        return f"{self.pk}: {self.last}"


class Session(models.Model):
    """One timed run of a room, under terms frozen when it opened.

    Joining is possible in ``[opens_at, starts_at)``; it runs in ``[starts_at, ends_at)``. The prize pool is the balance
    of its escrow, stored nowhere else.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        RUNNING = "running", _("Running")
        ENDED = "ended", _("Ended")
        OUT = "out", _("Out")
        VOID = "void", _("Void")

    LIVE = (Status.PENDING, Status.RUNNING)
    OVER = (Status.ENDED, Status.OUT, Status.VOID)

    public_id = models.UUIDField(_("public id"), unique=True, editable=False)
    room = models.ForeignKey(Room, models.PROTECT, related_name="sessions")
    # Creation time in epoch milliseconds, as text (contract: rooms, "Session life").
    code = models.CharField(_("code"), max_length=20)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PENDING)
    token = models.ForeignKey(Token, models.PROTECT, related_name="+")
    escrow = models.OneToOneField(Escrow, models.PROTECT, related_name="session")
    # Where its players are scored, when the result mode is ``score``.
    contest = models.OneToOneField(Contest, models.PROTECT, null=True, blank=True, related_name="session")
    entry_fee_minor = models.BigIntegerField()
    prize_shares_bp = ArrayField(models.PositiveSmallIntegerField())
    max_participants = models.PositiveIntegerField()
    result_mode = models.CharField(max_length=10, choices=Game.ResultMode.choices)
    score_order = models.CharField(max_length=4, choices=Game.ScoreOrder.choices)
    opens_at = models.DateTimeField(_("opens at"))
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    over_at = models.DateTimeField(_("over at"), null=True, blank=True)
    participants_count = models.PositiveIntegerField(default=0)
    # The draw (rooms.draw): the seed is secret until the session has ended.
    seed_encrypted = models.BinaryField(editable=False)
    draw_commit = models.CharField(max_length=64)
    draw_roster = models.CharField(max_length=64, null=True, blank=True)
    # A transition that keeps failing is set aside for staff instead of blocking the others.
    failures = models.PositiveSmallIntegerField(_("failures"), default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    quarantined_at = models.DateTimeField(_("quarantined at"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        constraints = [
            models.UniqueConstraint(
                fields=["room"],
                condition=Q(status__in=["pending", "running"]),
                name="session_one_live_per_room",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "running", "ended", "out", "void"]),
                name="session_status_known",
            ),
            models.CheckConstraint(
                condition=Q(opens_at__lt=models.F("starts_at"), starts_at__lt=models.F("ends_at")),
                name="session_times_in_order",
            ),
            models.CheckConstraint(
                condition=Q(participants_count__lte=models.F("max_participants")),
                name="session_seats_not_exceeded",
            ),
        ]
        indexes = [
            models.Index(fields=["room", "-id"], name="session_room"),
            models.Index(fields=["status", "-id"], name="session_status"),
            models.Index(fields=["starts_at"], condition=Q(status="pending"), name="session_due_start"),
            models.Index(fields=["ends_at"], condition=Q(status="running"), name="session_due_end"),
            models.Index(
                fields=["quarantined_at"], condition=Q(quarantined_at__isnull=False), name="session_set_aside"
            ),
            # Sessions open in the order of their rows: a few blocks' bounds find a day among years.
            BrinIndex(fields=["opens_at"], pages_per_range=16, autosummarize=True, name="session_opened"),
        ]

    def __str__(self) -> str:
        return gettext("session %(number)s (%(state)s)") % {
            "number": self.pk,
            "state": self.get_status_display().lower(),
        }


class Participant(models.Model):
    """One paid place in a session. Leaving and joining again makes a new row: at most one per player is paid."""

    class Status(models.TextChoices):
        PAID = "paid", _("Paid")
        LEFT = "left", _("Left")
        REFUNDED = "refunded", _("Refunded")

    public_id = models.UUIDField(_("public id"), unique=True, editable=False)
    session = models.ForeignKey(Session, models.PROTECT, db_index=False, related_name="participants")
    room = models.ForeignKey(Room, models.PROTECT, db_index=False, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="participations")
    status = models.CharField(_("status"), max_length=10, choices=Status)
    amount_minor = models.BigIntegerField()
    wallet_address = models.CharField(max_length=128)
    # The caller's key for this very join: a repetition answers this row instead of "already joined".
    request_key = models.CharField(max_length=255, null=True, blank=True)
    leave_request_key = models.CharField(max_length=255, null=True, blank=True)
    joined_at = models.DateTimeField(_("joined at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    entry_tx_hash = models.CharField(_("entry tx hash"), max_length=64)
    refund_tx_hash = models.CharField(_("refund tx hash"), max_length=64, null=True, blank=True)
    rank = models.PositiveIntegerField(_("rank"), null=True, blank=True)
    prize_minor = models.BigIntegerField(null=True, blank=True)
    prize_tx_hash = models.CharField(_("prize tx hash"), max_length=64, null=True, blank=True)

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        constraints = [
            models.UniqueConstraint(
                fields=["session", "user"], condition=Q(status="paid"), name="participant_one_paid_per_player"
            ),
            models.UniqueConstraint(
                fields=["session", "rank"], condition=Q(rank__isnull=False), name="participant_one_per_rank"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["paid", "left", "refunded"]), name="participant_status_known"
            ),
            models.CheckConstraint(
                condition=Q(refund_tx_hash__isnull=True, status="paid")
                | Q(refund_tx_hash__isnull=False, status__in=["left", "refunded"], prize_minor__isnull=True),
                name="participant_refunded_or_in",
            ),
        ]
        indexes = [
            models.Index(fields=["session", "id"], name="participant_session"),
            models.Index(fields=["room", "-id"], name="participant_room"),
            models.Index(fields=["user", "-id"], name="participant_user"),
        ]

    def __str__(self) -> str:
        return gettext("participant %(number)s (%(state)s)") % {
            "number": self.pk,
            "state": self.get_status_display().lower(),
        }


class SessionTransition(models.Model):
    """One step in a session's life: from which state to which, when, by whom and why."""

    session = models.ForeignKey(Session, models.PROTECT, related_name="transitions")
    from_status = models.CharField(max_length=10, blank=True)
    to_status = models.CharField(max_length=10)
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=200)

    class Meta:
        verbose_name = _("session transition")

    def __str__(self) -> str:
        return f"{self.from_status or 'new'} → {self.to_status}"


class Outcome(models.Model):
    """How a session was closed, exactly once: prizes paid or all entries refunded, never both."""

    class Kind(models.TextChoices):
        SETTLED = "settled", _("Settled")
        REFUNDED = "refunded", _("Refunded")

    session = models.OneToOneField(Session, models.PROTECT, primary_key=True, related_name="outcome")
    kind = models.CharField(max_length=10, choices=Kind)
    entries = models.PositiveIntegerField()
    pool_minor = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("outcome")
        constraints = [models.CheckConstraint(condition=Q(kind__in=["settled", "refunded"]), name="outcome_kind_known")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pool_minor}"


class SubmittedResult(models.Model):
    """The ranking that a game's server posted for a session, once: participant ids, best first."""

    session = models.OneToOneField(Session, models.PROTECT, primary_key=True, related_name="submitted_result")
    ranking = ArrayField(models.BigIntegerField())
    key = models.ForeignKey(ApiKey, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField()

    class Meta:
        verbose_name = _("submitted result")

    def __str__(self) -> str:
        return f"result of session {self.pk}"


class MembershipOwed(models.Model):
    """A participant that is to become a member of the room's conversation (``rooms.membership``).

    Written with the payment and removed with the membership, right after it: a row that lasts is a crash's.
    """

    participant = models.OneToOneField(
        Participant, models.CASCADE, primary_key=True, db_constraint=False, related_name="+"
    )
    owed_since = models.DateTimeField()

    def __str__(self) -> str:
        return f"membership owed to {self.participant_id}"


class RoomEvent(models.Model):
    """What happened in a room, numbered without gaps: the source of the live stream and of its resumption.

    Written in the transaction of the change, so an event exists only if its change does.
    """

    class Type(models.TextChoices):
        """No column of the database is bound to these: kept events may be older."""

        OPENED = "session.opened"
        JOINED = "participant.joined"
        LEFT = "participant.left"
        RUNNING = "session.running"
        OUT = "session.out"
        ENDED = "session.ended"
        ROOM_CHANGED = "room.changed"

    room = models.ForeignKey(Room, models.PROTECT, db_index=False, related_name="+")
    seq = models.BigIntegerField()
    session = models.ForeignKey(Session, models.PROTECT, null=True, blank=True, db_index=False, related_name="+")
    type = models.CharField(max_length=32)
    payload = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("room event")
        constraints = [models.UniqueConstraint(fields=["room", "seq"], name="room_event_seq")]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.seq} {self.type}"
