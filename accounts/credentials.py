"""JSON Web Tokens: how they are written and read, and the register of refresh tokens.

Claims: ``iss``, ``token_type`` (access or refresh), ``user_id``, ``jti``, ``iat``, ``exp``, and
``password_mark``, which changes with the password so that a new password ends every token. No right is ever
read from a token. Times are compared with the caller's ``now``, never with the host's clock. The register keeps
a refresh token's ``jti`` only: who reads the database cannot sign in with what stands there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.errors import InvalidToken
from accounts.models import User
from core.db.transactions import require_atomic

ALGORITHM = "HS256"
TOKEN_LENGTH_MAX = 2048
_CLAIMS = ["iss", "token_type", "user_id", "jti", "iat", "exp", "password_mark"]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user with a fresh pair of tokens."""

    user: User
    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Claims:
    user_id: int
    jti: str
    password_mark: str

    def fit(self, user: User) -> bool:
        """Whether the user may still use the token: not switched off, and the password not changed since."""
        return user.is_active and constant_time_compare(self.password_mark, _password_mark(user))


def access_token(user: User, *, now: datetime) -> str:
    """A token that opens the API for ``ACCESS_TOKEN_LIFETIME``."""
    return _encode(user, token_type="access", jti=uuid4().hex, now=now, expires_at=now + _lifetime("ACCESS"))


def issue_pair(user: User, *, now: datetime) -> SignedIn:
    """An access token and a registered refresh token."""
    require_atomic()
    expires_at = now + _lifetime("REFRESH")
    row = OutstandingToken.objects.create(user=user, jti=uuid4().hex, token="", created_at=now, expires_at=expires_at)
    refresh = _encode(user, token_type="refresh", jti=row.jti, now=now, expires_at=expires_at)
    return SignedIn(user=user, access=access_token(user, now=now), refresh=refresh)


def read_token(raw: str, *, token_type: str, now: datetime) -> Claims:
    """What a token of ours says.

    Raises ``InvalidToken`` when it is forged, of the other type or expired at ``now``.
    """
    if len(raw) > TOKEN_LENGTH_MAX:
        raise InvalidToken
    try:
        claims: dict[str, Any] = jwt.decode(
            raw,
            settings.JWT_SIGNING_KEY,
            algorithms=[ALGORITHM],
            issuer=str(settings.SIMPLE_JWT["ISSUER"]),
            # The library would ask the host's clock, which may be behind the clock that wrote the token.
            options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False},
        )
    except (jwt.InvalidTokenError, ValueError) as error:
        raise InvalidToken from error
    if claims["token_type"] != token_type or datetime.fromtimestamp(claims["exp"], UTC) <= now:
        raise InvalidToken
    return Claims(int(claims["user_id"]), claims["jti"], claims["password_mark"])


def claim_refresh_token(claims: Claims, *, user: User) -> bool:
    """Use up a refresh token; False when it was used up before. Raises ``InvalidToken`` when not registered.

    The claim is an INSERT under a unique constraint: of any number at once, one wins.
    """
    require_atomic()
    row = OutstandingToken.objects.filter(jti=claims.jti, user=user).first()
    if row is None:
        raise InvalidToken
    _, won = BlacklistedToken.objects.get_or_create(token=row)
    return won


def revoke_refresh_tokens(user: User) -> None:
    """Use up every refresh token of the user."""
    require_atomic()
    rows = OutstandingToken.objects.filter(user=user, blacklistedtoken__isnull=True)
    BlacklistedToken.objects.bulk_create([BlacklistedToken(token=row) for row in rows], ignore_conflicts=True)


def _encode(user: User, *, token_type: str, jti: str, now: datetime, expires_at: datetime) -> str:
    payload = {
        "iss": settings.SIMPLE_JWT["ISSUER"],
        "token_type": token_type,
        "user_id": str(user.pk),
        "jti": jti,
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
        "password_mark": _password_mark(user),
    }
    return jwt.encode(payload, settings.JWT_SIGNING_KEY, algorithm=ALGORITHM)


def _password_mark(user: User) -> str:
    digest = salted_hmac("gameplatform.accounts.password_mark", user.password, algorithm="sha256")
    return digest.hexdigest()[:16]


def _lifetime(kind: str) -> timedelta:
    lifetime = settings.SIMPLE_JWT[f"{kind}_TOKEN_LIFETIME"]
    assert isinstance(lifetime, timedelta)
    return lifetime
