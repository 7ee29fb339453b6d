"""The books: tokens, accounts, transfers, staff adjustments that create and destroy tokens; above them the pots.

``payments.ledger`` is the only writer of ``Account.balance`` and ``Transfer``. What the database enforces by itself
stands in the constraints below and in ``payments/sql/ledger_guard.sql``; the rest is checked by ``payments.audit``.
"""

import enum

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiClient, Game
from core.amounts import AMOUNT_MINOR_MAX, DECIMALS_MAX
from core.models import Seal


class Token(models.Model):
    """A currency of the platform. ``decimals`` is fixed for life: amounts are integers in its minor units."""

    symbol = models.CharField(_("symbol"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=80)
    decimals = models.PositiveSmallIntegerField(_("decimals"), default=2)
    # While set, ``ledger_post`` books nothing in this token (``payments.freezing``).
    payouts_frozen_at = models.DateTimeField(_("payouts frozen at"), null=True, blank=True, editable=False)
    payouts_frozen_reason = models.CharField(
        _("payouts frozen reason"), max_length=200, blank=True, default="", editable=False
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        constraints = [
            models.CheckConstraint(condition=Q(decimals__lte=DECIMALS_MAX), name="token_decimals_max"),
            models.CheckConstraint(condition=Q(symbol__regex=r"^[A-Z0-9_]{1,20}$"), name="token_symbol_upper_case"),
        ]

    def __str__(self) -> str:
        return self.symbol


class TokenFreezeStep(models.Model):
    """A token was frozen or released: when, by whom (``None``: the platform itself) and why."""

    class Kind(models.TextChoices):
        FROZEN = "frozen"
        RELEASED = "released"

    token = models.ForeignKey(Token, models.PROTECT, related_name="freeze_steps")
    kind = models.CharField(max_length=8, choices=Kind)
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=200)

    class Meta:
        verbose_name = _("token freeze step")
        constraints = [models.CheckConstraint(condition=Q(kind__in=["frozen", "released"]), name="freeze_step_known")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at}"


class Escrow(models.Model):
    """Money held for one purpose, in one account per token. Its ``controller`` says who may move it."""

    class Controller(models.TextChoices):
        SESSION = "session"
        POT = "pot"

    controller = models.CharField(max_length=10, choices=Controller.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("escrow")
        constraints = [
            models.CheckConstraint(condition=Q(controller__in=["session", "pot"]), name="escrow_controller_known")
        ]

    def __str__(self) -> str:
        return f"escrow {self.pk} ({self.controller})"


class Account(models.Model):
    """One balance in one token.

    A transfer takes from its debit account and gives to its credit account. Only the issuance account, where tokens
    come from and go back to, may be negative; all balances of a token sum to 0.
    """

    class Kind(models.TextChoices):
        WALLET = "wallet", _("Wallet")
        ESCROW = "escrow", _("Escrow")
        HOUSE = "house", _("House")
        ISSUANCE = "issuance", _("Issuance")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    escrow = models.ForeignKey(Escrow, models.PROTECT, null=True, blank=True, related_name="accounts")
    token = models.ForeignKey(Token, models.PROTECT, related_name="+", verbose_name=_("token"))
    balance_minor = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.CheckConstraint(
                condition=Q(balance_minor__gte=0) | Q(kind="issuance"), name="account_balance_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(kind="wallet", owner__isnull=False, escrow__isnull=True)
                | Q(kind="escrow", owner__isnull=True, escrow__isnull=False)
                | Q(kind__in=["house", "issuance"], owner__isnull=True, escrow__isnull=True),
                name="account_holder_fits_kind",
            ),
            models.UniqueConstraint(fields=["owner", "token"], condition=Q(kind="wallet"), name="account_one_wallet"),
            models.UniqueConstraint(fields=["escrow", "token"], condition=Q(kind="escrow"), name="account_one_escrow"),
            models.UniqueConstraint(
                fields=["kind", "token"],
                condition=Q(kind__in=["house", "issuance"]),
                name="account_one_of_house",
            ),
            # What the composite foreign keys of Transfer point at: both ends of a transfer hold its token.
            models.UniqueConstraint(fields=["id", "token"], name="account_id_token"),
        ]

    def __str__(self) -> str:
        return gettext("%(kind)s account %(number)s") % {"kind": self.get_kind_display().lower(), "number": self.pk}


class Transfer(models.Model):
    """One movement: ``amount_minor`` units from the debit to the credit account. Never changed, never deleted.

    ``code`` says why, ``reference`` names the business object, ``idempotency_key`` makes it happen once, ``batch``
    groups what was posted together, ``tx_hash`` is the SHA-256 of the row's content. A correction is a new transfer
    that names the old one in ``corrects``.
    """

    debit_account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    credit_account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    token = models.ForeignKey(Token, models.PROTECT, db_index=False, related_name="+", verbose_name=_("token"))
    amount_minor = models.BigIntegerField()
    code = models.CharField(max_length=32)
    reference = models.CharField(_("reference"), max_length=128)
    idempotency_key = models.CharField(_("idempotency key"), max_length=160, unique=True)
    batch = models.UUIDField(_("batch"))
    corrects = models.ForeignKey("self", models.PROTECT, null=True, blank=True, db_index=False, related_name="+")
    tx_hash = models.CharField(_("tx hash"), max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, amount_minor__lte=AMOUNT_MINOR_MAX),
                name="transfer_amount_positive",
            ),
            models.CheckConstraint(
                condition=~Q(debit_account=models.F("credit_account")), name="transfer_two_accounts"
            ),
        ]
        indexes = [
            models.Index(fields=["debit_account", "id"], name="transfer_debit"),
            models.Index(fields=["credit_account", "id"], name="transfer_credit"),
            models.Index(fields=["reference", "id"], name="transfer_reference"),
        ]

    def __str__(self) -> str:
        return gettext("transfer %(number)s (%(code)s)") % {"number": self.pk, "code": self.code}


