"""Access and refresh tokens: simplejwt's classes on the database's clock, and the register of sign-ins.

Claims: ``iss``, ``token_type`` (access or refresh), ``user_id``, ``jti``, ``iat``, ``exp`` and ``password_mark``,
which changes with the password and at "sign out everywhere", so that both end every token. A refresh token also names
its ``chain``, the sign-in that it goes back to. No right is ever read from a token. The register keeps the ids of
refresh tokens only: a reader of the database cannot sign in with them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

import jwt
from django.conf import settings
from django.utils.crypto import constant_time_compare
from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.settings import api_settings

from accounts.errors import InvalidToken
from accounts.models import SignIn, User
from core.db.transactions import require_atomic

TOKEN_LENGTH_MAX = 2048
_CLAIMS = ["iss", "token_type", "user_id", "jti", "iat", "exp", "password_mark"]


class ClocklessBackend(TokenBackend):
    """Reads a token without the host's clock, which may be behind the clock that wrote it: the classes check times."""

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        if len(token) > TOKEN_LENGTH_MAX:
            raise TokenBackendError("Token is too long")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self.get_verifying_key(token),
                algorithms=[self.algorithm],
                issuer=self.issuer,
                options={
                    "require": _CLAIMS,
                    "verify_signature": verify,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.InvalidTokenError, ValueError) as error:
            raise TokenBackendError("Token is invalid") from error
        return claims


_backend = ClocklessBackend(api_settings.ALGORITHM, api_settings.SIGNING_KEY, issuer=api_settings.ISSUER)


class _Token(tokens.Token):
    """A token written, or read, at ``now``."""

    def __init__(self, token: Any = None, verify: bool = True, *, now: datetime) -> None:
        self.now = now
        super().__init__(token, verify)
        if token is None:
            # simplejwt dates a new token by the host's clock.
            self.set_exp(from_time=now)
            self.set_iat(at_time=now)

    @property
    def token_backend(self) -> TokenBackend:
        return _backend

    def check_exp(self, claim: str = "exp", current_time: datetime | None = None) -> None:
        super().check_exp(claim, current_time or self.now)

    @classmethod
    def read(cls, raw: str | bytes, *, now: datetime) -> Self:
        """A token of ours. Raises ``InvalidToken`` if it is forged, of the other type or expired at ``now``."""
        try:
            return cls(raw, now=now)
        except TokenError as error:
            raise InvalidToken from error

    @classmethod
    def of(cls, user: User, *, now: datetime) -> Self:
        """A new token for the user."""
        token = cls(now=now)
        token["user_id"] = str(user.pk)
        token["password_mark"] = user.password_mark
        return token

    @property
    def user_id(self) -> int:
        return int(self["user_id"])

    def fits(self, user: User) -> bool:
        """Whether the user may still use the token: active, and neither password nor "everywhere" came since."""
        return user.is_active and constant_time_compare(self["password_mark"], user.password_mark)


class AccessToken(_Token, tokens.AccessToken):
    """Opens the API for ``ACCESS_TOKEN_LIFETIME``."""


class RefreshToken(_Token):
    """Changes into a new pair once. The classes of simplejwt's blacklist would store the token itself."""

    token_type = "refresh"
    lifetime = api_settings.REFRESH_TOKEN_LIFETIME

    @property
    def chain(self) -> UUID:
        # Tokens of the previous release name no chain; theirs begins with themselves.
        return UUID(self.get("chain") or self["jti"])


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user with a pair of tokens."""

    user: User
    access: str
    refresh: str


def access_token(user: User, *, now: datetime) -> str:
    """A token that opens the API for ``ACCESS_TOKEN_LIFETIME``."""
    return str(AccessToken.of(user, now=now))


def step_up_token(user: User, *, authenticator_id: int, now: datetime) -> tuple[str, datetime]:
    """An access token that keeps the rights of staff for ``STEP_UP_SECONDS``, and when it ends."""
    token = AccessToken.of(user, now=now)
    lifetime = timedelta(seconds=settings.STEP_UP_SECONDS)
    token.set_exp(from_time=now, lifetime=lifetime)
    token["authenticator"] = authenticator_id
    return str(token), now + lifetime


def begin_sign_in(user: User, *, now: datetime) -> SignedIn:
    """A pair of tokens, with the refresh token first of a new chain."""
    require_atomic()
    sign_in = SignIn(user=user, created_at=now)
    advance_chain(sign_in, now=now)
    return pair_of(sign_in, user=user, now=now)


def advance_chain(sign_in: SignIn, *, now: datetime) -> None:
    """Make the next refresh token the chain's current one."""
    require_atomic()
    sign_in.previous_jti, sign_in.jti = sign_in.jti, uuid4().hex
    sign_in.issued_at, sign_in.expires_at = now, now + api_settings.REFRESH_TOKEN_LIFETIME
    sign_in.save()


def pair_of(sign_in: SignIn, *, user: User, now: datetime) -> SignedIn:
    """The chain's current refresh token, the same text each time, and a new access token."""
    refresh = RefreshToken.of(user, now=sign_in.issued_at)
    refresh["jti"] = sign_in.jti
    refresh["chain"] = sign_in.pk.hex
    return SignedIn(user=user, access=access_token(user, now=now), refresh=str(refresh))
