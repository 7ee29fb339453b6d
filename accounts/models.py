"""Who plays, and what is played."""

import re
import unicodedata
import zoneinfo
from collections.abc import Collection
from typing import Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce, Lower, Now, NullIf
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin

from core.db import clock
from core.security.lookalikes import look_of
from core.security.names import has_hidden_characters

USERNAME_LENGTH_MAX = 64
FULLNAME_LENGTH_MAX = 150
AVATAR_LENGTH_MAX = 500
WALLET_ADDRESS_LENGTH_MAX = 128
GAME_USERNAME_LENGTH_MAX = 100
TIME_ZONE_LENGTH_MAX = 64
_NEW_WALLET_ADDRESS = re.compile(r"[A-Za-z0-9:._-]{3,128}", re.ASCII)
# What the database refuses: addresses from before today's form stay.
# \A and \Z mean the same to Python and to PostgreSQL; Python's $ lets a last newline pass.
WALLET_ADDRESS_PATTERN = r"\A[!-~]{1,128}\Z"
SYMBOL_PATTERN = r"\A[A-Z0-9_]{1,20}\Z"


def refuse_hidden_characters(text: str) -> None:
    if has_hidden_characters(text):
        raise ValidationError("This text must not contain control or invisible characters.", code="hidden")


def refuse_unfit_wallet_addresses(text: str) -> None:
    """What a new address may be; ``WALLET_ADDRESS_PATTERN`` may ask for more."""
    if not (_NEW_WALLET_ADDRESS.fullmatch(text) and settings.WALLET_ADDRESS_PATTERN.fullmatch(text)):
        raise ValidationError(_("This is not the form of a wallet address."), code="wallet_address")