class LedgerSeal(Seal):
    """A seal over the transfers."""

    first_id = models.BigIntegerField(unique=True, db_column="first_transfer_id")
    last_id = models.BigIntegerField(unique=True, db_column="last_transfer_id")

    class Meta:
        verbose_name = _("ledger seal")
        constraints = [
            models.CheckConstraint(
                condition=Q(first_id__gte=1, first_id__lte=models.F("last_id")), name="seal_range_in_order"
            ),
        ]


class Adjustment(models.Model):
    """Tokens that staff created (deposit) or destroyed (withdrawal) in a wallet: who, why, and the transfer."""

    class Kind(models.TextChoices):
        DEPOSIT = "deposit", _("Deposit")
        WITHDRAWAL = "withdrawal", _("Withdrawal")

    class KeySpace(enum.StrEnum):
        CALLER = "caller"
        HOUSE = "house"

    public_id = models.UUIDField(_("public id"), unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="adjustments", verbose_name=_("user")
    )
    token = models.ForeignKey(Token, models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    reason = models.CharField(_("reason"), max_length=200)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("actor"))
    # The key for "this very adjustment": a repetition answers the first row. Keys of callers and keys of the house are
    # in two spaces, or a caller could take a key that the house will need. Rows from before the spaces have "".
    request_key = models.CharField(max_length=255)
    key_space = models.CharField(max_length=6, blank=True, db_default="", editable=False)
    transfer = models.OneToOneField(Transfer, models.PROTECT, related_name="adjustment")
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        constraints = [
            models.UniqueConstraint(fields=["actor", "key_space", "request_key"], name="adjustment_once_per_key"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="adjustment_amount_positive"),
            models.CheckConstraint(condition=Q(kind__in=["deposit", "withdrawal"]), name="adjustment_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display().lower()} {self.public_id}"


PLYR_ID_PATTERN = r"^[a-z0-9-]{5,64}$"


class AdjustmentRequest(models.Model):
    """An adjustment above what one person may make alone: another person approves or rejects it."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    kind = models.CharField(_("kind"), max_length=10, choices=Adjustment.Kind)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("user"))
    token = models.ForeignKey(Token, models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    reason = models.CharField(_("reason"), max_length=200)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("requester")
    )
    request_key = models.CharField(max_length=255)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.REQUESTED)
    created_at = models.DateTimeField(_("created at"))
    decider = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decider")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decision_reason = models.CharField(_("decision reason"), max_length=200, blank=True)
    adjustment = models.OneToOneField(Adjustment, models.PROTECT, null=True, blank=True, related_name="request")

    class Meta:
        verbose_name = _("adjustment request")
        verbose_name_plural = _("adjustment requests")
        constraints = [
            models.UniqueConstraint(fields=["requester", "request_key"], name="adjustment_request_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="adjustment_request_positive"),
            models.CheckConstraint(
                condition=Q(decider__isnull=True) | ~Q(decider=models.F("requester")),
                name="adjustment_request_two_people",
            ),
            models.CheckConstraint(
                condition=Q(state="requested", decider__isnull=True, decided_at__isnull=True, adjustment__isnull=True)
                | Q(state="approved", decider__isnull=False, decided_at__isnull=False, adjustment__isnull=False)
                | Q(state="rejected", decider__isnull=False, decided_at__isnull=False, adjustment__isnull=True),
                name="adjustment_request_decided_whole",
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(kind)s request %(number)s (%(state)s)") % {
            "kind": self.get_kind_display().lower(),
            "number": self.pk,
            "state": self.get_state_display().lower(),
        }


class PotGame(models.Model):
    """What the pots API knows of a game beyond the catalogue: the id it goes by, and who owns it.

    Without a ``public_id`` it goes by its symbol in lower case; without an owner its expired pots cannot be closed.
    """

    game = models.OneToOneField(Game, models.CASCADE, primary_key=True, related_name="+", verbose_name=_("game"))
    public_id = models.CharField(_("public id"), max_length=64, unique=True, null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    # The number of the game's newest pot: raised in the transaction that makes the pot, so no number is ever skipped.
    last_pot_number = models.BigIntegerField(_("last pot number"), default=0, editable=False)

    class Meta:
        verbose_name = _("pot game")
        verbose_name_plural = _("pot games")

    def __str__(self) -> str:
        return self.public_id or gettext("game %(number)s") % {"number": self.pk}


class PlayerProfile(models.Model):
    """A user as game servers know it: by plyrId, with a one-time-password secret instead of a session of ours.

    A guest has no secret: it can only play on in the session it was made with. ``otp_used_steps`` are the 30 s steps
    whose codes were taken and could come again, so that no code works twice.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="player_profile", verbose_name=_("user")
    )
    plyr_id = models.CharField(_("plyr id"), max_length=64, unique=True)
    primary_address = models.CharField(_("primary address"), max_length=128, unique=True)
    mirror_address = models.CharField(_("mirror address"), max_length=128, unique=True)
    is_guest = models.BooleanField(_("is guest"), default=False)
    guest_claimed = models.BooleanField(_("guest claimed"), default=False)
    otp_secret_encrypted = models.BinaryField(null=True, blank=True, editable=False)
    otp_used_steps = ArrayField(models.BigIntegerField(), default=list, editable=False)
    # Written by the previous release only: ``OtpGuard`` counts now.
    otp_failures = models.PositiveSmallIntegerField(_("otp failures"), default=0, editable=False)
    otp_locked_until = models.DateTimeField(_("otp locked until"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("player profile")
        verbose_name_plural = _("player profiles")
        constraints = [
            models.CheckConstraint(
                condition=Q(plyr_id__regex=PLYR_ID_PATTERN) & Q(plyr_id__regex="[a-z]") & ~Q(plyr_id__regex="^-|--|-$"),
                name="player_plyr_id_form",
            ),
            models.CheckConstraint(
                condition=Q(is_guest=True) | Q(otp_secret_encrypted__isnull=False), name="player_has_otp_or_is_guest"
            ),
        ]

    def __str__(self) -> str:
        return self.plyr_id


class OtpGuard(models.Model):
    """Wrong one-time passwords of a player in one game, through one client, or from one address."""

    subject = models.CharField(_("subject"), max_length=100, unique=True)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    since = models.DateTimeField(_("since"))
    locked_until = models.DateTimeField(_("locked until"), null=True, blank=True)

    class Meta:
        verbose_name = _("one-time password guard")
        verbose_name_plural = _("one-time password guards")

    def __str__(self) -> str:
        return self.subject


class PlayerSession(models.Model):
    """A player's one session with one game. Each login raises ``nonce``, which ends the earlier token."""

    player = models.ForeignKey(PlayerProfile, models.CASCADE, related_name="sessions")
    game = models.ForeignKey(Game, models.CASCADE, related_name="+")
    nonce = models.BigIntegerField(default=1)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("player session")
        constraints = [models.UniqueConstraint(fields=["player", "game"], name="player_session_one_per_game")]

    def __str__(self) -> str:
        return f"session {self.pk}"


class SessionKey(models.Model):
    """The ES256 key pair that player sessions are signed with; the private half is encrypted. One is current."""

    private_pem_encrypted = models.BinaryField(editable=False)
    public_pem = models.TextField(editable=False)
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("session key")
        constraints = [
            models.UniqueConstraint(fields=["is_current"], condition=Q(is_current=True), name="session_key_one_current")
        ]

    def __str__(self) -> str:
        return f"session key {self.pk}"


class Allowance(models.Model):
    """How much of a token a game may still take from a player's wallet into pots. A pay lowers it."""

    player = models.ForeignKey(PlayerProfile, models.CASCADE, related_name="allowances")
    game = models.ForeignKey(Game, models.CASCADE, related_name="+")
    token = models.ForeignKey(Token, models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("allowance")
        constraints = [
            models.UniqueConstraint(fields=["player", "game", "token"], name="allowance_one_per_game_token"),
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="allowance_not_negative"),
        ]

    def __str__(self) -> str:
        return f"allowance {self.pk}"


class Pot(models.Model):
    """A game room of the pots API: players pay tokens in and earn from it. Its escrow has one account per token.

    open → ended (empty, by the game) · open → closed (after the deadline; the rest went to the game's owner).
    """

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        ENDED = "ended", _("Ended")
        CLOSED = "closed", _("Closed")

    game = models.ForeignKey(Game, models.PROTECT, related_name="+", verbose_name=_("game"))
    number = models.BigIntegerField(_("number"))
    escrow = models.OneToOneField(Escrow, models.PROTECT, related_name="pot")
    address = models.CharField(_("address"), max_length=42, unique=True)
    status = models.CharField(_("status"), max_length=6, choices=Status, default=Status.OPEN)
    capacity = models.PositiveIntegerField(_("capacity"), null=True, blank=True)
    members_count = models.PositiveIntegerField(_("members count"), default=0)
    deadline = models.DateTimeField(_("deadline"))
    created_at = models.DateTimeField(_("created at"))
    over_at = models.DateTimeField(_("over at"), null=True, blank=True)

    class Meta:
        verbose_name = _("pot")
        verbose_name_plural = _("pots")
        constraints = [
            models.UniqueConstraint(fields=["game", "number"], name="pot_number_per_game"),
            models.CheckConstraint(condition=Q(number__gte=1), name="pot_number_from_1"),
            models.CheckConstraint(
                condition=Q(status="open", over_at__isnull=True)
                | Q(status__in=["ended", "closed"], over_at__isnull=False),
                name="pot_status_known",
            ),
            models.CheckConstraint(
                condition=Q(capacity__isnull=True) | Q(members_count__lte=models.F("capacity")),
                name="pot_within_capacity",
            ),
        ]

    def __str__(self) -> str:
        return gettext("pot %(number)s") % {"number": self.pk}


class PotMember(models.Model):
    """A player who is, or was, in a pot; ``left_at`` is empty while in it."""

    pot = models.ForeignKey(Pot, models.CASCADE, related_name="members")
    player = models.ForeignKey(PlayerProfile, models.PROTECT, related_name="+")
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("pot member")
        constraints = [models.UniqueConstraint(fields=["pot", "player"], name="pot_member_once")]

    def __str__(self) -> str:
        return f"pot member {self.pk}"


class Job(models.Model):
    """One requested change of a pot, done by the worker that claims the row first, in one transaction with its result.

    pending → success | failed; failed → pending when staff tries it again. While pending, the row's lock is the claim:
    a worker that dies gives it back with its connection. ``memo`` is the caller's own wording, kept for the answer.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        SUCCESS = "success", _("Success")
        FAILED = "failed", _("Failed")

    class Kind(models.TextChoices):
        CREATE = "create", _("Create")
        JOIN = "join", _("Join")
        PAY = "pay", _("Pay")
        EARN = "earn", _("Earn")
        LEAVE = "leave", _("Leave")
        END = "end", _("End")
        CLOSE = "close", _("Close")
        CREATE_JOIN_PAY = "create_join_pay", _("Create Join Pay")
        JOIN_PAY = "join_pay", _("Join Pay")
        EARN_LEAVE = "earn_leave", _("Earn Leave")
        EARN_LEAVE_END = "earn_leave_end", _("Earn Leave End")

    public_id = models.UUIDField(_("public id"), unique=True, editable=False)
    client = models.ForeignKey(ApiClient, models.PROTECT, related_name="+", verbose_name=_("client"))
    game = models.ForeignKey(Game, models.PROTECT, related_name="+", verbose_name=_("game"))
    request_digest = models.BinaryField(max_length=32)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    arguments = models.JSONField()
    memo = models.JSONField()
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.PENDING)
    result = models.JSONField(null=True, blank=True)
    receipt_hash = models.CharField(max_length=64, null=True, blank=True)
    error_code = models.CharField(_("error code"), max_length=64, blank=True, default="")
    error_message = models.CharField(max_length=2000, blank=True, default="")
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due at"))
    created_at = models.DateTimeField(_("created at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    retried_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("retried by")
    )

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        constraints = [
            # A repeated request finds the first one's job, whatever the race.
            models.UniqueConstraint(fields=["client", "request_digest"], name="job_once_per_request"),
            models.CheckConstraint(
                condition=Q(status="pending", finished_at__isnull=True, result__isnull=True)
                | Q(status="success", finished_at__isnull=False, result__isnull=False)
                | Q(status="failed", finished_at__isnull=False, result__isnull=True),
                name="job_status_known",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(status="pending"), name="job_due"),
            models.Index(fields=["finished_at"], condition=Q(finished_at__isnull=False), name="job_finished"),
            models.Index(fields=["game", "-id"], name="job_game"),
        ]

    def __str__(self) -> str:
        return gettext("job %(id)s") % {"id": self.public_id}
