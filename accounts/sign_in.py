"""Signing in, staying signed in, signing out."""

from datetime import datetime

from django.contrib.auth.hashers import make_password

from accounts.credentials import SignedIn, claim_refresh_token, issue_pair, read_token, revoke_refresh_tokens
from accounts.errors import InvalidCredentials, InvalidToken
from accounts.models import User
from core.db.transactions import use_case


@use_case
def log_in(*, username: str, password: str, now: datetime) -> SignedIn:
    """A pair of tokens for a name and its password. Raises ``InvalidCredentials``."""
    try:
        user = User.objects.get_by_natural_key(username)
    except User.DoesNotExist:
        # The same work as for a wrong password: the time of the answer must not tell which names exist.
        make_password(password)
        raise InvalidCredentials from None
    if not user.check_password(password) or not user.is_active:
        raise InvalidCredentials
    user.last_login = now
    user.save(update_fields=["last_login"])
    return issue_pair(user, now=now)


def refresh(*, raw: str, now: datetime) -> SignedIn:
    """A new pair for a refresh token, which is used up by it. Raises ``InvalidToken``.

    A token that was used up before is in two hands, one of them a thief's: every refresh token of the user is
    revoked, and the user must sign in again. Access tokens already out live on for their few minutes.
    """
    signed_in = _rotate_or_revoke(raw=raw, now=now)
    if signed_in is None:
        raise InvalidToken
    return signed_in


@use_case
def _rotate_or_revoke(*, raw: str, now: datetime) -> SignedIn | None:
    """The rotation; None says that theft was found, an answer that an exception would roll back."""
    claims = read_token(raw, token_type="refresh", now=now)
    # One refresh of a user at a time: a revocation must not miss the successor of a token rotated beside it.
    user = User.objects.select_for_update(no_key=True).filter(pk=claims.user_id).first()
    if user is None or not claims.fit(user):
        raise InvalidToken
    if not claim_refresh_token(claims, user=user):
        revoke_refresh_tokens(user)
        return None
    return issue_pair(user, now=now)


@use_case
def log_out(*, raw: str, now: datetime) -> None:
    """Use up a refresh token; safe to repeat. Raises ``InvalidToken``."""
    claims = read_token(raw, token_type="refresh", now=now)
    user = User.objects.filter(pk=claims.user_id).first()
    if user is None:
        raise InvalidToken
    claim_refresh_token(claims, user=user)
