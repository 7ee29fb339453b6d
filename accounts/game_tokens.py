"""Tokens of game users: issue one, find whose it is, and when it ends."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.crypto import constant_time_compare

from accounts.models import GameUser, GameUserToken
from core.db.transactions import require_atomic

TOKEN_BYTES = 32
TOKEN_LENGTH_MAX = 100
# A player uses a few devices at a time; the sign-in before that many is forgotten.
TOKENS_MAX = 10
USED_STEP = timedelta(days=1)


def issue_token(user: GameUser, *, now: datetime) -> str:
    """A new token, which is shown now and never again; the oldest of too many is dropped."""
    require_atomic()
    token = secrets.token_urlsafe(TOKEN_BYTES)
    GameUserToken.objects.create(
        game_user=user,
        token_sha256=_digest(token),
        mark=user.sign_in_mark,
        created_at=now,
        valid_from=now,
        used_at=now,
    )
    kept = GameUserToken.objects.filter(game_user=user).order_by("-id")[:TOKENS_MAX]
    GameUserToken.objects.filter(game_user=user).exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()
    return token


def find_game_user(token: str, *, now: datetime) -> GameUser | None:
    """The user of a living token, its game and platform user loaded; ``None`` for any other. One statement.

    Notes the use at most once a day.
    """
    if not token.isascii() or len(token) > TOKEN_LENGTH_MAX:
        return None
    found = (
        GameUserToken.objects.filter(alive(now=now), token_sha256=_digest(token))
        .select_related("game_user__game", "game_user__user")
        .first()
    )
    if found is None:
        return None
    user = found.game_user
    if user.user is not None and not user.user.is_active:
        return None
    if found.mark and not constant_time_compare(found.mark, user.sign_in_mark):
        return None
    if not found.mark or now - found.used_at > USED_STEP:
        GameUserToken.objects.filter(pk=found.pk).update(used_at=now, mark=user.sign_in_mark)
    return user


def alive(*, now: datetime) -> Q:
    """Tokens that have neither lived nor idled too long."""
    return Q(
        valid_from__gt=now - timedelta(days=settings.GAME_TOKEN_DAYS),
        used_at__gt=now - timedelta(days=settings.GAME_TOKEN_IDLE_DAYS),
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
