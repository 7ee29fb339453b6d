"""Contests, the rounds in them, leaderboards, and what a game's clients know of the game.

A place is never rewritten when a score changes: it is counted on reading, along one index. For that each row keeps its
``standing`` beside its score: the score with the sign that makes the smaller number the better one, or ``UNSCORED``,
which is behind every score. One index and one row comparison then serve both score orders (`rounds.standings`).
"""

import secrets

from django.db import models
from django.db.models import F, Q

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

    game = models.OneToOneField(Game, models.CASCADE, primary_key=True, related_name="access")
    token = models.CharField(max_length=64, unique=True, default=new_game_token, editable=False)
    description = models.TextField(max_length=2000, blank=True, default="")
    # Made by the test-suite routes, which may delete it again with all that hangs on it.
    is_test = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "game access"
        verbose_name_plural = "game accesses"

    def __str__(self) -> str:
        return f"access of game {self.pk}"


class GameVariable(models.Model):
    """A setting of the game that its clients read at start-up."""

    access = models.ForeignKey(GameAccess, models.CASCADE, related_name="variables")
    key = models.CharField(max_length=100)
    value = models.TextField(max_length=2000, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["access", "key"], name="rounds_gamevariable_key")]

    def __str__(self) -> str:
        return self.key


class Contest(models.Model):
    """What connects the rounds that are ranked against each other (on the wire: the multiplayer game round).

    ``controller`` ``api``: free play, opened by a game client, whose user is the ``master``. ``session``: belongs to a
    paid session; its rows are authoritative, scores count in ``[opens_at, closes_at)``, and ``frozen_at`` ends it.
    """

    class Controller(models.TextChoices):
        API = "api", "Game clients"
        SESSION = "session", "A paid session"

    game = models.ForeignKey(Game, models.PROTECT, related_name="contests")
    # A number of its own, unique within the game: a client may bring the number its match server gave.
    multiplayer_id = models.BigIntegerField()
    controller = models.CharField(max_length=8, choices=Controller)
    score_order = models.CharField(max_length=4, choices=Game.ScoreOrder)
    master = models.ForeignKey(GameUser, models.PROTECT, null=True, blank=True, related_name="+")
    opens_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    rounds_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
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
        return f"contest {self.pk}"


class Round(models.Model):
    """One play of one game user, alone or in a contest.

    ``place`` is what the client of a free-play round supplied, or the final place of an authoritative round; without
    it the place is computed on reading. ``submitted_at`` is when the present score was first sent, or the creation
    while there is none.
    """

    game = models.ForeignKey(Game, models.PROTECT, db_index=False, related_name="rounds")
    game_user = models.ForeignKey(GameUser, models.CASCADE, db_index=False, related_name="rounds")
    contest = models.ForeignKey(Contest, models.CASCADE, null=True, blank=True, db_index=False, related_name="rounds")
    # The round decides a paid session: only its player or the game's service key may score it (contract: rounds).
    authoritative = models.BooleanField(default=False)
    game_type = models.CharField(max_length=GAME_TYPE_LENGTH_MAX)
    start_time = models.DateTimeField()
    end_time = models.DateTimeField(null=True, blank=True)
    score = models.DecimalField(max_digits=SCORE_DIGITS_MAX, decimal_places=SCORE_DECIMALS_MAX, null=True, blank=True)
    standing = models.DecimalField(
        max_digits=SCORE_DIGITS_MAX, decimal_places=SCORE_DECIMALS_MAX, default=UNSCORED, editable=False
    )
    submitted_at = models.DateTimeField()
    place = models.PositiveIntegerField(null=True, blank=True)
    metadata = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
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
        return f"round {self.pk}"


class Leaderboard(models.Model):
    """A named list of scores of one game; its order is the game's when the first entry came."""

    game = models.ForeignKey(Game, models.PROTECT, db_index=False, related_name="leaderboards")
    name = models.CharField(max_length=LEADERBOARD_NAME_LENGTH_MAX)
    score_order = models.CharField(max_length=4, choices=Game.ScoreOrder)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["game", "name"], name="rounds_leaderboard_name")]

    def __str__(self) -> str:
        return self.name


class LeaderboardEntry(models.Model):
    """One score on a leaderboard; a player may have any number."""

    leaderboard = models.ForeignKey(Leaderboard, models.CASCADE, db_index=False, related_name="entries")
    game_user = models.ForeignKey(GameUser, models.CASCADE, db_index=False, related_name="leaderboard_entries")
    score = models.DecimalField(max_digits=SCORE_DIGITS_MAX, decimal_places=SCORE_DECIMALS_MAX)
    standing = models.DecimalField(max_digits=SCORE_DIGITS_MAX, decimal_places=SCORE_DECIMALS_MAX, editable=False)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "leaderboard entries"
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
        return f"entry {self.pk}"


class GameUserAttribute(models.Model):
    """A text that a game keeps about a player under a key of its choice."""

    game_user = models.ForeignKey(GameUser, models.CASCADE, db_index=False, related_name="attributes")
    key = models.CharField(max_length=ATTRIBUTE_KEY_LENGTH_MAX)
    value = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["game_user", "key"], name="rounds_gameuserattribute_key")]

    def __str__(self) -> str:
        return self.key
