"""Contests, the rounds in them, leaderboards, and what a game's clients know of the game.

A place is never rewritten when a score changes: it is counted on reading, along one index. For that each row keeps its
``standing`` beside its score: the score with the sign that makes the smaller number the better one, or ``UNSCORED``,
which is behind every score. One index and one row comparison then serve both score orders (`rounds.standings`).
"""

import secrets

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Game, GameUser
from core.db import clock
from rounds.standings import SCORE_DECIMALS_MAX, UNSCORED

LEADERBOARD_NAME_LENGTH_MAX = 100
GAME_TYPE_LENGTH_MAX = 255
ATTRIBUTE_KEY_LENGTH_MAX = 255
# UNSCORED has 22 digits before the point.
SCORE_DIGITS_MAX = 22 + SCORE_DECIMALS_MAX

# What a standing may be, so that no row can claim a better one than its score.
_STANDING_OF_SCORE = Q(score__isnull=True, standing=UNSCORED) | Q(standing=F("score")) | Q(standing=-F("score"))


def new_game_token() -> str:
    """A token for a game: 192 random bits."""
    return secrets.token_urlsafe(24)


class GameAccess(models.Model):
    """That game clients may sign players up: the game with its token.

    The token ships inside every copy of the game. It keeps strangers' test traffic out and is no secret, so it is kept
    readable for the back-office; what must stay secret is the service key.
    """

    game = models.OneToOneField(Game, models.CASCADE, primary_key=True, related_name="access", verbose_name=_("game"))
    token = models.CharField(_("token"), max_length=64, unique=True, default=new_game_token, editable=False)
    description = models.TextField(_("description"), max_length=2000, blank=True, default="")
    # Made by the test-suite routes, which may delete it again with all that hangs on it.
    is_test = models.BooleanField(_("is test"), default=False, editable=False)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("game access")
        verbose_name_plural = _("game accesses")

    def __str__(self) -> str:
        return gettext("access of game %(number)s") % {"number": self.pk}


class GameVariable(models.Model):
    """A setting of the game that its clients read at start-up."""

    access = models.ForeignKey(GameAccess, models.CASCADE, related_name="variables", verbose_name=_("access"))
    key = models.CharField(_("key"), max_length=100)
    value = models.TextField(_("value"), max_length=2000, blank=True)

    class Meta:
        verbose_name = _("game variable")
        verbose_name_plural = _("game variables")
        constraints = [models.UniqueConstraint(fields=["access", "key"], name="rounds_gamevariable_key")]

    def __str__(self) -> str:
        return self.key


