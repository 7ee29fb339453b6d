"""The books: tokens, accounts, transfers, and the staff adjustments that create and destroy tokens.

``payments.ledger`` is the only writer of ``Account.balance`` and ``Transfer``. What the database enforces by itself
stands in the constraints below and in ``payments/sql/ledger_guard.sql``; the rest is checked by ``payments.audit``.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from gameplatform.core.tokens import AMOUNT_MINOR_MAX, DECIMALS_MAX


class Token(models.Model):
    """A currency of the platform. ``decimals`` is fixed for life: amounts are integers in its minor units."""

    symbol = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=80)
    decimals = models.PositiveSmallIntegerField(default=2)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(decimals__lte=DECIMALS_MAX), name="token_decimals_max"),
            models.CheckConstraint(condition=Q(symbol__regex=r"^[A-Z0-9_]{1,20}$"), name="token_symbol_upper_case"),
        ]

    def __str__(self) -> str:
        return self.symbol


class Escrow(models.Model):
    """Money held for one purpose, in one account per token. Its ``controller`` says who may move it."""

    class Controller(models.TextChoices):
        SESSION = "session"
        POT = "pot"

    controller = models.CharField(max_length=10, choices=Controller.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
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
        WALLET = "wallet"
        ESCROW = "escrow"
        HOUSE = "house"
        ISSUANCE = "issuance"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    escrow = models.ForeignKey(Escrow, models.PROTECT, null=True, blank=True, related_name="accounts")
    token = models.ForeignKey(Token, models.PROTECT, related_name="+")
    balance_minor = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
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
        return f"{self.kind} account {self.pk}"


class Transfer(models.Model):
    """One movement: ``amount_minor`` units from the debit to the credit account. Never changed, never deleted.

    ``code`` says why, ``reference`` names the business object, ``idempotency_key`` makes it happen once, ``batch``
    groups what was posted together, ``tx_hash`` is the SHA-256 of the row's content. A correction is a new transfer
    that names the old one in ``corrects``.
    """

    debit_account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    credit_account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    token = models.ForeignKey(Token, models.PROTECT, db_index=False, related_name="+")
    amount_minor = models.BigIntegerField()
    code = models.CharField(max_length=32)
    reference = models.CharField(max_length=128)
    idempotency_key = models.CharField(max_length=160, unique=True)
    batch = models.UUIDField()
    corrects = models.ForeignKey("self", models.PROTECT, null=True, blank=True, db_index=False, related_name="+")
    tx_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()

    class Meta:
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
        return f"transfer {self.pk} ({self.code})"


class Adjustment(models.Model):
    """Tokens that staff created (deposit) or destroyed (withdrawal) in a wallet: who, why, and the transfer."""

    class Kind(models.TextChoices):
        DEPOSIT = "deposit"
        WITHDRAWAL = "withdrawal"

    public_id = models.UUIDField(unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="adjustments")
    token = models.ForeignKey(Token, models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    # The caller's own key for "this very adjustment": a repetition answers the first row.
    request_key = models.CharField(max_length=255)
    transfer = models.OneToOneField(Transfer, models.PROTECT, related_name="adjustment")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["actor", "request_key"], name="adjustment_once_per_request"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="adjustment_amount_positive"),
            models.CheckConstraint(condition=Q(kind__in=["deposit", "withdrawal"]), name="adjustment_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class AdjustmentRequest(models.Model):
    """An adjustment above what one person may make alone: it waits for somebody else to approve or reject it."""

    class State(models.TextChoices):
        REQUESTED = "requested"
        APPROVED = "approved"
        REJECTED = "rejected"

    kind = models.CharField(max_length=10, choices=Adjustment.Kind.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    token = models.ForeignKey(Token, models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    requester = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    request_key = models.CharField(max_length=255)
    state = models.CharField(max_length=10, choices=State.choices, default=State.REQUESTED)
    created_at = models.DateTimeField()
    decider = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=200, blank=True)
    adjustment = models.OneToOneField(Adjustment, models.PROTECT, null=True, blank=True, related_name="request")

    class Meta:
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
        return f"{self.kind} request {self.pk} ({self.state})"
