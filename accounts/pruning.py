"""Accounts' rows that have outlived their use."""

from datetime import datetime

from django.db.models import QuerySet
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.game_tokens import alive
from accounts.models import GameUserToken, SignIn


def expired_sign_ins(*, now: datetime) -> QuerySet[SignIn]:
    """Sign-ins whose last refresh token is refused for its age."""
    return SignIn.objects.filter(expires_at__lte=now).order_by("expires_at")


def ended_game_tokens(*, now: datetime) -> QuerySet[GameUserToken]:
    """Sign-ins at games that have lived or idled too long."""
    return GameUserToken.objects.exclude(alive(now=now)).order_by("id")


def expired_tokens(*, now: datetime) -> QuerySet[OutstandingToken]:
    """Refresh tokens that the previous release registered and that are refused for their age."""
    return OutstandingToken.objects.filter(expires_at__lte=now).order_by("expires_at")