class Contest(models.Model):
    """What connects the rounds that are ranked against each other (on the wire: the multiplayer game round).

    ``controller`` ``api``: free play, opened by a game client, whose user is the ``master``. ``session``: belongs to a
    paid session; its rows are authoritative, scores count in ``[opens_at, closes_at)``, and ``frozen_at`` ends it.
    """

    class Controller(models.TextChoices):
        API = "api", _("Game clients")
        SESSION = "session", _("A paid session")

    game = models.ForeignKey(Game, models.PROTECT, related_name="contests", verbose_name=_("game"))
    # A number of its own, unique within the game: a client may bring the number its match server gave.
    multiplayer_id = models.BigIntegerField(_("multiplayer id"))
    controller = models.CharField(_("controller"), max_length=8, choices=Controller)
    score_order = models.CharField(_("score order"), max_length=4, choices=Game.ScoreOrder)
    master = models.ForeignKey(
        GameUser, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("master")
    )
    opens_at = models.DateTimeField(_("opens at"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes at"), null=True, blank=True)
    frozen_at = models.DateTimeField(_("frozen at"), null=True, blank=True)
    rounds_count = models.PositiveIntegerField(_("rounds count"), default=0)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("contest")
        verbose_name_plural = _("contests")
        constraints = [
            models.UniqueConstraint(fields=["game", "multiplayer_id"], name="rounds_contest_multiplayer_id"),
            models.CheckConstraint(condition=Q(controller__in=["api", "session"]), name="rounds_contest_controller"),
            models.CheckConstraint(condition=Q(score_order__in=["desc", "asc"]), name="rounds_contest_score_order"),
            models.CheckConstraint(
                condition=Q(controller="api") | Q(closes_at__isnull=False, opens_at__lt=F("closes_at")),
                name="rounds_contest_session_has_times",
            ),
        ]

    def __str__(self) -> str:
        return gettext("contest %(number)s") % {"number": self.pk}


class Round(models.Model):
    """One play of one game user, alone or in a contest.

    ``place`` is what the client of a free-play round supplied, or the final place of an authoritative round; without
    it the place is computed on reading. ``submitted_at`` is when the present score was first sent, or the creation
    while there is none.
    """

    game = models.ForeignKey(Game, models.PROTECT, db_index=False, related_name="rounds", verbose_name=_("game"))
    game_user = models.ForeignKey(
        GameUser, models.CASCADE, db_index=False, related_name="rounds", verbose_name=_("game user")
    )
    contest = models.ForeignKey(Contest, models.CASCADE, null=True, blank=True, db_index=False, related_name="rounds")
    # The round decides a paid session: only its player or the game's service key may score it (contract: rounds).
    authoritative = models.BooleanField(_("authoritative"), default=False)
    game_type = models.CharField(_("game type"), max_length=GAME_TYPE_LENGTH_MAX)
    start_time = models.DateTimeField(_("start time"))
    end_time = models.DateTimeField(_("end time"), null=True, blank=True)
    score = models.DecimalField(max_digits=SCORE_DIGITS_MAX, decimal_places=SCORE_DECIMALS_MAX, null=True, blank=True)
    standing = models.DecimalField(
        max_digits=SCORE_DIGITS_MAX, decimal_places=SCORE_DECIMALS_MAX, default=UNSCORED, editable=False
    )
    submitted_at = models.DateTimeField(_("submitted at"))
    place = models.PositiveIntegerField(_("place"), null=True, blank=True)
    metadata = models.JSONField(_("metadata"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("round")
        verbose_name_plural = _("rounds")
        constraints = [
            models.CheckConstraint(condition=_STANDING_OF_SCORE, name="rounds_round_standing_of_score"),
            models.CheckConstraint(
                condition=Q(authoritative=False) | Q(contest__isnull=False),
                name="rounds_round_authoritative_in_contest",
            ),
            models.UniqueConstraint(
                fields=["contest", "game_user"],
                condition=Q(authoritative=True),
                name="rounds_round_one_per_entrant",
            ),
        ]
        indexes = [
            models.Index(
                fields=["contest", "standing", "submitted_at", "id"],
                condition=Q(contest__isnull=False),
                name="rounds_round_standing",
            ),
            models.Index(fields=["contest"], condition=Q(place__isnull=False), name="rounds_round_placed"),
            models.Index(fields=["game_user", "id"], name="rounds_round_of_user"),
            models.Index(fields=["game", "-id"], name="rounds_round_of_game"),
        ]

    def __str__(self) -> str:
        return gettext("round %(number)s") % {"number": self.pk}


class Leaderboard(models.Model):
    """A named list of scores of one game; its order is the game's when the first entry came."""

    game = models.ForeignKey(Game, models.PROTECT, db_index=False, related_name="leaderboards", verbose_name=_("game"))
    name = models.CharField(_("name"), max_length=LEADERBOARD_NAME_LENGTH_MAX)
    score_order = models.CharField(_("score order"), max_length=4, choices=Game.ScoreOrder)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("leaderboard")
        verbose_name_plural = _("leaderboards")
        constraints = [models.UniqueConstraint(fields=["game", "name"], name="rounds_leaderboard_name")]

    def __str__(self) -> str:
        return self.name


class LeaderboardEntry(models.Model):
    """One score on a leaderboard; a player may have any number."""

    leaderboard = models.ForeignKey(
        Leaderboard, models.CASCADE, db_index=False, related_name="entries", verbose_name=_("leaderboard")
    )
    game_user = models.ForeignKey(
        GameUser, models.CASCADE, db_index=False, related_name="leaderboard_entries", verbose_name=_("game user")
    )
    score = models.DecimalField(max_digits=SCORE_DIGITS_MAX, decimal_places=SCORE_DECIMALS_MAX)
    standing = models.DecimalField(max_digits=SCORE_DIGITS_MAX, decimal_places=SCORE_DECIMALS_MAX, editable=False)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("leaderboard entry")
        verbose_name_plural = _("leaderboard entries")
        constraints = [
            models.CheckConstraint(condition=_STANDING_OF_SCORE, name="rounds_leaderboardentry_standing_of_score")
        ]
        indexes = [
            models.Index(fields=["leaderboard", "standing", "created_at", "id"], name="rounds_entry_standing"),
            models.Index(
                fields=["game_user", "leaderboard", "standing", "created_at", "id"], name="rounds_entry_of_user"
            ),
        ]

    def __str__(self) -> str:
        return gettext("entry %(number)s") % {"number": self.pk}


class GameUserAttribute(models.Model):
    """A text that a game keeps about a player under a key of its choice."""

    game_user = models.ForeignKey(GameUser, models.CASCADE, db_index=False, related_name="attributes")
    key = models.CharField(max_length=ATTRIBUTE_KEY_LENGTH_MAX)
    value = models.TextField(blank=True)

    class Meta:
        verbose_name = _("game user attribute")
        constraints = [models.UniqueConstraint(fields=["game_user", "key"], name="rounds_gameuserattribute_key")]

    def __str__(self) -> str:
        return self.key