def refuse_unknown_zones(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError("This is no time zone.", code="zone")


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        """The user of this name, in any case and any compatible spelling. Raises ``User.DoesNotExist``."""
        # Both sides are lowered by the database: the unique index answers, and no second rule can differ.
        folded = Lower(Value(User.normalize_username(username or "")))
        return self.alias(username_folded=Lower("username")).get(username_folded=folded)

    def create_user(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        """A saved user; without a password it cannot sign in. The password's strength is not checked here."""
        user = self.model(username=username, email=email or None, **fields)
        user.clean()
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        return self.create_user(username, email, password, **{"is_staff": True, "is_superuser": True} | fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A player, a master (who owns rooms) or a member of staff.

    ``username`` is kept in NFKC and unique in any case; ``wallet_address`` is null until one is connected. Emails
    and wallet addresses are unproven, so neither is unique: a taken one must not keep its owner out or tell who has it.
    """

    id = models.BigAutoField(primary_key=True)
    username = models.CharField(
        _("username"),
        max_length=USERNAME_LENGTH_MAX,
        unique=True,
        validators=[UnicodeUsernameValidator(), refuse_hidden_characters],
        error_messages={"unique": "A user with that username already exists."},
    )
    # What the name seems to be in ASCII; empty where it has no twin there.
    username_look = models.CharField(max_length=USERNAME_LENGTH_MAX, default="", db_default="", editable=False)
    email = models.EmailField(_("email"), null=True, blank=True)
    fullname = models.CharField(
        _("fullname"), max_length=FULLNAME_LENGTH_MAX, blank=True, default="", validators=[refuse_hidden_characters]
    )
    avatar = models.CharField(
        _("avatar"),
        max_length=AVATAR_LENGTH_MAX,
        blank=True,
        default="",
        validators=[URLValidator(schemes=["http", "https"])],
        help_text=_("Address of a picture. Clients load it; the platform never does."),
    )
    wallet_address = models.CharField(
        _("wallet address"),
        max_length=WALLET_ADDRESS_LENGTH_MAX,
        null=True,
        blank=True,
        validators=[refuse_unfit_wallet_addresses],
    )
    language = models.CharField(
        max_length=8,
        blank=True,
        default="",
        db_default="",
        choices=settings.LANGUAGES,
        help_text="Of the back-office's pages.",
    )
    time_zone = models.CharField(
        max_length=TIME_ZONE_LENGTH_MAX,
        blank=True,
        default="",
        db_default="",
        validators=[refuse_unknown_zones],
        help_text="Of the times on the back-office's pages: Asia/Ho_Chi_Minh.",
    )
    is_master = models.BooleanField(_("master"), default=False, help_text=_("May create and manage rooms of its own."))
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May sign in to the back-office."))
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Switch off, never delete."))
    date_joined = models.DateTimeField(_("date joined"), default=clock.now, editable=False)
    sign_outs = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="How often everything that was signed in was ended at once."
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        permissions = [("freeze_user", _("Can freeze and unfreeze user"))]
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="accounts_user_username_any_case",
                violation_error_message="A user with that username already exists.",
            ),
            # Of names that look the same, one is taken.
            models.UniqueConstraint(
                Coalesce(NullIf("username_look", Value("")), Lower("username")),
                name="accounts_user_username_look",
                violation_error_message="A user with that username already exists.",
            ),
            models.CheckConstraint(
                condition=Q(wallet_address__isnull=True) | Q(wallet_address__regex=WALLET_ADDRESS_PATTERN),
                name="accounts_user_wallet_address_printable",
            ),
            models.CheckConstraint(condition=~Q(username=""), name="accounts_user_username_not_empty"),
        ]
        indexes = [models.Index(fields=["wallet_address"], name="accounts_user_wallet")]

    def __str__(self) -> str:
        return self.username

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        # An address from before today's form stays when something else of the user is changed.
        if self.pk is not None and User.objects.filter(pk=self.pk, wallet_address=self.wallet_address).exists():
            exclude = {*(exclude or ()), "wallet_address"}
        super().clean_fields(exclude)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.username_look = look_of(self.username)
        super().save(*args, **kwargs)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        # No form has the look, but each that has the name is asked whether it looks like another.
        super().validate_constraints(set(exclude or ()) - {"username_look"})

    def clean(self) -> None:
        self.username = self.normalize_username(self.username)
        # A form that refused the name has none here.
        self.username_look = look_of(self.username or "")
        self.email = UserManager.normalize_email(self.email) or None
        self.fullname = unicodedata.normalize("NFC", self.fullname).strip(" ")

    @property
    def password_mark(self) -> str:
        """What tokens carry: it changes with the password and with ``sign_outs``, and tells neither."""
        content = f"{self.sign_outs}:{self.password}" if self.sign_outs else self.password
        return salted_hmac("gameplatform.accounts.password_mark", content, algorithm="sha256").hexdigest()[:16]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Django's own, so that "sign out everywhere" ends the back-office's sessions too.
        base: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]
        return f"{base}:{self.sign_outs}" if self.sign_outs else base

    def get_full_name(self) -> str:
        return self.fullname or self.username

    def get_short_name(self) -> str:
        return self.username


class SignIn(models.Model):
    """A sign-in of a user on one device: the chain of its refresh tokens, of which two are known by their ids.

    ``jti`` is the current token's, issued at ``issued_at``; ``previous_jti`` that of the token it was given for.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="sign_ins")
    jti = models.CharField(max_length=32, default="")
    previous_jti = models.CharField(max_length=32, default="")
    created_at = models.DateTimeField(default=clock.now)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"sign-in {self.pk}"


class Game(models.Model):
    """A game of the catalogue: how its results come about and which score is the better one."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        INACTIVE = "inactive", _("Inactive")

    class ResultMode(models.TextChoices):
        DRAW = "draw", _("Draw: a provably fair lottery")
        SCORE = "score", _("Score: the players' scores are ranked")
        SUBMITTED = "submitted", _("Submitted: the game's server posts the ranking")

    class ScoreOrder(models.TextChoices):
        DESCENDING = "desc", _("Highest score first")
        ASCENDING = "asc", _("Lowest score first")

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(_("name"), max_length=100, unique=True, validators=[refuse_hidden_characters])
    symbol = models.CharField(
        _("symbol"),
        max_length=20,
        unique=True,
        validators=[RegexValidator(SYMBOL_PATTERN, "The symbol is 1 to 20 of A-Z, 0-9 and _.")],
    )
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.ACTIVE)
    result_mode = models.CharField(_("result mode"), max_length=9, choices=ResultMode, default=ResultMode.DRAW)
    score_order = models.CharField(_("score order"), max_length=4, choices=ScoreOrder, default=ScoreOrder.DESCENDING)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("game")
        verbose_name_plural = _("games")
        constraints = [
            models.CheckConstraint(condition=Q(symbol__regex=SYMBOL_PATTERN), name="accounts_game_symbol"),
            models.CheckConstraint(condition=~Q(name=""), name="accounts_game_name_not_empty"),
            models.CheckConstraint(condition=Q(status__in=["active", "inactive"]), name="accounts_game_status"),
            models.CheckConstraint(
                condition=Q(result_mode__in=["draw", "score", "submitted"]),
                name="accounts_game_result_mode",
            ),
            models.CheckConstraint(condition=Q(score_order__in=["desc", "asc"]), name="accounts_game_score_order"),
        ]

    def __str__(self) -> str:
        return self.name


class GameUser(models.Model):
    """A player as one game knows it (contract: rounds, "User object"): its own name, sign-in, credits and counters.

    ``user`` is the platform user it belongs to; somebody who signed up with a game client has none. ``credits`` and
    ``score`` are numbers of the game's own, worth nothing on the ledger. The two monthly counters are those of
    ``counted_month`` and read as 0 in any other month.
    """

    id = models.BigAutoField(primary_key=True)
    game = models.ForeignKey(Game, models.PROTECT, db_index=False, related_name="game_users", verbose_name=_("game"))
    user = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="game_users", verbose_name=_("user")
    )
    username = models.CharField(
        _("username"), max_length=GAME_USERNAME_LENGTH_MAX, validators=[refuse_hidden_characters]
    )
    email = models.EmailField(_("email"), null=True, blank=True)
    password = models.CharField(max_length=128, blank=True, default="", db_default="", editable=False)
    credits = models.BigIntegerField(_("credits"), default=0, db_default=0)
    score = models.BigIntegerField(_("score"), default=0, db_default=0)
    number_of_logins = models.PositiveIntegerField(_("number of logins"), default=0, db_default=0)
    last_login = models.DateTimeField(_("last login"), null=True, blank=True)
    events_total = models.PositiveBigIntegerField(_("events total"), default=0, db_default=0)
    events_current_month = models.PositiveBigIntegerField(_("events current month"), default=0, db_default=0)
    game_sessions_total = models.PositiveBigIntegerField(_("game sessions total"), default=0, db_default=0)
    game_sessions_current_month = models.PositiveBigIntegerField(
        _("game sessions current month"), default=0, db_default=0
    )
    counted_month = models.DateField(_("counted month"), null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("game user")
        verbose_name_plural = _("game users")
        constraints = [
            models.UniqueConstraint("game", Lower("username"), name="accounts_gameuser_username_any_case"),
            models.UniqueConstraint("game", Lower("email"), name="accounts_gameuser_email_any_case"),
            models.UniqueConstraint(fields=["game", "user"], name="accounts_gameuser_one_per_player"),
            models.CheckConstraint(condition=~Q(username=""), name="accounts_gameuser_username_not_empty"),
        ]

    def __str__(self) -> str:
        return self.username

    @property
    def sign_in_mark(self) -> str:
        """What the user's tokens carry: it changes with its password and with its platform user's mark."""
        content = f"{self.password}:{self.user.password_mark if self.user else ''}"
        return salted_hmac("gameplatform.accounts.sign_in_mark", content, algorithm="sha256").hexdigest()[:16]


class GameUserToken(models.Model):
    """A sign-in of a game user. The token is 256 random bits and only its SHA-256 is kept: it cannot be read back.

    It ends with its lifetimes, and as soon as ``mark`` is no longer the user's. Tokens from before there were marks
    have none until their next use, and their lifetimes count from the upgrade.
    """

    id = models.BigAutoField(primary_key=True)
    game_user = models.ForeignKey(GameUser, models.CASCADE, related_name="tokens")
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    mark = models.CharField(max_length=16, default="", db_default="", editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    valid_from = models.DateTimeField(default=clock.now, db_default=Now(), editable=False)
    used_at = models.DateTimeField(default=clock.now, db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("game user token")

    def __str__(self) -> str:
        return f"token {self.pk}"


class ApiClient(models.Model):
    """A program that speaks to the platform with keys of its own: a chat tenant, a game's server, a tool.

    A client of a game acts for that game; one without a game is a tenant of its own.
    """

    id = models.BigAutoField(primary_key=True)
    # The client's id on the wire. The database makes it, so that adding the column gave each row one of its own.
    public_id = models.UUIDField(_("public id"), unique=True, editable=False, db_default=RandomUUID())
    name = models.CharField(_("name"), max_length=100, unique=True, validators=[refuse_hidden_characters])
    game = models.ForeignKey(
        Game, models.PROTECT, null=True, blank=True, related_name="api_clients", verbose_name=_("game")
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="accounts_apiclient_name_not_empty")]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """One key of a client, kept so that the database cannot give it away.

    The key is 256 random bits, so its SHA-256 is as good as a slow hash; the signing secret has to be usable and is
    encrypted. Both are shown once. At most two keys of a client live at a time, to change them without an outage.
    """

    class Scope(models.TextChoices):
        CHAT = "chat", _("Chat rooms and messages of its own")
        POTS = "pots", _("Pots: the signed game-room payments")
        ROUNDS = "rounds", _("Rounds: act for the users of its game")
        RESULTS = "results", _("Results: post the ranking of its game's sessions")
        WEBHOOKS = "webhooks", _("Webhooks: endpoints of its own")
        SYSTEM = "system", _("System: test-suite routes")

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(ApiClient, models.CASCADE, related_name="keys", verbose_name=_("client"))
    prefix = models.CharField(_("prefix"), max_length=16, unique=True, editable=False)
    secret_sha256 = models.CharField(max_length=64, editable=False)
    signing_secret_encrypted = models.BinaryField(editable=False)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope), verbose_name=_("scopes"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return self.prefix


class Authenticator(ThrottlingMixin, Device):
    """An app that makes codes of one use (RFC 6238) for a user; at most one that counts and one being set up.

    Device and throttling are django-otp's: after n wrong codes in a row it answers to none for 2^(n-1) seconds. The
    secret is kept encrypted, as every secret of the platform. ``last_step`` is the 30-second step of the last code that
    was accepted: that code and older ones are not accepted again.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    secret_encrypted = models.BinaryField(editable=False)
    drift = models.SmallIntegerField(default=0)
    last_step = models.BigIntegerField(default=-1)
    created_at = models.DateTimeField()

    class Meta:
        # The table is older than the folder.
        app_label = "backoffice"
        verbose_name = _("authenticator")
        constraints = [
            models.UniqueConstraint(fields=["user", "confirmed"], name="backoffice_authenticator_one_of_each"),
        ]

    def __str__(self) -> str:
        return f"authenticator {self.pk}"

    def get_throttle_factor(self) -> int:
        return 1


class RecoveryCode(models.Model):
    """A code of one use for who has lost the app. It is 80 random bits and only its SHA-256 is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    code_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()

    class Meta:
        # The table is older than the folder.
        app_label = "backoffice"
        verbose_name = _("recovery code")
        constraints = [models.CheckConstraint(condition=~Q(code_sha256=""), name="backoffice_recoverycode_not_empty")]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"


class RightsRequest(models.Model):
    """Rights of staff that a superuser asked for: another superuser approves or rejects them."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    user = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("user"))
    is_staff = models.BooleanField(_("staff status"))
    is_superuser = models.BooleanField(_("superuser status"))
    groups = ArrayField(models.CharField(max_length=150), verbose_name=_("groups"))
    reason = models.CharField(_("reason"), max_length=200)
    requester = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("requester"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.REQUESTED)
    created_at = models.DateTimeField(_("created at"))
    decider = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decider")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decision_reason = models.CharField(_("decision reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("rights request")
        verbose_name_plural = _("rights requests")
        constraints = [
            models.CheckConstraint(
                condition=Q(decider__isnull=True) | (~Q(decider=models.F("requester")) & ~Q(decider=models.F("user"))),
                name="rights_request_two_people",
            ),
            models.CheckConstraint(
                condition=Q(state="requested", decider__isnull=True, decided_at__isnull=True)
                | Q(state__in=["approved", "rejected"], decider__isnull=False, decided_at__isnull=False),
                name="rights_request_decided_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"rights request {self.pk}"
