"""Sign in, stay signed in, sign out."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db.models import F
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts import second_factor
from accounts.credentials import RefreshToken, SignedIn, advance_chain, begin_sign_in, pair_of, step_up_token
from accounts.errors import InvalidCredentials, InvalidToken
from accounts.models import SignIn, User
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
    return begin_sign_in(user, now=now)


def refresh(*, raw: str, now: datetime) -> SignedIn:
    """A new pair for a refresh token. Raises ``InvalidToken``.

    A repetition within ``REFRESH_REPEAT_SECONDS`` gets the same refresh token, so that a lost answer or a second tab
    signs nobody out. Later, the token is in two hands, one of them a thief's: its chain ends, and this device must
    sign in again. Access tokens already out live on for their few minutes.
    """
    signed_in = _advance_or_end(raw=raw, now=now)
    if signed_in is None:
        raise InvalidToken
    return signed_in


@use_case
def _advance_or_end(*, raw: str, now: datetime) -> SignedIn | None:
    """The chain's next pair; ``None`` if the chain ended here, which an exception would roll back."""
    token, user = _read_for_update(raw, now)
    sign_in = SignIn.objects.filter(pk=token.chain, user=user).first() or _adopt(token, user)
    if token["jti"] == sign_in.jti:
        advance_chain(sign_in, now=now)
    elif token["jti"] != sign_in.previous_jti or now - sign_in.issued_at > _repeat_window():
        sign_in.delete()
        return None
    return pair_of(sign_in, user=user, now=now)


def step_up(*, user_id: int, code: str, now: datetime) -> tuple[str, datetime]:
    """An access token with the rights of staff for a code of the user's authenticator app, and when it ends.

    Raises ``NoAuthenticator``, ``WrongCode``, also while codes are not looked at after wrong ones.
    """
    user = User.objects.get(pk=user_id)
    authenticator = second_factor.authenticator_of(user)
    if authenticator is None:
        raise second_factor.NoAuthenticator
    if second_factor.verify(user=user, code=code, now=now) is not second_factor.Verdict.RIGHT:
        raise second_factor.WrongCode
    return step_up_token(user, authenticator_id=authenticator.pk, now=now)


@use_case
def log_out(*, raw: str, now: datetime) -> None:
    """End the chain of a refresh token; safe to repeat. Raises ``InvalidToken``."""
    token, user = _read_for_update(raw, now)
    SignIn.objects.filter(pk=token.chain, user=user).delete()
    OutstandingToken.objects.filter(jti=token["jti"], user=user).delete()


@use_case
def sign_out_everywhere(*, user_id: int) -> None:
    """End every token, sign-in and back-office session of a user at once."""
    User.objects.filter(pk=user_id).update(sign_outs=F("sign_outs") + 1)
    SignIn.objects.filter(user_id=user_id).delete()


def _read_for_update(raw: str, now: datetime) -> tuple[RefreshToken, User]:
    token = RefreshToken.read(raw, now=now)
    # One refresh of a user at a time: the second of two at once must see what the first one wrote.
    user = User.objects.select_for_update(no_key=True).filter(pk=token.user_id).first()
    if user is None or not token.fits(user):
        raise InvalidToken
    return token, user


def _adopt(token: RefreshToken, user: User) -> SignIn:
    """The chain of a token that the previous release registered, unused. Raises ``InvalidToken`` for any other.

    Those tokens live for two weeks; the release after this one drops the adoption and simplejwt's blacklist app.
    """
    unused = OutstandingToken.objects.filter(jti=token["jti"], user=user, blacklistedtoken__isnull=True)
    if "chain" in token or not unused.delete()[0]:
        raise InvalidToken
    return SignIn(pk=token.chain, user=user, jti=token["jti"])


def _repeat_window() -> timedelta:
    return timedelta(seconds=settings.REFRESH_REPEAT_SECONDS)
